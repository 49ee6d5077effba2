//! Joins at fixed rates: which share of a core Redis needs for one sale, in steps up to what the
//! machine can send.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use onsale::caller::Role;
use onsale::store::id::{ScheduleId, UserId};
use serde_json::json;
use tokio::task::JoinSet;

use crate::cpu::{Usage, as_float};
use crate::http::{Connection, request};
use crate::people::Newcomers;
use crate::stage::{Stage, token};
use crate::table::Row;
use crate::{Args, Outcome};

/// Joins per second of the steps.
const STEPS: [u32; 7] = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000];
const CALLERS: usize = 256;
/// Share of a step's rate that has to be reached for the next step.
const REACHED: f64 = 0.95;

/// Joins that are due at fixed times, whether or not earlier ones were answered.
struct Joins {
    addr: SocketAddr,
    requests: Vec<Vec<u8>>,
    begun: Instant,
    per_second: f64,
    next: AtomicUsize,
}

/// Result of one step.
struct Step {
    per_second: f64,
    /// From the time when a join was due until its answer.
    latencies: Vec<Duration>,
    took: Duration,
    used: Usage,
}

/// Lets users join at rising rates, until the machine cannot send faster.
pub async fn compare(args: &Args) -> Outcome<Vec<Row>> {
    let stage = Stage::set().await?;
    let schedule = stage.sale(500, json!({"capacity": 0})).await?;
    let mut newcomers = Newcomers::default();
    let mut rows = Vec::new();
    for rate in STEPS {
        let count = usize::try_from(rate * args.seconds)?;
        let users = newcomers.next(&stage, count).await?;
        let before = stage.waiting(schedule).await?;
        let watch = stage.watch_archive(schedule);
        let step = join(&stage, schedule, users, rate).await?;
        newcomers.skip(count);
        let joins = stage.waiting(schedule).await? - before;
        if joins != u64::try_from(count)? {
            return Err(format!("{count} joins answered, {joins} entries").into());
        }
        stage.assert_archived(schedule, before + joins).await?;
        rows.push(step.row(rate, watch.highest().await?));
        if step.per_second < REACHED * f64::from(rate) {
            break;
        }
    }
    stage.strike().await?;
    Ok(rows)
}

/// Lets these users join, `rate` per second.
///
/// # Errors
/// Fails unless each join creates an entry.
async fn join(stage: &Stage, schedule: ScheduleId, users: &[UserId], rate: u32) -> Outcome<Step> {
    let path = format!("/v1/schedules/{schedule}/queue");
    let join = |user: &UserId| -> Outcome<Vec<u8>> {
        let bearer = format!("Bearer {}", token(*user, Role::User)?);
        Ok(request(("POST", &path), &[("authorization", &bearer)], None))
    };
    let requests = users.iter().map(join).collect::<Outcome<Vec<_>>>()?;
    let mut connections = Vec::new();
    for _ in 0..CALLERS {
        connections.push(Connection::open(stage.onsale.addr).await?);
    }
    let (used, begun) = (stage.used()?, Instant::now());
    let addr = stage.onsale.addr;
    let (per_second, next) = (f64::from(rate), AtomicUsize::new(0));
    let joins = Arc::new(Joins { addr, requests, begun, per_second, next });
    let mut callers = JoinSet::new();
    for connection in connections {
        callers.spawn(Arc::clone(&joins).call(connection));
    }
    let mut latencies = Vec::with_capacity(users.len());
    while let Some(some) = callers.join_next().await {
        latencies.extend(some??);
    }
    let (took, used) = (begun.elapsed(), stage.used()? - used);
    let per_second = as_float(u64::try_from(users.len())?) / took.as_secs_f64();
    latencies.sort();
    Ok(Step { per_second, latencies, took, used })
}

impl Joins {
    /// Sends the next join when it is due, until none is left. Returns the latencies.
    async fn call(self: Arc<Self>, mut connection: Connection) -> Outcome<Vec<Duration>> {
        let mut latencies = Vec::new();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(request) = self.requests.get(number) else {
                return Ok(latencies);
            };
            let after = as_float(u64::try_from(number)?) / self.per_second;
            let due = self.begun + Duration::from_secs_f64(after);
            tokio::time::sleep_until(due.into()).await;
            let answer = connection.send(request).await?;
            if answer.status != 201 {
                let addr = self.addr;
                return Err(
                    format!("{addr} refused a join: {} {}", answer.status, answer.body).into()
                );
            }
            latencies.push(due.elapsed());
        }
    }
}

impl Step {
    fn row(&self, rate: u32, backlog: Duration) -> Row {
        let share = |used: Duration| 100.0 * used.as_secs_f64() / self.took.as_secs_f64();
        let parts = self.used.parts().map(|(name, used)| format!("{name} {:.0} %", share(used)));
        let of = |hundredth: usize| self.latencies[self.latencies.len() * hundredth / 100];
        let found = format!(
            "{:.0}/s; of one core: {}; p50 {:.1?}, p99 {:.1?}; archive behind by up to {:.1?}",
            self.per_second,
            parts.join(", "),
            of(50),
            of(99),
            backlog
        );
        Row::new(&format!("{rate} joins per second, {CALLERS} callers"), "itself", found, "")
    }
}
