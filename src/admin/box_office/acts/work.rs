//! The transactions of refunds and moves by staff: the SQL function, and then the rows that say who
//! did it and why.

use serde_json::json;

use super::model::{MovedReservation, Moving, Order, OrderRefusal, RefundedOrder, Refunding};
use super::pg::{Moved, move_reservation, payments_of};
use crate::admin::box_office::error::BoxOfficeError;
use crate::admin::box_office::pg::{Action, ActionKind, write_action};
use crate::idempotency::model::Effect;
use crate::outbox::model::Recorded;
use crate::payment::pg::refund::{RefundReply, RefundTerms, refund_payments};
use crate::seats::model::SeatsChanged;
use crate::store::StoreError;
use crate::store::id::{ReservationId, UserId};
use crate::store::pg::{Tx, Work};

/// Refunding an order, also after the deadline.
#[derive(Debug)]
pub struct RefundOrder<'a> {
    /// Who of the staff refunds it.
    pub admin: UserId,
    /// What is refunded.
    pub order: Order,
    /// Why, and what becomes of the seats.
    pub terms: &'a Refunding,
}

/// A refund or its refusal, and the change of the seats, for Redis.
pub type OrderEffect = Effect<Result<RefundedOrder, OrderRefusal>, Option<Recorded<SeatsChanged>>>;

impl Work for RefundOrder<'_> {
    type Output = OrderEffect;
    type Error = BoxOfficeError;
    const NAME: &'static str = "refund_order";

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, BoxOfficeError> {
        let Self { admin, order, terms } = *self;
        let refused = |refusal| Ok(Effect { outcome: Err(refusal), event: None });
        let missing = match order {
            Order::Payment(_) => BoxOfficeError::NoPayment,
            Order::Hold(_) => BoxOfficeError::NoHold,
        };
        let Some(found) = payments_of(tx, order).await? else { return Err(missing) };
        if found.payments.is_empty() {
            return refused(OrderRefusal::NotPaid);
        }
        let user = found.user;
        let how = RefundTerms { late: true, block: terms.block };
        let refunded = match refund_payments(tx, user, &found.payments, how).await? {
            RefundReply::Refunded(refunded) => refunded,
            RefundReply::AlreadyRefunded => return refused(OrderRefusal::AlreadyRefunded),
            RefundReply::NoPayment => return Err(missing),
            RefundReply::Closed => {
                let reason = "a late refund was refused by the deadline".to_owned();
                return Err(StoreError::Inconsistent(reason).into());
            }
        };
        let reservations = refunded.payments.iter().map(|payment| payment.reservation_id);
        let order = RefundedOrder {
            user_id: user,
            total_amount: refunded.payments.iter().map(|payment| payment.amount).sum(),
            balance: refunded.balance,
            payments: refunded.payments.clone(),
        };
        let action = Action {
            kind: ActionKind::Refund,
            admin,
            user,
            schedule: Some(refunded.change.event.schedule),
            seats: reservations.zip(refunded.seats.iter().copied()).collect(),
            to: None,
            reason: &terms.reason,
            after: json!({
                "payment_ids": order.payments.iter().map(|payment| payment.id).collect::<Vec<_>>(),
                "amount": order.total_amount,
                "blocked": terms.block,
            }),
        };
        write_action(tx, action).await?;
        Ok(Effect { outcome: Ok(order), event: Some(refunded.change) })
    }
}

/// Moving a reservation to another seat.
#[derive(Debug)]
pub struct MoveSeat<'a> {
    /// Who of the staff moves it.
    pub admin: UserId,
    /// The reservation.
    pub reservation: ReservationId,
    /// Where to, why, and what becomes of the seat that is left.
    pub terms: &'a Moving,
}

impl Work for MoveSeat<'_> {
    type Output = Effect<MovedReservation, [Recorded<SeatsChanged>; 2]>;
    type Error = BoxOfficeError;
    const NAME: &'static str = "move_reservation";

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, BoxOfficeError> {
        let Self { admin, reservation, terms } = *self;
        let reply = move_reservation(tx, reservation, terms.seat_id, terms.block).await?;
        let (price, new_price) = reply.prices;
        let Some(Moved { reservation, changes }) = reply.moved.filter(|_| reply.word == "OK")
        else {
            return Err(match reply.word.as_str() {
                "NO_RESERVATION" => BoxOfficeError::NoReservation,
                "NO_SEAT" => BoxOfficeError::NoSeat,
                "NOT_COMPLETE" => BoxOfficeError::NotComplete,
                "SAME_SEAT" => BoxOfficeError::SameSeat,
                "NOT_FREE" => BoxOfficeError::NotFree(vec![terms.seat_id]),
                "OTHER_PRICE" => BoxOfficeError::OtherPrice { price, new_price },
                "WAS_IN_ORDER" => BoxOfficeError::WasInOrder,
                word => StoreError::Inconsistent(format!("move_reservation replied {word}")).into(),
            });
        };
        let action = Action {
            kind: ActionKind::Move,
            admin,
            user: reservation.user_id,
            schedule: Some(reservation.schedule_id),
            seats: vec![(reservation.reservation_id, reservation.from_seat_id)],
            to: Some(reservation.seat_id),
            reason: &terms.reason,
            after: json!({
                "reservation_id": reservation.reservation_id,
                "from_seat_id": reservation.from_seat_id,
                "seat_id": reservation.seat_id,
                "blocked": terms.block,
            }),
        };
        write_action(tx, action).await?;
        Ok(Effect { outcome: reservation, event: changes })
    }
}
