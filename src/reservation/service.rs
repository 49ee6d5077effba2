//! Holds seats: a claim in Redis, then reservations in PostgreSQL, then the new state in Redis.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::attempt::Attempts;
use super::best::choice::SeatChoices;
use super::best::hold::hold_best;
use super::error::HoldError;
use super::model::{Hold, Reservation, ReservationStatus, Wanted};
use super::read;
use super::write::{Attempt, Release};
use crate::board::service::Boards;
use crate::concert::model::{ConcertStatus, Schedule};
use crate::concert::service::Catalogue;
use crate::idempotency::model::{Answer, KeyError, Request};
use crate::idempotency::service as idempotency;
use crate::pagination::{Page, Paging};
use crate::queue::model::Ticket;
use crate::queue::service::{QueueError, WaitingRoom};
use crate::rate_limit::{RateLimitPolicy, RateLimiter};
use crate::seats::model::hold_id;
use crate::seats::service::SeatClaims;
use crate::store::id::{ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::{Pg, clock};
use crate::telemetry::Metrics;

/// Rate limit of attempts to hold per user. It is enough for choosing by hand, and too low to keep
/// PostgreSQL busy.
const HOLDS: RateLimitPolicy = RateLimitPolicy {
    name: "holds",
    quota: NonZeroU32::MIN.saturating_add(199),
    window: Duration::from_secs(4),
};

/// Reservations as a service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reservations {
    pg: Pg,
    choices: SeatChoices,
    catalogue: Catalogue,
    queue: WaitingRoom,
    claims: SeatClaims,
    attempts: Attempts,
    metrics: Metrics,
    tries: Arc<RateLimiter<i64>>,
}

impl Reservations {
    /// Creates the service.
    #[must_use]
    pub fn new(
        pg: Pg,
        boards: Boards,
        catalogue: Catalogue,
        queue: WaitingRoom,
        claims: SeatClaims,
        metrics: Metrics,
    ) -> Self {
        let attempts = Attempts::new(pg.clone(), queue.clone(), claims.clone(), metrics.clone());
        let tries = Arc::new(RateLimiter::new(HOLDS));
        let choices = SeatChoices::new(boards);
        Self { pg, choices, catalogue, queue, claims, attempts, metrics, tries }
    }

    /// The choices of best available seats.
    #[must_use]
    pub fn choices(&self) -> &SeatChoices {
        &self.choices
    }

    /// Holds seats for the owner of an active ticket, all or none, once per idempotency key.
    pub async fn hold(
        &self,
        token: &str,
        schedule: ScheduleId,
        request: &Request,
        wanted: &Wanted,
    ) -> Result<Answer<Hold>, HoldError> {
        let ticket = self.queue.verify(token, request.user).await?;
        self.tries.take(&request.user.0).map_err(QueueError::from)?;
        match self.try_hold(ticket, schedule, request, wanted).await {
            Err(refusal) if refusal.may_hide_success() => {
                self.earlier_answer(schedule, request, refusal).await
            }
            other => other,
        }
    }

    /// The answer of an earlier request under the same key, instead of `refusal`.
    ///
    /// # Errors
    /// [`KeyError::InProgress`] while that request has claims and no answer yet; `refusal` where
    /// there is no such request.
    async fn earlier_answer(
        &self,
        schedule: ScheduleId,
        request: &Request,
        refusal: HoldError,
    ) -> Result<Answer<Hold>, HoldError> {
        // A request for given seats that is still in progress has claimed these seats itself, so
        // they are not taken: most refusals of a rush need no call of Redis.
        let may_be_claiming = !matches!(refusal, HoldError::Taken { .. });
        // Claims first: a request that commits between the two calls has left an answer.
        let hold = hold_id(schedule, request);
        let claiming = may_be_claiming
            && self.claims.is_claiming(schedule, request.user, hold).await.unwrap_or(false);
        if let Some(answer) = idempotency::replay(&self.pg, request).await? {
            return Ok(answer);
        }
        // With Redis down the refusal stands: it did not come from claims.
        if claiming { Err(KeyError::InProgress.into()) } else { Err(refusal) }
    }

