//! Ends reservations that were not paid in time. No buyer waits for it: a new hold takes over
//! lapsed seats itself.

use std::collections::BTreeMap;

use super::pg;
use super::pg::TAKEOVER_AFTER;
use crate::reservation::write::Expire;
use crate::seats::service::SeatClaims;
use crate::store::StoreError;
use crate::store::id::{ScheduleId, SeatId};
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

/// Most reservations that one step ends.
const BATCH: i64 = 200;

/// The expiry loop of one process.
#[derive(Debug, Clone)]
pub struct ExpiryLoop {
    pg: Pg,
    claims: SeatClaims,
    metrics: Metrics,
}

impl ExpiryLoop {
    /// Creates the loop.
    #[must_use]
    pub fn new(pg: Pg, claims: SeatClaims, metrics: Metrics) -> Self {
        Self { pg, claims, metrics }
    }

    /// Ends up to [`BATCH`] overdue reservations. Returns true if there may be more.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let overdue = pg::overdue(&self.pg, TAKEOVER_AFTER.as_secs_f64(), BATCH).await?;
        let is_full = i64::try_from(overdue.len()).unwrap_or(BATCH) == BATCH;
        let mut by_schedule: BTreeMap<ScheduleId, Vec<SeatId>> = BTreeMap::new();
        for (schedule, seat) in overdue {
            by_schedule.entry(schedule).or_default().push(seat);
        }
        for (schedule, seats) in by_schedule {
            let ended = self.pg.transact(&Expire { schedule, seats: &seats }).await?;
            self.metrics.reservations("EXPIRED", ended.reservations);
            if let Some(change) = &ended.change {
                self.claims.deliver(change, ended.now).await;
            }
        }
        Ok(is_full)
    }
}
