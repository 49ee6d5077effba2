//! Making faults, one after the other, and healing them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::sleep;

use crate::history::{History, Moment};
use crate::plan::{Fault, Kind};
use crate::stage::Stage;
use crate::support::proxy::{Mode, Proxy};
use crate::support::wait::until;

/// How many of a hundred answers to clients are lost, all the time.
pub const LOST_ANSWERS: u64 = 3;

/// A fault that was made.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub kind: Kind,
    pub from: Moment,
    /// When it was healed.
    pub to: Moment,
}

/// How often each kind came up.
pub fn count(spans: &[Span]) -> BTreeMap<Kind, usize> {
    let mut counts = BTreeMap::new();
    for span in spans {
        *counts.entry(span.kind).or_default() += 1;
    }
    counts
}

/// Makes faults until `seconds` have passed, then leaves everything whole.
pub async fn rage(
    stage: &mut Stage,
    history: &History,
    plan: impl Iterator<Item = Fault>,
    seconds: u64,
) -> Vec<Span> {
    let mut spans = Vec::new();
    for process in &stage.processes {
        process.gate.set(Mode::Lose(LOST_ANSWERS));
    }
    for fault in plan {
        sleep(fault.calm).await;
        if history.seconds() >= seconds {
            break;
        }
        let from = history.now();
        stage.suffer(&fault).await;
        spans.push(Span { kind: fault.kind, from, to: history.now() });
    }
    for process in &stage.processes {
        process.gate.set(Mode::Pass);
    }
    spans
}

impl Stage {
    /// Makes a fault, waits as long as it is to last, and heals it.
    async fn suffer(&mut self, fault: &Fault) {
        match fault.kind {
            Kind::RedisWiped
            | Kind::RedisEmpty
            | Kind::RedisOlder
            | Kind::RedisRestarted
            | Kind::RedisPaused
            | Kind::RedisFull => self.suffer_redis(fault).await,
            Kind::PostgresKilled | Kind::BackendKilled | Kind::PostgresPaused => {
                self.suffer_postgres(fault).await;
            }
            Kind::OnsaleKilled | Kind::OnsaleDrained | Kind::OnsalePaused => {
                self.suffer_process(fault).await;
            }
            _ => self.suffer_network(fault).await,
        }
    }

    async fn suffer_redis(&mut self, fault: &Fault) {
        match fault.kind {
            Kind::RedisWiped => self.tell_redis(&["FLUSHALL"]).await,
            Kind::RedisPaused => {
                self.stores.redis.pause();
                sleep(fault.lasts).await;
                self.stores.redis.resume();
            }
            Kind::RedisFull => {
                self.tell_redis(&["CONFIG", "SET", "maxmemory", "1"]).await;
                sleep(fault.lasts).await;
                self.tell_redis(&["CONFIG", "SET", "maxmemory", "0"]).await;
            }
            _ => self.restart_redis(fault).await,
        }
    }

    async fn restart_redis(&mut self, fault: &Fault) {
        let file = self.redis_file().await;
        if fault.kind != Kind::RedisEmpty {
            self.tell_redis(&["SAVE"]).await;
        }
        if fault.kind == Kind::RedisOlder {
            sleep(Duration::from_millis(500 + fault.choice % 1500)).await;
        }
        self.stores.redis.kill().await.expect("it ends");
        if fault.kind == Kind::RedisEmpty && file.exists() {
            std::fs::remove_file(&file).expect("its file goes");
        }
        sleep(fault.lasts / 4).await;
        self.stores.redis.restart().await.expect("it starts");
    }

    async fn redis_file(&self) -> PathBuf {
        let mut redis = self.redis().await;
        let mut ask = redis::cmd("CONFIG");
        let found: (String, String) =
            ask.arg("GET").arg("dir").query_async(&mut redis).await.expect("its folder");
        PathBuf::from(found.1).join("dump.rdb")
    }

    async fn tell_redis(&self, words: &[&str]) {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async::<()>(&mut self.redis().await).await.expect("Redis obeys");
    }

    async fn suffer_postgres(&mut self, fault: &Fault) {
        match fault.kind {
            Kind::PostgresKilled => {
                self.stores.postgres.kill().await.expect("it ends");
                sleep(fault.lasts / 4).await;
                self.stores.postgres.restart().await.expect("it starts");
            }
            Kind::PostgresPaused => {
                self.stores.postgres.pause();
                sleep(fault.lasts).await;
                self.stores.postgres.resume();
            }
            _ => {
                let backends = "select pid from pg_stat_activity where pid <> pg_backend_pid()
                                and backend_type = 'client backend' order by pid";
                let pids: Vec<i32> =
                    sqlx::query_scalar(backends).fetch_all(&self.pool).await.unwrap_or_default();
                if let Some(pid) = pids.get(chosen(fault, pids.len())) {
                    // It may have ended by itself since.
                    let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
                }
                sleep(fault.lasts / 4).await;
                until("PostgreSQL has started over", async || {
                    sqlx::query("select 1").execute(&self.pool).await.ok()
                })
                .await;
            }
        }
    }

    async fn suffer_process(&mut self, fault: &Fault) {
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

    async fn suffer_network(&mut self, fault: &Fault) {
        let at = &self.processes[fault.process];
        let hole = if fault.choice.is_multiple_of(2) { Mode::HoleUp } else { Mode::HoleDown };
        let slow = Mode::Delay(Duration::from_millis(50 + fault.choice % 150));
        let faults: &[(&Proxy, Mode)] = match fault.kind {
            Kind::RedisCut => &[(&at.redis, Mode::Refuse)],
            Kind::RedisHole => &[(&at.redis, hole)],
            Kind::RedisAnswersLost => &[(&at.redis, Mode::Lose(20))],
            Kind::PostgresCut => &[(&at.postgres, Mode::Refuse)],
            Kind::PostgresHole => &[(&at.postgres, hole)],
            Kind::PostgresAnswersLost => &[(&at.postgres, Mode::Lose(20))],
            Kind::ClientsCut => &[(&at.gate, Mode::Refuse)],
            _ => &[(&at.redis, slow), (&at.postgres, slow)],
        };
        for (proxy, mode) in faults {
            proxy.set(*mode);
        }
        sleep(fault.lasts).await;
        for (proxy, _) in faults {
            proxy.set(Mode::Pass);
        }
        at.gate.set(Mode::Lose(LOST_ANSWERS));
    }
}

fn chosen(fault: &Fault, of: usize) -> usize {
    usize::try_from(fault.choice % (of as u64).max(1)).expect("an index")
}
