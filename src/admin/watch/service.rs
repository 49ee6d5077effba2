//! Reads the front of a queue, and checks stores and loops.

use std::time::{Duration, Instant};

use chrono::Utc;

use super::model::{Health, LoopHealth, StoreHealth};
use crate::admin::error::AdminError;
use crate::concert::service::Catalogue;
use crate::queue::keyspaces::Keyspaces;
use crate::queue::next::{self, NextInQueue};
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

/// Longest wait for a store's answer.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

/// Shows what an operator watches during a sale; cheap to clone.
#[derive(Debug, Clone)]
pub struct SaleWatch {
    pg: Pg,
    catalogue: Catalogue,
    keyspaces: Keyspaces,
    metrics: Metrics,
    allow_drill: bool,
}

impl SaleWatch {
    /// Creates the service.
    #[must_use]
    pub fn new(
        pg: Pg,
        catalogue: Catalogue,
        keyspaces: Keyspaces,
        metrics: Metrics,
        allow_drill: bool,
    ) -> Self {
        Self { pg, catalogue, keyspaces, metrics, allow_drill }
    }

    /// Reads who is admitted next to a sale, and what blocks admission.
    pub async fn front(&self, id: ScheduleId) -> Result<NextInQueue, AdminError> {
        if self.catalogue.schedule(id).await?.hidden.removing {
            return Err(AdminError::BeingRemoved);
        }
        Ok(next::front(&self.keyspaces, id).await?)
    }

    /// Checks this process and its stores. Answers also while a store does not.
    pub async fn health(&self) -> Health {
        let redis = ping("redis", self.keyspaces.redis().ping());
        let postgresql = ping("postgresql", self.pg.ping());
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
            connections: self.pg.size(),
            connections_idle: u32::try_from(self.pg.idle()).unwrap_or(u32::MAX),
            drill_allowed: self.allow_drill,
            version: env!("CARGO_PKG_VERSION"),
            server_time: Utc::now(),
        }
    }
}

/// Pings a store and measures the time.
async fn ping(
    store: &'static str,
    ping: impl Future<Output = Result<(), StoreError>>,
) -> StoreHealth {
    let begun = Instant::now();
    let up = matches!(tokio::time::timeout(PING_TIMEOUT, ping).await, Ok(Ok(())));
    let answer_ms = up.then(|| begun.elapsed().as_secs_f64() * 1e3);
    StoreHealth { store, up, answer_ms }
}
