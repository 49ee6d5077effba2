//! One attempt to hold certain seats: a claim in Redis, a hold in PostgreSQL, and what becomes of the
//! claim.
//!
//! A claim keeps seats from everybody. So it goes as soon as it is known that no hold stands behind it,
//! and stays only while that is unknown.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::Semaphore;

use super::error::HoldError;
use super::model::{Hold, ReservationStatus};
use super::read;
use super::write::{Attempt, Decision, EndLapsed, Write, held};
use crate::idempotency::model::{Answer, KeyError};
use crate::idempotency::service as idempotency;
use crate::queue::service::Queue;
use crate::seats::model::Claim;
use crate::seats::service::Holds;
use crate::store::pg::Pg;
use crate::store::{Store, StoreError};
use crate::telemetry::Metrics;

/// Transactions at once while Redis is away and keeps nobody off PostgreSQL.
const WITHOUT_REDIS: usize = 4;
const WITHOUT_REDIS_WAIT: Duration = Duration::from_millis(500);

/// Makes attempts; cheap to clone.
#[derive(Debug, Clone)]
pub struct Attempts {
    pg: Pg,
    queue: Queue,
    holds: Holds,
    metrics: Metrics,
    without_redis: Arc<Semaphore>,
}

/// What is known of a claim when PostgreSQL is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claimed {
    /// This attempt made it, in part at least.
    Fresh,
    /// An earlier try of the same request made it, and may still be in progress; or Redis gave no
    /// answer.
    Before,
}

impl Attempts {
    /// Puts the service together.
    #[must_use]
    pub fn new(pg: Pg, queue: Queue, holds: Holds, metrics: Metrics) -> Self {
        let without_redis = Arc::new(Semaphore::new(WITHOUT_REDIS));
        Self { pg, queue, holds, metrics, without_redis }
    }

    /// Holds the seats with these numbers, all or none. Holds of the buyer that are past their end
    /// are ended first where they stand in the way of the limit.
    pub async fn hold(
        &self,
        attempt: &Attempt<'_>,
        numbers: &[u32],
    ) -> Result<Answer<Hold>, HoldError> {
        match self.claim_and_write(attempt, numbers).await {
            Err(HoldError::OverLimit { lapsed: true, .. }) if self.end_lapsed(attempt).await? => {
                self.claim_and_write(attempt, numbers).await
            }
            other => other,
        }
    }

    /// Ends holds of the buyer that can't be paid any more; false where there are none.
    async fn end_lapsed(&self, attempt: &Attempt<'_>) -> Result<bool, HoldError> {
        let decision = Decision::default();
        let (schedule, user) = (attempt.ticket.schedule, attempt.request.user);
        let end = EndLapsed { schedule, user, decision: &decision };
        let (ended, now) = self.pg.transact(&end).await?;
        self.metrics.reservations(ReservationStatus::Expired.as_str(), ended);
        if let Some((id, event)) = decision.take() {
            self.holds.tell(id, &event, now).await;
        }
        Ok(ended > 0)
    }

    async fn claim_and_write(
        &self,
        attempt: &Attempt<'_>,
        numbers: &[u32],
    ) -> Result<Answer<Hold>, HoldError> {
        let Attempt { ticket, hold, limit, .. } = attempt;
        let inside = || ticket.active_until > Some(Utc::now());
        let mut claim = self.holds.claim(ticket, *hold, *limit, numbers).await;
        // A slot that a loss of Redis took along is back once its owner is asked for.
        let lost = || inside() || self.queue.predates_rebuild(ticket);
        if matches!(claim, Ok(Claim::NotActive))
            && lost()
            && Box::pin(self.queue.is_active(ticket)).await?
        {
            claim = self.holds.claim(ticket, *hold, *limit, numbers).await;
        }
        let (claimed, _permit) = match claim {
            Ok(Claim::Ok { fresh: true }) => (Claimed::Fresh, None),
            Ok(Claim::Ok { fresh: false }) => (Claimed::Before, None),
            Ok(Claim::NotActive) => return Err(HoldError::NotActive),
            Ok(Claim::OverLimit { lapsed }) => {
                return Err(HoldError::OverLimit { limit: *limit, lapsed });
            }
            Ok(Claim::Taken { seats, repeater }) => {
                let seats = seats.into_iter().filter_map(|n| Some(attempt.layout.seat(n)?.id));
                return Err(HoldError::Taken { seats: seats.collect(), repeater });
            }
            // Whoever is inside by their ticket goes on, a few at a time.
            Err(StoreError::Unavailable { .. }) if inside() => {
                let wait = self.without_redis.acquire();
                let permit = tokio::time::timeout(WITHOUT_REDIS_WAIT, wait).await;
                (Claimed::Before, Some(permit.map_err(|_| busy())?.map_err(|_| busy())?))
            }
            Err(error) => return Err(error.into()),
        };
        // Boxed: most of those who try in a rush come no further than this.
        Box::pin(self.write(attempt, numbers, claimed)).await
    }

    /// Makes a hold of what is claimed.
    async fn write(
        &self,
        attempt: &Attempt<'_>,
        numbers: &[u32],
        claimed: Claimed,
    ) -> Result<Answer<Hold>, HoldError> {
        let write = Write { attempt, numbers };
        let called = idempotency::once_called(&self.pg, &write).await;
        let again = called.as_ref().is_ok_and(|called| called.again);
        let held = called.map_err(HoldError::from).and_then(|called| held(called.output));
        let stays = match &held {
            Ok((answer, changed)) if !answer.replayed => {
                let seats = answer.outcome.reservations.len() as u64;
                self.metrics.held();
                self.metrics.reservations(ReservationStatus::PaymentWaiting.as_str(), seats);
                if let Some((id, event)) = changed {
                    self.holds.tell(*id, event, answer.outcome.server_time).await;
                }
                true
            }
            // Held by an earlier try, of which Redis may not have heard yet; or ended since.
            Ok((answer, _)) => self.stands(attempt, &answer.outcome).await,
            // Perhaps committed: the claim is left alone, and lapses.
            Err(HoldError::Store(StoreError::OutcomeUnknown(_))) => true,
            // The claim is that of the request in progress, where that asked for the same.
            Err(HoldError::Key(KeyError::InProgress)) => again || claimed == Claimed::Before,
            Err(_) => false,
        };
        if !stays {
            self.holds.give_up(attempt.ticket.schedule, attempt.hold, numbers).await;
        }
        held.map(|(answer, _)| answer)
    }

    /// Whether a hold that was answered before still keeps its seats; true where PostgreSQL does not
    /// tell.
    async fn stands(&self, attempt: &Attempt<'_>, hold: &Hold) -> bool {
        let found = read::pg::hold(&self.pg, attempt.request.user, hold.hold_id).await;
        let Ok((rows, now)) = found else { return true };
        let keeps = [ReservationStatus::PaymentWaiting, ReservationStatus::Complete];
        Hold::of(rows, now).is_some_and(|hold| keeps.contains(&hold.status()))
    }
}

fn busy() -> HoldError {
    let reason = "Redis is away, and too many hold without it".to_owned();
    StoreError::Unavailable { store: Store::Redis, reason }.into()
}
