//! One run: set-up, load, faults, recovery, and the collection of the evidence.

use std::sync::Arc;
use std::time::Duration;

use sqlx::AssertSqlSafe;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::books::Books;
use crate::caller::RunContext;
use crate::checker::Evidence;
use crate::faults::{Span, make_faults};
use crate::history::{History, Moment, SECOND};
use crate::plan::{Kind, Plan};
use crate::probe::{self, Aftermath};
use crate::repairs::RepairWatch;
use crate::stage::Stage;
use crate::watch::Watch;
use crate::workload::Workload;

/// How long after the last fault everything must work again.
pub const RECOVERY: Moment = 10 * SECOND;
/// How long after that requests are counted.
const MEASURED: Moment = 6 * SECOND;

/// The parameters of a run.
pub struct Form<'f> {
    pub seed: u64,
    /// How long faults happen.
    pub seconds: u64,
    pub kinds: &'f [Kind],
    /// Whether Redis is a cluster with replicas.
    pub cluster: bool,
    /// SQL that removes a guard after both processes have started.
    pub mutant: Option<String>,
    /// Whether the run waits for recovery and checks it.
    pub aftermath: bool,
}

/// Runs to the end; returns the evidence.
pub async fn run(form: Form<'_>) -> Evidence {
    let name = if form.mutant.is_some() { "mutant" } else { "run" };
    let name = format!("{name}-{}-{}", form.seed, std::process::id());
    let mut stage = Stage::set(form.seed, &name, form.cluster).await;
    if let Some(sql) = form.mutant {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&stage.pool).await.expect("the guard is removed");
    }
    let history = Arc::new(History::begin());
    let closing = CancellationToken::new();
    let context = RunContext {
        history: Arc::clone(&history),
        closing: closing.clone(),
        addresses: stage.client_addresses(),
    };
    let workload = Workload::new(&stage, context.clone());
    let watch = Watch::begin(&stage, &history);
    let repair_watch = RepairWatch::begin(&stage);
    let crowd = workload.open(form.seed, stage.admin.user);
    let plan = Plan::new(form.seed, form.kinds);
    let faults = make_faults(&mut stage, &history, plan, form.seconds).await;
    let healed = history.now();
    if form.aftermath {
        sleep(Duration::from_micros((RECOVERY + MEASURED).unsigned_abs())).await;
    }
    let closed = history.now();
    closing.cancel();
    wait_for_clients(crowd).await;
    let observed = watch.end().await;
    let aftermath =
        if form.aftermath { probe::run(&stage, &context).await } else { Aftermath::default() };
    let books = read(&stage).await;
    let repairs = repair_watch.end().await;
    let record = history.read();
    let (skewed, silent) = (stage.skewed, stage.silent.schedule);
    end(stage).await;
    Evidence { record, books, faults, healed, closed, observed, aftermath, repairs, skewed, silent }
}

/// Waits until every client has finished its last request.
async fn wait_for_clients(mut crowd: JoinSet<()>) {
    let finishing = async {
        while let Some(left) = crowd.join_next().await {
            left.expect("no panic");
        }
    };
    timeout(Duration::from_mins(2), finishing).await.expect("every client finishes");
}

/// Reads PostgreSQL after the archive worker has had time to write; PostgreSQL may just have
/// started.
async fn read(stage: &Stage) -> Books {
    sleep(Duration::from_secs(2)).await;
    for _ in 0..20 {
        if let Ok(books) = Books::read(&stage.pool).await {
            return books;
        }
        sleep(Duration::from_millis(500)).await;
    }
    panic!("PostgreSQL does not come back")
}

async fn end(stage: Stage) {
    for mut process in stage.processes {
        process.node.kill().await;
    }
    stage.pool.close().await;
    stage.postgres.stop().await.expect("PostgreSQL ends");
}

/// The end of the last loss of Redis that began before a moment.
pub fn last_loss(faults: &[Span], before: Moment) -> Option<Moment> {
    let losses = faults.iter().filter(|span| span.kind.is_loss() && span.from <= before);
    losses.map(|span| span.to).max()
}
