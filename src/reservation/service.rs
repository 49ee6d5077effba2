//! Holding seats: a claim in Redis, then rows in PostgreSQL, then Redis is told.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::error::HoldError;
use super::model::{Best, Hold, Reservation, ReservationStatus, Wanted};
use super::pick::pick;
use super::read;
use super::write::{Decision, Release, Write, held};
use crate::board::service::Boards;
use crate::concert::model::{ConcertStatus, Layout, Schedule};
use crate::concert::service::Catalogue;
use crate::hold::model::{Claim, hold_id};
use crate::hold::service::Holds;
use crate::http::guard::allowance::{Allowance, Policy};
use crate::http::page::{Page, Paging};
use crate::idempotency::model::{Answer, Request};
use crate::idempotency::service as idempotency;
use crate::queue::model::Ticket;
use crate::queue::service::{Queue, QueueError};
use crate::store::id::{ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::Pg;
use crate::store::{Store, StoreError};
use crate::telemetry::Metrics;

/// How often best available tries its next choice when a race took a seat of the last one.
const TRIES: usize = 40;
/// After so many lost races others are left their first choice.
const CROWDED: usize = 4;
/// Transactions at once while Redis is away and keeps nobody off PostgreSQL.
const WITHOUT_REDIS: usize = 4;
const WITHOUT_REDIS_WAIT: Duration = Duration::from_millis(500);

/// Tries to hold per user: enough for anybody who picks by hand, too little to keep PostgreSQL busy.
const HOLDS: Policy = Policy {
    name: "holds",
    most: NonZeroU32::MIN.saturating_add(199),
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
    metrics: Metrics,
    without_redis: Arc<Semaphore>,
    tries: Arc<Allowance<i64>>,
}

/// One attempt to hold: everything that stays the same over its tries.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// Who asks, under which key.
    pub request: &'a Request,
    /// The place they hold from.
    pub ticket: Ticket,
    /// The seats there are.
    pub layout: Arc<Layout>,
    /// The hold it is to be.
    pub hold: Uuid,
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
        let without_redis = Arc::new(Semaphore::new(WITHOUT_REDIS));
        let tries = Arc::new(Allowance::new(HOLDS));
        Self { pg, boards, catalogue, queue, holds, metrics, without_redis, tries }
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
        let hold = hold_id(schedule, request.user, &request.key);
        let attempt = Attempt { request, ticket, layout, hold };
        match wanted {
            Wanted::Seats(seats) => {
                if seats.len() > usize::try_from(limit).unwrap_or(usize::MAX) {
                    return Err(HoldError::OverLimit { limit });
                }
                let number = |seat: &SeatId| attempt.layout.number(*seat).ok_or(HoldError::NoSeat);
                let numbers = seats.iter().map(number).collect::<Result<Vec<u32>, _>>()?;
                self.claim_and_write(&attempt, &numbers).await
            }
            Wanted::Best(best) => {
                if best.quantity > usize::try_from(limit).unwrap_or(usize::MAX) {
                    return Err(HoldError::OverLimit { limit });
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
            match self.claim_and_write(attempt, &numbers).await {
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

    async fn claim_and_write(
        &self,
        attempt: &Attempt<'_>,
        numbers: &[u32],
    ) -> Result<Answer<Hold>, HoldError> {
        let Attempt { ticket, hold, .. } = attempt;
        let inside = || ticket.active_until > Some(Utc::now());
        let mut claim = self.holds.claim(ticket, *hold, numbers).await;
        // A slot that a loss of Redis took along is back once its owner is asked for.
        let lost = || inside() || self.queue.predates_rebuild(ticket);
        if matches!(claim, Ok(Claim::NotActive))
            && lost()
            && Box::pin(self.queue.is_inside(ticket)).await?
        {
            claim = self.holds.claim(ticket, *hold, numbers).await;
        }
        let _permit = match claim {
            Ok(Claim::Ok) => None,
            Ok(Claim::NotActive) => return Err(HoldError::NotActive),
            Ok(Claim::Taken { seats, repeater }) => {
                let seats = seats.into_iter().filter_map(|n| Some(attempt.layout.seat(n)?.id));
                return Err(HoldError::Taken { seats: seats.collect(), repeater });
            }
            // Whoever is inside by their ticket goes on, a few at a time.
            Err(StoreError::Unavailable { .. }) if inside() => {
                let wait = self.without_redis.acquire();
                let permit = tokio::time::timeout(WITHOUT_REDIS_WAIT, wait).await;
                Some(permit.map_err(|_| busy())?.map_err(|_| busy())?)
            }
            Err(error) => return Err(error.into()),
        };
        // Boxed: most of those who try in a rush come no further than this.
        Box::pin(self.write(attempt, numbers)).await
    }

    /// Makes a hold of what is claimed.
    async fn write(
        &self,
        attempt: &Attempt<'_>,
        numbers: &[u32],
    ) -> Result<Answer<Hold>, HoldError> {
        let write = Write { attempt, numbers };
        let called = idempotency::once_called(&self.pg, &write).await;
        let held = called.map_err(HoldError::from).and_then(held);
        match &held {
            Ok((answer, changed)) if !answer.replayed => {
                let seats = answer.outcome.reservations.len() as u64;
                self.metrics.held();
                self.metrics.reservations(ReservationStatus::PaymentWaiting.as_str(), seats);
                if let Some((id, event)) = changed {
                    self.holds.tell(*id, event, answer.outcome.server_time).await;
                }
            }
            // Held by an earlier try, of which Redis may not have heard yet.
            Ok((answer, _)) if answer.outcome.expires_at > Utc::now() => {}
            // Perhaps committed: the claim is left alone, and lapses.
            Err(HoldError::Store(StoreError::Unavailable { .. }) | HoldError::Key(_)) => {}
            _ => self.holds.give_up(attempt.ticket.schedule, attempt.hold, numbers).await,
        }
        held.map(|(answer, _)| answer)
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

fn busy() -> HoldError {
    let reason = "Redis is away, and too many hold without it".to_owned();
    StoreError::Unavailable { store: Store::Redis, reason }.into()
}
