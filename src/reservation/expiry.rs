//! Ending reservations that were not paid in time. Housekeeping: a new hold takes over lapsed seats
//! itself.

use std::collections::BTreeMap;

use super::pg;
use super::pg::TAKEOVER_AFTER;
use crate::reservation::write::{Decision, Expire};
use crate::seats::service::Holds;
use crate::store::StoreError;
use crate::store::id::{ScheduleId, SeatId};
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

const BATCH: i64 = 200;

/// The expiry loop of one process.
#[derive(Debug, Clone)]
pub struct Expiry {
    pg: Pg,
    holds: Holds,
    metrics: Metrics,
}

impl Expiry {
    /// Puts the loop together.
    #[must_use]
    pub fn new(pg: Pg, holds: Holds, metrics: Metrics) -> Self {
        Self { pg, holds, metrics }
    }

    /// Ends what is overdue; true where there may be more.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let overdue = pg::overdue(&self.pg, TAKEOVER_AFTER.as_secs_f64(), BATCH).await?;
        let full = i64::try_from(overdue.len()).unwrap_or(BATCH) == BATCH;
        let mut by_schedule: BTreeMap<ScheduleId, Vec<SeatId>> = BTreeMap::new();
        for (schedule, seat) in overdue {
            by_schedule.entry(schedule).or_default().push(seat);
        }
        for (schedule, seats) in by_schedule {
            let decision = Decision::default();
            let expire = Expire { schedule, seats: &seats, decision: &decision };
            let (ended, now) = self.pg.transact(&expire).await?;
            self.metrics.reservations("EXPIRED", ended);
            if let Some((id, event)) = decision.take() {
                self.holds.tell(id, &event, now).await;
            }
        }
        Ok(full)
    }
}
