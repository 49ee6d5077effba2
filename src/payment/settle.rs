//! What paying and refunding do inside their transaction: lock, then look, then write.

use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use super::model::{Paid, PayRefusal, PaymentStatus, RefundRefusal, Refunded};
use super::pg;
use super::service::PayError;
use crate::hold::model::{SeatState, SeatsChanged};
use crate::outbox;
use crate::outbox::model::OutboxId;
use crate::point;
use crate::point::model::Kind;
use crate::queue::model::{Completed, TICKET_COMPLETED};
use crate::reservation;
use crate::reservation::model::{Hold, ReservationStatus};
use crate::reservation::read::pg::{hold_locked, seats_of_hold};
use crate::reservation::write::Decision;
use crate::store::StoreError;
use crate::store::id::{PaymentId, UserId};
use crate::store::pg::{Tx, Work};

/// What a payment is told to Redis after its commit.
#[derive(Debug, Default)]
pub struct Settled {
    /// The seats.
    pub seats: Decision,
    completed: Mutex<Option<(OutboxId, Completed)>>,
}

impl Settled {
    async fn complete(&self, tx: &mut Tx, event: Completed) -> Result<(), StoreError> {
        let id = outbox::pg::append(tx, TICKET_COMPLETED, &event).await?;
        *self.completed.lock().unwrap_or_else(PoisonError::into_inner) = Some((id, event));
        Ok(())
    }

    /// The ticket that a payment completed, once the commit is acknowledged.
    pub fn take_completed(&self) -> Option<(OutboxId, Completed)> {
        self.completed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Paying a hold. Reads nothing from Redis; the clock decides only after every lock is held.
#[derive(Debug)]
pub struct Pay<'a> {
    /// Who pays.
    pub user: UserId,
    /// Which hold.
    pub hold: Uuid,
    /// What Redis is to be told.
    pub settled: &'a Settled,
}

impl Work for Pay<'_> {
    type Output = Result<Paid, PayRefusal>;
    type Error = PayError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, PayError> {
        pay(tx, self.user, self.hold, self.settled).await
    }
}

async fn pay(
    tx: &mut Tx,
    user: UserId,
    hold: Uuid,
    settled: &Settled,
) -> Result<Result<Paid, PayRefusal>, PayError> {
    let found = seats_of_hold(tx, user, hold).await?.ok_or(PayError::NoHold)?;
    reservation::pg::lock_schedule(tx, found.schedule).await?.ok_or(PayError::NoHold)?;
    reservation::pg::lock_seats(tx, found.schedule, &found.seats).await?;
    let (rows, now) = hold_locked(tx, user, hold).await?;
    let hold_now = Hold::of(rows, now).ok_or(PayError::NoHold)?;
    match hold_now.status() {
        ReservationStatus::PaymentWaiting => {}
        ReservationStatus::Complete | ReservationStatus::Refunded => {
            return Ok(Err(PayRefusal::AlreadyPaid));
        }
        ReservationStatus::Expired | ReservationStatus::Cancelled => {
            return Ok(Err(PayRefusal::HoldExpired));
        }
    }
    let required = hold_now.total_amount;
    let balance = point::pg::lock(tx, user).await?.ok_or(PayError::NoHold)?;
    let paid = point::pg::change(tx, user, Kind::Payment, -required, &hold.to_string()).await?;
    let Some(after) = paid else {
        return Ok(Err(PayRefusal::InsufficientPoints { balance, required }));
    };
    let payments = pg::complete(tx, user, &hold_now.reservations).await?;
    let seats = reservation::pg::change_seats(tx, &found.seats, true, false).await?;
    let event = SeatsChanged { schedule: found.schedule, seats, state: SeatState::Sold { hold } };
    settled.seats.note(tx, event).await?;
    let completed = Completed { schedule: found.schedule, user, sequence: found.sequence };
    settled.complete(tx, completed).await?;
    Ok(Ok(Paid { payments, total_amount: required, balance: after }))
}

/// Giving a payment back: points to the buyer, the seat to everybody.
#[derive(Debug)]
pub struct Refund<'a> {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub payment: PaymentId,
    /// What Redis is to be told.
    pub settled: &'a Settled,
}

impl Work for Refund<'_> {
    type Output = Result<Refunded, RefundRefusal>;
    type Error = PayError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, PayError> {
        refund(tx, self.user, self.payment, self.settled).await
    }
}

async fn refund(
    tx: &mut Tx,
    user: UserId,
    payment: PaymentId,
    settled: &Settled,
) -> Result<Result<Refunded, RefundRefusal>, PayError> {
    let paid = pg::find(tx, user, payment).await?.ok_or(PayError::NoPayment)?;
    let sale = reservation::pg::lock_schedule(tx, paid.schedule).await?;
    let sale = sale.ok_or(PayError::NoPayment)?;
    let seat = [paid.seat];
    reservation::pg::lock_seats(tx, paid.schedule, &seat).await?;
    let (status, now) = pg::status(tx, payment).await?;
    if status == PaymentStatus::Refunded {
        return Ok(Err(RefundRefusal::AlreadyRefunded));
    }
    if now >= sale.deadline_at {
        return Ok(Err(RefundRefusal::Closed));
    }
    let refunded = pg::refund(tx, payment).await?;
    point::pg::lock(tx, user).await?.ok_or(PayError::NoPayment)?;
    let reference = payment.to_string();
    let balance = point::pg::change(tx, user, Kind::Refund, refunded.amount, &reference).await?;
    let balance = balance.ok_or_else(|| {
        StoreError::Inconsistent("giving points back made a balance negative".to_owned())
    })?;
    let seats = reservation::pg::change_seats(tx, &seat, false, false).await?;
    let event = SeatsChanged { schedule: paid.schedule, seats, state: SeatState::Free };
    settled.seats.note(tx, event).await?;
    Ok(Ok(Refunded { payment: refunded, balance }))
}
