//! Makes faults one after the other, and heals each of them.

use std::collections::BTreeMap;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::sleep;

use crate::history::{History, Moment};
use crate::plan::{Fault, Kind};
use crate::stage::Stage;
use crate::support::disk;
use crate::support::proxy::{Mode, Proxy};
use crate::support::wait::until;

/// Percentage of answers to clients that are lost during the whole run.
pub const LOST_ANSWERS: u64 = 3;

/// A fault that happened.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub kind: Kind,
    pub from: Moment,
    /// When it was healed.
    pub to: Moment,
}

/// How often each kind of fault happened.
pub fn count(spans: &[Span]) -> BTreeMap<Kind, usize> {
    let mut counts = BTreeMap::new();
    for span in spans {
        *counts.entry(span.kind).or_default() += 1;
    }
    counts
}

/// Makes faults until `seconds` have passed; then everything is healed.
pub async fn make_faults(
    stage: &mut Stage,
    history: &History,
    plan: impl Iterator<Item = Fault>,
    seconds: u64,
) -> Vec<Span> {
    let mut spans = Vec::new();
    for process in &stage.processes {
        process.client_proxy.set(Mode::Lose(LOST_ANSWERS));
    }
    for fault in plan {
        sleep(fault.calm).await;
        if history.seconds() >= seconds {
            break;
        }
        let from = history.now();
        stage.apply(&fault).await;
        spans.push(Span { kind: fault.kind, from, to: history.now() });
    }
    for process in &stage.processes {
        process.client_proxy.set(Mode::Pass);
    }
    spans
}

impl Stage {
    /// Makes a fault, waits as long as it lasts, and heals it.
    async fn apply(&mut self, fault: &Fault) {
        match fault.kind {
            Kind::RedisWiped
            | Kind::RedisEmpty
            | Kind::RedisOlder
            | Kind::RedisRestarted
            | Kind::RedisPaused
            | Kind::RedisFull
            | Kind::NodeKilled
            | Kind::NodePaused => self.apply_to_redis(fault).await,
            Kind::PostgresKilled | Kind::BackendKilled | Kind::PostgresPaused | Kind::DiskFull => {
                self.apply_to_postgres(fault).await;
            }
            Kind::OnsaleKilled | Kind::OnsaleDrained | Kind::OnsalePaused => {
                self.apply_to_process(fault).await;
            }
            _ => self.apply_to_network(fault).await,
        }
    }

    async fn apply_to_postgres(&mut self, fault: &Fault) {
        match fault.kind {
            Kind::PostgresKilled => {
                self.postgres.kill().await.expect("it ends");
                sleep(fault.lasts / 4).await;
                self.postgres.restart().await.expect("it starts");
            }
            Kind::PostgresPaused => {
                self.postgres.pause();
                sleep(fault.lasts).await;
                self.postgres.resume();
            }
            Kind::DiskFull => {
                disk::fill(&self.postgres).await;
                sleep(fault.lasts).await;
                self.postgres.kill().await.expect("it ends");
                self.postgres.restart().await.expect("it starts");
            }
            _ => {
                let backends = "select pid from pg_stat_activity where pid <> pg_backend_pid()
                                and backend_type = 'client backend' order by pid";
                let pids: Vec<i32> =
                    sqlx::query_scalar(backends).fetch_all(&self.pool).await.unwrap_or_default();
                if let Some(pid) = pids.get(chosen(fault, pids.len())) {
                    // The backend may have ended by itself.
                    let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
                }
                sleep(fault.lasts / 4).await;
                until("PostgreSQL has recovered", async || {
                    sqlx::query("select 1").execute(&self.pool).await.ok()
                })
                .await;
            }
        }
    }

    async fn apply_to_process(&mut self, fault: &Fault) {
        let node = &mut self.processes[fault.process].node;
        match fault.kind {
            Kind::OnsalePaused => {
                node.pause();
                sleep(fault.lasts).await;
                node.resume();
            }
            Kind::OnsaleDrained => {
                node.drain().await;
                node.start().await;
            }
            _ => {
                node.kill().await;
                sleep(fault.lasts / 4).await;
                node.start().await;
            }
        }
    }

    async fn apply_to_network(&mut self, fault: &Fault) {
        let at = &self.processes[fault.process];
        let hole = if fault.choice.is_multiple_of(2) { Mode::HoleUp } else { Mode::HoleDown };
        let slow = Mode::Delay(Duration::from_millis(50 + fault.choice % 150));
        let redis = |mode| at.redis.iter().map(move |proxy| (proxy, mode)).collect::<Vec<_>>();
        let faults: Vec<(&Proxy, Mode)> = match fault.kind {
            Kind::RedisCut => redis(Mode::Refuse),
            Kind::RedisHole => redis(hole),
            Kind::RedisAnswersLost => redis(Mode::Lose(20)),
            Kind::PostgresCut => vec![(&at.postgres, Mode::Refuse)],
            Kind::PostgresHole => vec![(&at.postgres, hole)],
            Kind::PostgresAnswersLost => vec![(&at.postgres, Mode::Lose(20))],
            Kind::ClientsCut => vec![(&at.client_proxy, Mode::Refuse)],
            _ => redis(slow).into_iter().chain([(&at.postgres, slow)]).collect(),
        };
        for (proxy, mode) in &faults {
            proxy.set(*mode);
        }
        sleep(fault.lasts).await;
        for (proxy, _) in faults {
            proxy.set(Mode::Pass);
        }
        at.client_proxy.set(Mode::Lose(LOST_ANSWERS));
    }
}

/// The index below `of` that the fault selects.
pub fn chosen(fault: &Fault, of: usize) -> usize {
    usize::try_from(fault.choice % (of as u64).max(1)).expect("an index")
}
