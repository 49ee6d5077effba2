//! Asking the front of a line, the stores, and the loops.

use std::time::{Duration, Instant};

use chrono::Utc;

use super::model::{Health, LoopHealth, StoreHealth};
use crate::admin::error::AdminError;
use crate::admin::service::AdminService;
use crate::queue::next::Front;
use crate::store::StoreError;
use crate::store::id::ScheduleId;

/// How long a store is waited for.
const LIMIT: Duration = Duration::from_secs(1);

impl AdminService {
    /// Who is let in next in the line of a schedule, and why nobody is.
    pub async fn front(&self, id: ScheduleId) -> Result<Front, AdminError> {
        self.catalogue.schedule(id).await?;
        Ok(self.lines.front(id).await?)
    }

    /// How this process and its stores are. Answers also where a store doesn't.
    pub async fn health(&self) -> Health {
        let redis = asked("redis", self.lines.redis().ping());
        let postgresql = asked("postgresql", self.pg.ping());
        let (redis, postgresql) = tokio::join!(redis, postgresql);
        let stores = vec![redis, postgresql];
        let rounds = self.metrics.rounds();
        let loops: Vec<LoopHealth> =
            rounds.iter().map(|(name, round)| LoopHealth::of(name, round)).collect();
        let well = stores.iter().all(|store| store.up)
            && loops.iter().all(|round| !round.failed && !round.late);
        let (outbox_waiting, outbox_parked) = self.metrics.outbox_seen();
        Health {
            well,
            stores,
            loops,
            outbox_waiting,
            outbox_parked,
            connections: self.pg.pool().size(),
            connections_idle: u32::try_from(self.pg.pool().num_idle()).unwrap_or(u32::MAX),
            version: env!("CARGO_PKG_VERSION"),
            server_time: Utc::now(),
        }
    }
}

async fn asked(
    store: &'static str,
    ping: impl Future<Output = Result<(), StoreError>>,
) -> StoreHealth {
    let begun = Instant::now();
    let up = matches!(tokio::time::timeout(LIMIT, ping).await, Ok(Ok(())));
    let answer_ms = up.then(|| begun.elapsed().as_secs_f64() * 1e3);
    StoreHealth { store, up, answer_ms }
}
