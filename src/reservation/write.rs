//! What holding and giving back do inside their transaction: lock, then look, then write.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::error::HoldError;
use super::model::{Hold, Reservation, ReservationStatus};
use super::pg::{self, LockedSeat, NewHold, Sale};
use super::read;
use super::service::Attempt;
use crate::concert::model::ConcertStatus;
use crate::hold::model::{SEATS_CHANGED, SeatState, SeatsChanged};
use crate::outbox;
use crate::outbox::model::OutboxId;
use crate::point;
use crate::store::StoreError;
use crate::store::id::{ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::{Tx, Work};

/// Unpaid holds of one seat by one user within ten minutes; one more is refused.
const CHURN: u32 = 3;

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

/// Writing the rows of a hold whose seats are claimed.
#[derive(Debug)]
pub struct Write<'a> {
    /// Who asks, for which hold.
    pub attempt: &'a Attempt<'a>,
    /// The seats claimed.
    pub numbers: &'a [u32],
    /// What Redis is to be told.
    pub decision: &'a Decision,
}

impl Work for Write<'_> {
    type Output = Hold;
    type Error = HoldError;

    async fn run(&self, tx: &mut Tx) -> Result<Hold, HoldError> {
        write(tx, self.attempt, self.numbers, self.decision).await
    }
}

async fn write(
    tx: &mut Tx,
    attempt: &Attempt<'_>,
    numbers: &[u32],
    decision: &Decision,
) -> Result<Hold, HoldError> {
    let (user, schedule) = (attempt.request.user, attempt.ticket.schedule);
    let sale = pg::lock_schedule(tx, schedule).await?.ok_or(HoldError::NoSchedule)?;
    on_sale(&sale)?;
    let ids: Vec<SeatId> =
        numbers.iter().filter_map(|n| Some(attempt.layout.seat(*n)?.id)).collect();
    let seats = free_seats(tx, schedule, &ids).await?;
    point::pg::lock(tx, user).await?.ok_or(HoldError::UnknownUser)?;
    let (live, churn) = pg::count_of(tx, user, schedule, &ids).await?;
    if usize::try_from(live).unwrap_or(usize::MAX) + seats.len() > to_usize(sale.max_seats) {
        return Err(HoldError::OverLimit { limit: sale.max_seats });
    }
    if churn >= CHURN {
        return Err(HoldError::Churn);
    }
    let new = NewHold {
        id: attempt.hold,
        user,
        concert: sale.concert,
        schedule,
        sequence: attempt.ticket.sequence,
        ttl: sale.hold_ttl,
        seats: &seats,
    };
    let rows = pg::insert(tx, new).await?;
    if rows.len() < seats.len() {
        return Err(HoldError::Taken { seats: without_row(&seats, &rows), repeater: false });
    }
    let fenced = pg::change_seats(tx, &ids, false, true).await?;
    let now = rows.first().map_or(sale.now, |row| row.reservation_at);
    let hold = Hold::of(rows, now).ok_or(HoldError::NoSeat)?;
    let state = SeatState::Held { hold: attempt.hold, expires_at: hold.expires_at };
    decision.note(tx, SeatsChanged { schedule, seats: fenced, state }).await?;
    Ok(hold)
}

/// Locks seats, takes over what has lapsed, and refuses what has not.
async fn free_seats(
    tx: &mut Tx,
    schedule: ScheduleId,
    ids: &[SeatId],
) -> Result<Vec<LockedSeat>, HoldError> {
    let seats = pg::lock_seats(tx, schedule, ids).await?;
    if seats.len() < ids.len() {
        return Err(HoldError::NoSeat);
    }
    let live = pg::live_rows(tx, ids).await?;
    let (lapsed, blocking): (Vec<_>, Vec<_>) = live.into_iter().partition(|row| row.lapsed);
    let gone = seats.iter().filter(|seat| seat.gone).map(|seat| seat.id);
    let mut taken: Vec<SeatId> = blocking.iter().map(|row| row.seat).chain(gone).collect();
    if !taken.is_empty() {
        taken.sort_unstable();
        taken.dedup();
        return Err(HoldError::Taken { seats: taken, repeater: false });
    }
    let lapsed: Vec<ReservationId> = lapsed.iter().map(|row| row.id).collect();
    if !lapsed.is_empty() {
        pg::end_waiting(tx, &lapsed, ReservationStatus::Expired).await?;
    }
    Ok(seats)
}

/// By PostgreSQL's clock, read after the schedule was locked.
fn on_sale(sale: &Sale) -> Result<(), HoldError> {
    if sale.concert_status == ConcertStatus::Unavailable {
        Err(HoldError::ConcertUnavailable)
    } else if sale.now < sale.opens_at {
        Err(HoldError::NotOpen)
    } else if sale.now >= sale.deadline_at {
        Err(HoldError::Closed)
    } else {
        Ok(())
    }
}

fn without_row(seats: &[LockedSeat], rows: &[Reservation]) -> Vec<SeatId> {
    let has_row = |seat: &LockedSeat| rows.iter().any(|row| row.seat_id == seat.id);
    seats.iter().filter(|seat| !has_row(seat)).map(|seat| seat.id).collect()
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

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
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
