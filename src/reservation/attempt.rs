//! One attempt to hold certain seats: a claim in Redis, then a hold in PostgreSQL.
//!
//! A claim keeps other buyers from the seats. So the attempt releases its claim as soon as it knows
//! that there is no hold, and keeps it only while the outcome is unknown.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::Semaphore;

use super::error::HoldError;
use super::model::{Hold, ReservationStatus};
use super::read;
use super::write::{Attempt, EndLapsed, WriteHold, read_hold_reply};
use crate::idempotency::model::{Answer, KeyError};
use crate::idempotency::service as idempotency;
use crate::queue::service::WaitingRoom;
use crate::seats::model::Claim;
use crate::seats::service::SeatClaims;
use crate::store::pg::Pg;
use crate::store::{Store, StoreError};
use crate::telemetry::Metrics;

/// Limit of concurrent transactions while Redis is unavailable. Then no claims protect PostgreSQL.
const WITHOUT_REDIS: usize = 4;
/// Longest wait for one of these transactions.
const WITHOUT_REDIS_WAIT: Duration = Duration::from_millis(500);

/// Runs attempts to hold seats. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Attempts {
    pg: Pg,
    queue: WaitingRoom,
    claims: SeatClaims,
    metrics: Metrics,
    without_redis: Arc<Semaphore>,
}

/// State of the claim before the transaction in PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claimed {
    /// This attempt made the claim, or a part of it.
    Fresh,
    /// An earlier try of the same request made the claim and may still be in progress, or Redis
    /// gave no answer.
    Earlier,
}

impl Attempts {
    /// Creates the service.
    #[must_use]
    pub fn new(pg: Pg, queue: WaitingRoom, claims: SeatClaims, metrics: Metrics) -> Self {
        let without_redis = Arc::new(Semaphore::new(WITHOUT_REDIS));
        Self { pg, queue, claims, metrics, without_redis }
    }

    /// Holds the seats with these numbers, all or none. If lapsed holds of the buyer exceed the
    /// seat limit, ends those holds and tries once more.
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

    /// Ends holds of the buyer that can no longer be paid. Returns false if there are none.
    async fn end_lapsed(&self, attempt: &Attempt<'_>) -> Result<bool, HoldError> {
        let (schedule, user) = (attempt.ticket.schedule, attempt.request.user);
        let ended = self.pg.transact(&EndLapsed { schedule, user }).await?;
        self.metrics.reservations(ReservationStatus::Expired.as_str(), ended.reservations);
        if let Some(change) = &ended.change {
            self.claims.deliver(change, ended.now).await;
        }
        Ok(ended.reservations > 0)
    }

    /// Claims the seats in Redis, then writes the hold.
    async fn claim_and_write(
        &self,
        attempt: &Attempt<'_>,
        numbers: &[u32],
    ) -> Result<Answer<Hold>, HoldError> {
        let Attempt { ticket, hold, limit, .. } = attempt;
        let is_active = || ticket.active_until > Some(Utc::now());
        let mut claim = self.claims.claim(ticket, *hold, *limit, numbers).await;
        // After a loss of Redis, looking up the ticket restores its active slot.
        let may_be_lost = || is_active() || self.queue.predates_rebuild(ticket);
        if matches!(claim, Ok(Claim::NotActive))
            && may_be_lost()
            && Box::pin(self.queue.is_active(ticket)).await?
        {
            claim = self.claims.claim(ticket, *hold, *limit, numbers).await;
        }
        let (claimed, _permit) = match claim {
            Ok(Claim::Ok { fresh: true }) => (Claimed::Fresh, None),
            Ok(Claim::Ok { fresh: false }) => (Claimed::Earlier, None),
            Ok(Claim::NotActive) => return Err(HoldError::NotActive),
            Ok(Claim::OverLimit { lapsed }) => {
                return Err(HoldError::OverLimit { limit: *limit, lapsed });
            }
            Ok(Claim::Taken { seats, repeater }) => {
                let seats = seats.into_iter().filter_map(|n| Some(attempt.layout.seat(n)?.id));
                return Err(HoldError::Taken { seats: seats.collect(), repeater });
            }
            // Without Redis, buyers whose ticket says that it is active continue, a few at a time.
            Err(StoreError::Unavailable { .. }) if is_active() => {
                let wait = self.without_redis.acquire();
                let permit = tokio::time::timeout(WITHOUT_REDIS_WAIT, wait).await;
                (Claimed::Earlier, Some(permit.map_err(|_| busy())?.map_err(|_| busy())?))
            }
            Err(error) => return Err(error.into()),
        };
        // Boxed, because in a rush most requests end before this point.
        Box::pin(self.write(attempt, numbers, claimed)).await
    }

    /// Writes the hold of the claimed seats. Releases the claim if there is no hold.
    async fn write(
        &self,
        attempt: &Attempt<'_>,
        numbers: &[u32],
        claimed: Claimed,
    ) -> Result<Answer<Hold>, HoldError> {
        let write = WriteHold { attempt, numbers };
        let called = idempotency::once_called(&self.pg, &write).await;
        let called_again = called.as_ref().is_ok_and(|called| called.again);
        let held =
            called.map_err(HoldError::from).and_then(|called| read_hold_reply(called.output));
        let keep_claim = match &held {
            Ok((answer, changed)) if !answer.replayed => {
                let seats = answer.outcome.reservations.len() as u64;
                self.metrics.held(attempt.ticket.schedule.0);
                self.metrics.reservations(ReservationStatus::PaymentWaiting.as_str(), seats);
                if let Some(change) = changed {
                    self.claims.deliver(change, answer.outcome.server_time).await;
                }
                true
            }
            // An earlier try wrote this hold. Redis may not have it yet, or it may have ended
            // since.
            Ok((answer, _)) => self.keeps_seats(attempt, &answer.outcome).await,
            // The hold may be committed, so the claim stays until it expires.
            Err(HoldError::Store(StoreError::OutcomeUnknown(_))) => true,
            // The claim may belong to the request in progress, if that asked for the same seats.
            Err(HoldError::Key(KeyError::InProgress)) => {
                called_again || claimed == Claimed::Earlier
            }
            Err(_) => false,
        };
        // Two repeats of a request for the best seats may have claimed different seats. Only those
        // of the hold stay claimed.
        let kept = |number: &u32| match &held {
            Ok((answer, _)) => {
                let mut seats = answer.outcome.reservations.iter();
                keep_claim && seats.any(|reservation| reservation.seat_number == *number)
            }
            Err(_) => keep_claim,
        };
        let released: Vec<u32> = numbers.iter().copied().filter(|number| !kept(number)).collect();
        if !released.is_empty() {
            self.claims.release(attempt.ticket.schedule, attempt.hold, &released).await;
        }
        held.map(|(answer, _)| answer)
    }

    /// Whether a hold from an earlier answer still keeps its seats. True if PostgreSQL does not
    /// answer.
    async fn keeps_seats(&self, attempt: &Attempt<'_>, hold: &Hold) -> bool {
        let found = read::pg::hold(&self.pg, attempt.request.user, hold.hold_id).await;
        let Ok((rows, now)) = found else { return true };
        let live = [ReservationStatus::PaymentWaiting, ReservationStatus::Complete];
        Hold::of(rows, now).is_some_and(|hold| live.contains(&hold.status()))
    }
}

fn busy() -> HoldError {
    let reason = "Redis is unavailable, and too many holds are in progress without it".to_owned();
    StoreError::Unavailable { store: Store::Redis, reason }.into()
}