    async fn try_hold(
        &self,
        ticket: Ticket,
        schedule: ScheduleId,
        request: &Request,
        wanted: &Wanted,
    ) -> Result<Answer<Hold>, HoldError> {
        let sale = self.catalogue.schedule(schedule).await?;
        self.check_on_sale(&sale).await?;
        if ticket.schedule != schedule {
            return Err(HoldError::NotActive);
        }
        let limit = sale.settings.max_seats_per_user;
        let layout = self.catalogue.layout_of(&sale).await?;
        let hold = hold_id(schedule, request);
        let attempt = Attempt { request, ticket, layout, limit, hold };
        match wanted {
            Wanted::Seats(seats) => {
                if seats.len() > usize::try_from(limit).unwrap_or(usize::MAX) {
                    return Err(HoldError::OverLimit { limit, lapsed: false });
                }
                let number = |seat: &SeatId| attempt.layout.number(*seat).ok_or(HoldError::NoSeat);
                let numbers = seats.iter().map(number).collect::<Result<Vec<u32>, _>>()?;
                let held = self.attempts.hold(&attempt, &numbers).await;
                if held.is_ok() {
                    self.choices.note_held(schedule, &numbers);
                }
                held
            }
            Wanted::Best(best) => {
                if best.quantity > usize::try_from(limit).unwrap_or(usize::MAX) {
                    return Err(HoldError::OverLimit { limit, lapsed: false });
                }
                // Boxed, so that a hold of named seats does not carry it along.
                Box::pin(hold_best(&self.attempts, &self.choices, &attempt, best)).await
            }
        }
    }

    /// Refuses early what PostgreSQL would refuse. Uses its clock, since this machine's may be
    /// wrong.
    async fn check_on_sale(&self, sale: &Schedule) -> Result<(), HoldError> {
        if sale.concert_status == ConcertStatus::Unavailable {
            return Err(HoldError::ConcertUnavailable);
        }
        let check = |now: DateTime<Utc>| {
            if now < sale.reservation_available_at {
                Err(HoldError::NotOpen)
            } else if now >= sale.deadline_at {
                Err(HoldError::Closed)
            } else {
                Ok(())
            }
        };
        if check(Utc::now()).is_ok() {
            return Ok(());
        }
        let mut tx = self.pg.begin_read("read_clock").await?;
        check(clock(tx.conn()).await?)
    }

    /// Releases a hold. All its seats are free when this returns. Repeating it changes nothing.
    pub async fn release(&self, user: UserId, hold: Uuid) -> Result<(), HoldError> {
        let ended = self.pg.transact(&Release { user, hold }).await?;
        self.metrics.reservations(ReservationStatus::Cancelled.as_str(), ended.reservations);
        if let Some(change) = &ended.change {
            self.claims.deliver(change, ended.now).await;
        }
        Ok(())
    }

    /// Counts a rejected hold in a schedule. `code` is the code of the problem.
    pub fn refused(&self, schedule: ScheduleId, code: &'static str) {
        self.metrics.hold_refused(schedule.0, code);
    }

    /// Reads one of a user's holds.
    pub async fn find_hold(&self, user: UserId, hold: Uuid) -> Result<Hold, HoldError> {
        let (rows, now) = read::pg::hold(&self.pg, user, hold).await?;
        Hold::of(rows, now).ok_or(HoldError::NoHold)
    }

    /// Reads one of a user's reservations.
    pub async fn find(&self, user: UserId, id: ReservationId) -> Result<Reservation, HoldError> {
        read::pg::one(&self.pg, user, id).await?.ok_or(HoldError::NoReservation)
    }

    /// Lists a user's reservations, newest first.
    pub async fn list(
        &self,
        user: UserId,
        status: Option<ReservationStatus>,
        paging: Paging,
    ) -> Result<Page<Reservation>, HoldError> {
        let rows = read::pg::list(&self.pg, user, status, paging).await?;
        Ok(paging.page(rows, |reservation| reservation.id.0))
    }
}
