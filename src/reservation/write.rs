//! What holding and giving back do inside their transaction: lock, then look, then write.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::error::HoldError;
use super::model::{Hold, Reservation, ReservationStatus};
use super::pg::{self, HoldReply, LiveRow, NewHold};
use super::read;
use crate::concert::model::Layout;
use crate::idempotency::model::{Answer, Request};
use crate::idempotency::pg as key;
use crate::outbox;
use crate::outbox::model::OutboxId;
use crate::queue::model::Ticket;
use crate::seats::model::{SEATS_CHANGED, SeatState, SeatsChanged};
use crate::store::StoreError;
use crate::store::id::{ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::single::{Call, Single};
use crate::store::pg::{Tx, Work};

/// One attempt to hold: everything that stays the same over its tries.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// Who asks, under which key.
    pub request: &'a Request,
    /// The place they hold from.
    pub ticket: Ticket,
    /// The seats there are.
    pub layout: Arc<Layout>,
    /// The most seats that one user may have.
    pub limit: u32,
    /// The id that the claims carry, and that the hold gets.
    pub hold: Uuid,
}

/// What a transaction decided about seats, to be told to Redis after its commit.
#[derive(Debug, Default)]
pub struct Decision(Mutex<Option<(OutboxId, SeatsChanged)>>);

impl Decision {
    /// Notes it in the outbox of `tx`, and here.
    pub async fn note(&self, tx: &mut Tx, event: SeatsChanged) -> Result<(), StoreError> {
        let id = outbox::pg::append(tx, SEATS_CHANGED, &event).await?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((id, event));
        Ok(())
    }

    /// Takes it out, once the commit is acknowledged.
    pub fn take(&self) -> Option<(OutboxId, SeatsChanged)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Writing the rows of a hold whose seats are claimed: one call, which locks, looks, writes and
/// commits (`hold_seats` in `migrations/0008_claims.sql`).
#[derive(Debug)]
pub struct Write<'a> {
    /// Who asks, for which hold.
    pub attempt: &'a Attempt<'a>,
    /// The seats claimed.
    pub numbers: &'a [u32],
}

impl Call for Write<'_> {
    type Output = HoldReply;

    async fn run(&self, on: &mut Single) -> Result<HoldReply, StoreError> {
        let Attempt { request, ticket, layout, hold, .. } = self.attempt;
        let id = |number: &u32| Some(layout.seat(*number)?.id);
        let seats: Vec<SeatId> = self.numbers.iter().filter_map(id).collect();
        let (schedule, sequence) = (ticket.schedule, ticket.sequence);
        let new = NewHold { request, schedule, id: *hold, sequence, seats: &seats };
        pg::hold_seats(on, new).await
    }
}

/// What a committed hold was, and what Redis is to be told of it.
pub type Held = (Answer<Hold>, Option<(OutboxId, SeatsChanged)>);

/// Reads what `hold_seats` came to.
pub fn held(reply: HoldReply) -> Result<Held, HoldError> {
    key::refused(&reply.word)?;
    let word = reply.word.as_str();
    if let ("OK" | "REPLAYED", Some(outcome)) = (word, reply.outcome) {
        let replayed = key::replayed(word);
        return Ok((Answer { outcome, replayed }, reply.changed));
    }
    Err(match word {
        "TAKEN" => HoldError::Taken { seats: reply.taken, repeater: false },
        "OVER_LIMIT" => HoldError::OverLimit { limit: reply.limit, lapsed: true },
        "CHURN" => HoldError::Churn,
        "NO_SEAT" => HoldError::NoSeat,
        "NO_SCHEDULE" => HoldError::NoSchedule,
        "NOT_OPEN" => HoldError::NotOpen,
        "CLOSED" => HoldError::Closed,
        "UNAVAILABLE" => HoldError::ConcertUnavailable,
        "UNKNOWN_USER" => HoldError::UnknownUser,
        word => StoreError::Inconsistent(format!("hold_seats replied {word}")).into(),
    })
}

/// Giving the seats of a hold back. Comes to how many there were, and PostgreSQL's clock.
#[derive(Debug)]
pub struct Release<'a> {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub hold: Uuid,
    /// What Redis is to be told.
    pub decision: &'a Decision,
}

impl Work for Release<'_> {
    type Output = (u64, DateTime<Utc>);
    type Error = HoldError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, HoldError> {
        release(tx, self.user, self.hold, self.decision).await
    }
}

