//! Holding seats: a claim in Redis, then rows in PostgreSQL, then Redis is told.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::attempt::Attempts;
use super::error::HoldError;
use super::model::{Best, Hold, Reservation, ReservationStatus, Wanted};
use super::pick::pick;
use super::read;
use super::write::{Attempt, Decision, Release};
use crate::board::service::Boards;
use crate::concert::model::{ConcertStatus, Schedule};
use crate::concert::service::Catalogue;
use crate::idempotency::model::{Answer, Request};
use crate::idempotency::service as idempotency;
use crate::pagination::{Page, Paging};
use crate::queue::model::Ticket;
use crate::queue::service::{Queue, QueueError};
use crate::rate_limit::{RateLimitPolicy, RateLimiter};
use crate::seats::model::hold_id;
use crate::seats::service::Holds;
use crate::store::id::{ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

/// How often best available tries its next choice when a race took a seat of the last one.
const TRIES: usize = 40;
/// After so many lost races others are left their first choice.
const CROWDED: usize = 4;

/// Tries to hold per user: enough for anybody who picks by hand, too little to keep PostgreSQL busy.
const HOLDS: RateLimitPolicy = RateLimitPolicy {
    name: "holds",
    quota: NonZeroU32::MIN.saturating_add(199),
    window: Duration::from_secs(4),
};

/// Reservations as a service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Reservations {
    pg: Pg,
    boards: Boards,
    catalogue: Catalogue,
    queue: Queue,
    holds: Holds,
    attempts: Attempts,
    metrics: Metrics,
    tries: Arc<RateLimiter<i64>>,
}

impl Reservations {
    /// Puts the service together.
    #[must_use]
    pub fn new(
        pg: Pg,
        boards: Boards,
        catalogue: Catalogue,
        queue: Queue,
        holds: Holds,
        metrics: Metrics,
    ) -> Self {
        let attempts = Attempts::new(pg.clone(), queue.clone(), holds.clone(), metrics.clone());
        let tries = Arc::new(RateLimiter::new(HOLDS));
        Self { pg, boards, catalogue, queue, holds, attempts, metrics, tries }
    }

    /// Holds seats for the owner of an active ticket, all or none, once per key.
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
                idempotency::replay(&self.pg, request).await?.ok_or(refusal)
            }
            other => other,
        }
    }

    async fn try_hold(
        &self,
        ticket: Ticket,
        schedule: ScheduleId,
        request: &Request,
        wanted: &Wanted,
    ) -> Result<Answer<Hold>, HoldError> {
        let sale = self.catalogue.schedule(schedule).await?;
        self.on_sale(&sale).await?;
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
                self.attempts.hold(&attempt, &numbers).await
            }
            Wanted::Best(best) => {
                if best.quantity > usize::try_from(limit).unwrap_or(usize::MAX) {
                    return Err(HoldError::OverLimit { limit, lapsed: false });
                }
                self.best(&attempt, best).await
            }
        }
    }

    /// Refuses early what PostgreSQL would refuse: by its clock, since this machine's may be wrong.
    async fn on_sale(&self, sale: &Schedule) -> Result<(), HoldError> {
        if sale.concert_status == ConcertStatus::Unavailable {
            return Err(HoldError::ConcertUnavailable);
        }
        let on = |now: DateTime<Utc>| {
            if now < sale.reservation_available_at {
                Err(HoldError::NotOpen)
            } else if now >= sale.deadline_at {
                Err(HoldError::Closed)
            } else {
                Ok(())
            }
        };
        if on(Utc::now()).is_ok() {
            return Ok(());
        }
        let mut tx = self.pg.begin().await?;
        on(read::pg::clock(&mut tx).await?)
    }

    /// Tries the best choice, and the next best when a race took a seat of it.
    async fn best(&self, attempt: &Attempt<'_>, best: &Best) -> Result<Answer<Hold>, HoldError> {
        // A repeat must not pick other seats than the first try did.
        if let Some(answer) = idempotency::replay(&self.pg, attempt.request).await? {
            return Ok(answer);
        }
        let mut lost = HashSet::new();
        // Seats before this one are left to others: many pick at once, and all would pick the same.
        let mut from = 0;
        for round in 0..TRIES {
            let board = self.boards.get(attempt.ticket.schedule).await?;
            let free = |number| board.seats.state(number) == 0 && !lost.contains(&number);
            let choice = pick(&attempt.layout, best, |number| number >= from && free(number))
                .or_else(|| pick(&attempt.layout, best, free));
            let Some(numbers) = choice else { break };
            match self.attempts.hold(attempt, &numbers).await {
                Err(HoldError::Taken { seats, .. }) => {
                    lost.extend(seats.iter().filter_map(|seat| attempt.layout.number(*seat)));
                    if round >= CROWDED {
                        let step = best.quantity << (round - CROWDED).min(6);
                        let step = u32::try_from(step).unwrap_or(0);
                        from = numbers.first().copied().unwrap_or(0).saturating_add(step);
                    }
                }
                other => return other,
            }
        }
        Err(HoldError::NotEnough)
    }

    /// Gives a hold back: every seat of it is free when this returns. Repeating it changes nothing.
    pub async fn release(&self, user: UserId, hold: Uuid) -> Result<(), HoldError> {
        let decision = Decision::default();
        let release = Release { user, hold, decision: &decision };
        let (released, now) = self.pg.transact(&release).await?;
        self.metrics.reservations(ReservationStatus::Cancelled.as_str(), released);
        self.tell(&decision, now).await;
        Ok(())
    }

    /// Counts a hold in a schedule that was refused with the problem `code`.
    pub fn refused(&self, schedule: ScheduleId, code: &'static str) {
        self.metrics.hold_refused(schedule.0, code);
    }

    async fn tell(&self, decision: &Decision, now: DateTime<Utc>) {
        if let Some((id, event)) = decision.take() {
            self.holds.tell(id, &event, now).await;
        }
    }

    /// A user's hold.
    pub async fn find_hold(&self, user: UserId, hold: Uuid) -> Result<Hold, HoldError> {
        let (rows, now) = read::pg::hold(&self.pg, user, hold).await?;
        Hold::of(rows, now).ok_or(HoldError::NoHold)
    }

    /// One of a user's reservations.
    pub async fn find(&self, user: UserId, id: ReservationId) -> Result<Reservation, HoldError> {
        read::pg::one(&self.pg, user, id).await?.ok_or(HoldError::NoReservation)
    }

    /// A user's reservations, newest first.
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
