//! The transactions that write, release and expire holds. Each first takes locks, then reads, then
//! writes.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::error::HoldError;
use super::model::{Hold, Reservation, ReservationStatus};
use super::pg::hold::{HoldReply, NewHold, write_hold};
use super::pg::{self, LiveRow};
use super::read;
use crate::concert::layout::Layout;
use crate::idempotency::model::{Answer, Request};
use crate::idempotency::pg as key;
use crate::outbox;
use crate::outbox::model::Recorded;
use crate::queue::model::Ticket;
use crate::seats::model::{FencedSeat, SEATS_CHANGED, SeatState, SeatsChanged};
use crate::store::StoreError;
use crate::store::id::{ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::single::{Call, Single};
use crate::store::pg::{Tx, Work, clock};

/// One attempt to hold: the data that its tries share.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The request: the user and the idempotency key.
    pub request: &'a Request,
    /// The buyer's ticket.
    pub ticket: Ticket,
    /// The seats of the schedule.
    pub layout: Arc<Layout>,
    /// Limit of seats per user.
    pub limit: u32,
    /// Id of the claims and of the hold.
    pub hold: Uuid,
}

/// Reservations that a transaction ended.
#[derive(Debug)]
pub struct EndedReservations {
    /// The number of reservations.
    pub reservations: u64,
    /// PostgreSQL's clock.
    pub now: DateTime<Utc>,
    /// The change of their seats, for Redis. None if no reservation was ended.
    pub change: Option<Recorded<SeatsChanged>>,
}

impl EndedReservations {
    /// Nothing was ended.
    fn none(now: DateTime<Utc>) -> Self {
        Self { reservations: 0, now, change: None }
    }
}

/// Writing a hold of claimed seats: one call of `write_hold`
/// (`migrations/functions/write_hold.sql`), which locks, reads, writes and commits.
#[derive(Debug)]
pub struct WriteHold<'a> {
    /// The attempt that made the claims.
    pub attempt: &'a Attempt<'a>,
    /// Numbers of the claimed seats.
    pub numbers: &'a [u32],
}

impl Call for WriteHold<'_> {
    type Output = HoldReply;
    const FUNCTION: &'static str = "write_hold";

    async fn run(&self, on: &mut Single) -> Result<HoldReply, StoreError> {
        let Attempt { request, ticket, layout, hold, .. } = self.attempt;
        let id = |number: &u32| Some(layout.seat(*number)?.id);
        let seats: Vec<SeatId> = self.numbers.iter().filter_map(id).collect();
        let (schedule, sequence) = (ticket.schedule, ticket.sequence);
        let new = NewHold { request, schedule, id: *hold, sequence, seats: &seats };
        write_hold(on, new).await
    }
}

/// A committed hold, and the change of its seats, for Redis.
pub type CommittedHold = (Answer<Hold>, Option<Recorded<SeatsChanged>>);

/// Reads the reply of `write_hold`.
pub fn read_hold_reply(reply: HoldReply) -> Result<CommittedHold, HoldError> {
    key::check_reply(&reply.word)?;
    let word = reply.word.as_str();
    if let ("OK" | "REPLAYED", Some(outcome)) = (word, reply.outcome) {
        let replayed = key::is_replayed(word);
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
        word => StoreError::Inconsistent(format!("write_hold replied {word}")).into(),
    })
}

/// Releasing a hold.
#[derive(Debug)]
pub struct Release {
    /// The user who owns the hold.
    pub user: UserId,
    /// Id of the hold.
    pub hold: Uuid,
}

impl Work for Release {
    type Output = EndedReservations;
    type Error = HoldError;
    const NAME: &'static str = "release_hold";

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, HoldError> {
        release(tx, self.user, self.hold).await
    }
}

async fn release(tx: &mut Tx, user: UserId, hold: Uuid) -> Result<EndedReservations, HoldError> {
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
        return Ok(EndedReservations::none(now));
    }
    let ids: Vec<ReservationId> = waiting.iter().map(|row| row.id).collect();
    let seats: Vec<SeatId> = waiting.iter().map(|row| row.seat_id).collect();
    pg::end_waiting(tx, &ids, ReservationStatus::Cancelled).await?;
    let fenced = pg::change_seats(tx, &seats, false, false).await?;
    let change = freed(tx, found.schedule, fenced).await?;
    Ok(EndedReservations { reservations: ids.len() as u64, now, change: Some(change) })
}

/// Writes to the outbox that seats are free.
async fn freed(
    tx: &mut Tx,
    schedule: ScheduleId,
    seats: Vec<FencedSeat>,
) -> Result<Recorded<SeatsChanged>, StoreError> {
    let event = SeatsChanged { schedule, seats, state: SeatState::Free };
    outbox::pg::append(tx, SEATS_CHANGED, event).await
}

/// Ending the lapsed reservations of some seats.
#[derive(Debug)]
pub struct Expire<'a> {
    /// Id of the schedule.
    pub schedule: ScheduleId,
    /// Ids of the seats.
    pub seats: &'a [SeatId],
}

impl Work for Expire<'_> {
    type Output = EndedReservations;
    type Error = StoreError;
    const NAME: &'static str = "expire_holds";

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, StoreError> {
        expire(tx, self.schedule, self.seats).await
    }
}

async fn expire(
    tx: &mut Tx,
    schedule: ScheduleId,
    seats: &[SeatId],
) -> Result<EndedReservations, StoreError> {
    pg::lock_schedule(tx, schedule).await?;
    pg::lock_seats(tx, schedule, seats).await?;
    let live = pg::live_rows(tx, seats).await?;
    let lapsed: Vec<_> = live.into_iter().filter(|row| row.lapsed).collect();
    end_as_expired(tx, schedule, &lapsed).await
}

/// Ending one user's overdue reservations before other buyers may have the seats. They can no
/// longer be paid, but count towards the user's limit while they keep the seats.
#[derive(Debug)]
pub struct EndLapsed {
    /// Id of the schedule.
    pub schedule: ScheduleId,
    /// The user who owns the reservations.
    pub user: UserId,
}

impl Work for EndLapsed {
    type Output = EndedReservations;
    type Error = StoreError;
    const NAME: &'static str = "end_lapsed_holds";

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, StoreError> {
        let Self { schedule, user } = *self;
        let found = pg::lapsed_rows(tx, schedule, user).await?;
        let seats: Vec<SeatId> = found.iter().map(|row| row.seat).collect();
        pg::lock_schedule(tx, schedule).await?;
        pg::lock_seats(tx, schedule, &seats).await?;
        // Read again under the locks: until then the rows could be paid or ended.
        let mut rows = pg::lapsed_rows(tx, schedule, user).await?;
        rows.retain(|row| seats.contains(&row.seat));
        end_as_expired(tx, schedule, &rows).await
    }
}

/// Ends reservations of locked seats as expired, and frees the seats.
async fn end_as_expired(
    tx: &mut Tx,
    schedule: ScheduleId,
    lapsed: &[LiveRow],
) -> Result<EndedReservations, StoreError> {
    let now = clock(tx.conn()).await?;
    if lapsed.is_empty() {
        return Ok(EndedReservations::none(now));
    }
    let rows: Vec<ReservationId> = lapsed.iter().map(|row| row.id).collect();
    let seats: Vec<SeatId> = lapsed.iter().map(|row| row.seat).collect();
    pg::end_waiting(tx, &rows, ReservationStatus::Expired).await?;
    let fenced = pg::change_seats(tx, &seats, false, false).await?;
    let change = freed(tx, schedule, fenced).await?;
    Ok(EndedReservations { reservations: rows.len() as u64, now, change: Some(change) })
}