async fn release(
    tx: &mut Tx,
    user: UserId,
    hold: Uuid,
    decision: &Decision,
) -> Result<(u64, DateTime<Utc>), HoldError> {
    let found = read::pg::seats_of_hold(tx, user, hold).await?.ok_or(HoldError::NoHold)?;
    pg::lock_schedule(tx, found.schedule).await?.ok_or(HoldError::NoSchedule)?;
    pg::lock_seats(tx, found.schedule, &found.seats).await?;
    let (rows, now) = read::pg::hold_locked(tx, user, hold).await?;
    let paid = [ReservationStatus::Complete, ReservationStatus::Refunded];
    if rows.iter().any(|row| paid.contains(&row.status)) {
        return Err(HoldError::AlreadyPaid);
    }
    let waiting: Vec<&Reservation> =
        rows.iter().filter(|row| row.status == ReservationStatus::PaymentWaiting).collect();
    if waiting.is_empty() {
        return Ok((0, now));
    }
    let ids: Vec<ReservationId> = waiting.iter().map(|row| row.id).collect();
    let seats: Vec<SeatId> = waiting.iter().map(|row| row.seat_id).collect();
    pg::end_waiting(tx, &ids, ReservationStatus::Cancelled).await?;
    let fenced = pg::change_seats(tx, &seats, false, false).await?;
    let event = SeatsChanged { schedule: found.schedule, seats: fenced, state: SeatState::Free };
    decision.note(tx, event).await?;
    Ok((ids.len() as u64, now))
}

/// Ending what has lapsed among seats. Comes to how many had, and PostgreSQL's clock.
#[derive(Debug)]
pub struct Expire<'a> {
    /// Whose seats.
    pub schedule: ScheduleId,
    /// Which.
    pub seats: &'a [SeatId],
    /// What Redis is to be told.
    pub decision: &'a Decision,
}

impl Work for Expire<'_> {
    type Output = (u64, DateTime<Utc>);
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, StoreError> {
        expire(tx, self.schedule, self.seats, self.decision).await
    }
}

async fn expire(
    tx: &mut Tx,
    schedule: ScheduleId,
    seats: &[SeatId],
    decision: &Decision,
) -> Result<(u64, DateTime<Utc>), StoreError> {
    pg::lock_schedule(tx, schedule).await?;
    pg::lock_seats(tx, schedule, seats).await?;
    let live = pg::live_rows(tx, seats).await?;
    let lapsed: Vec<_> = live.into_iter().filter(|row| row.lapsed).collect();
    end_as_expired(tx, schedule, &lapsed, decision).await
}

/// Ending what of one user's holds is past its end, before others may have the seats: it can't be
/// paid any more, and counts for the limit as long as it keeps the seats. Returns how many rows it
/// ended, and PostgreSQL's clock.
#[derive(Debug)]
pub struct EndLapsed<'a> {
    /// Of which schedule.
    pub schedule: ScheduleId,
    /// Whose.
    pub user: UserId,
    /// What Redis is to be told.
    pub decision: &'a Decision,
}

impl Work for EndLapsed<'_> {
    type Output = (u64, DateTime<Utc>);
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, StoreError> {
        let Self { schedule, user, decision } = *self;
        let found = pg::lapsed_rows(tx, schedule, user).await?;
        let seats: Vec<SeatId> = found.iter().map(|row| row.seat).collect();
        pg::lock_schedule(tx, schedule).await?;
        pg::lock_seats(tx, schedule, &seats).await?;
        // Again, now that nobody pays or ends them meanwhile.
        let mut rows = pg::lapsed_rows(tx, schedule, user).await?;
        rows.retain(|row| seats.contains(&row.seat));
        end_as_expired(tx, schedule, &rows, decision).await
    }
}

/// Ends rows whose seats are locked as expired: the seats are free.
async fn end_as_expired(
    tx: &mut Tx,
    schedule: ScheduleId,
    lapsed: &[LiveRow],
    decision: &Decision,
) -> Result<(u64, DateTime<Utc>), StoreError> {
    let now = read::pg::clock(tx).await?;
    if lapsed.is_empty() {
        return Ok((0, now));
    }
    let rows: Vec<ReservationId> = lapsed.iter().map(|row| row.id).collect();
    let seats: Vec<SeatId> = lapsed.iter().map(|row| row.seat).collect();
    pg::end_waiting(tx, &rows, ReservationStatus::Expired).await?;
    let fenced = pg::change_seats(tx, &seats, false, false).await?;
    decision.note(tx, SeatsChanged { schedule, seats: fenced, state: SeatState::Free }).await?;
    Ok((rows.len() as u64, now))
}
