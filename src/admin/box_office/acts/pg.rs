//! The SQL of refunds and moves by staff.

use super::model::{MovedReservation, Order};
use crate::admin::box_office::pg::changed;
use crate::outbox::model::Recorded;
use crate::reservation::pg::TAKEOVER_AFTER;
use crate::seats::model::{FencedSeat, SeatState, SeatsChanged};
use crate::store::StoreError;
use crate::store::id::{PaymentId, ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::Tx;

/// The payments of an order, before the locks.
#[derive(Debug)]
pub struct OrderPayments {
    /// The buyer.
    pub user: UserId,
    /// The payments; empty if the hold is not paid.
    pub payments: Vec<PaymentId>,
}

/// Reads the payments of an order; `None` if there is no such payment or hold.
pub async fn payments_of(tx: &mut Tx, order: Order) -> Result<Option<OrderPayments>, StoreError> {
    let payments = |ids: Vec<i64>| ids.into_iter().map(PaymentId).collect();
    match order {
        Order::Payment(id) => {
            let find = sqlx::query_scalar!("select user_id from payment where id = $1", id.0);
            let user = find.fetch_optional(tx.conn()).await?;
            Ok(user.map(|user| OrderPayments { user: UserId(user), payments: vec![id] }))
        }
        Order::Hold(hold) => {
            let row = sqlx::query!(
                r#"select min(r.user_id) as "user?",
                          array_agg(p.id order by p.id) filter (where p.id is not null)
                            as "payments?"
                   from reservation r left join payment p on p.reservation_id = r.id
                   where r.hold_id = $1"#,
                hold
            )
            .fetch_one(tx.conn())
            .await?;
            let ids = row.payments.unwrap_or_default();
            Ok(row.user.map(|user| OrderPayments { user: UserId(user), payments: payments(ids) }))
        }
    }
}

/// Reply of the SQL function `move_reservation`.
#[derive(Debug)]
pub struct MoveReply {
    /// Code of the reply: `OK`, or why the reservation was not moved.
    pub word: String,
    /// Prices of the old and the new seat, with `OTHER_PRICE`.
    pub prices: (i64, i64),
    /// The move, with `OK`.
    pub moved: Option<Moved>,
}

/// A reservation that a transaction moved.
#[derive(Debug)]
pub struct Moved {
    /// The reservation with its new seat.
    pub reservation: MovedReservation,
    /// The changes of the seat that was left and of the new one, for Redis.
    pub changes: [Recorded<SeatsChanged>; 2],
}

/// Calls `move_reservation` (`migrations/functions/move_reservation.sql`), as a part of this
/// transaction. It takes the locks of a move itself. The seat that is left is blocked with `block`.
pub async fn move_reservation(
    tx: &mut Tx,
    id: ReservationId,
    to: SeatId,
    block: bool,
) -> Result<MoveReply, StoreError> {
    let row = sqlx::query!(
        r#"select reply as "reply!", schedule, owner, hold, old_seat, price, new_price, old_number,
                  new_number, old_fence, new_fence, old_outbox_id, new_outbox_id
           from move_reservation($1, $2, $3, $4)"#,
        id.0,
        to.0,
        block,
        TAKEOVER_AFTER.as_secs_f64()
    )
    .fetch_one(tx.conn())
    .await?;
    let moved = (|| {
        let (schedule, owner, hold) = (ScheduleId(row.schedule?), UserId(row.owner?), row.hold?);
        let left = if block { SeatState::Blocked } else { SeatState::Free };
        let old = FencedSeat {
            number: row.old_number?.unsigned_abs(),
            fence: row.old_fence?,
            user: None,
        };
        let new = FencedSeat {
            number: row.new_number?.unsigned_abs(),
            fence: row.new_fence?,
            user: Some(owner),
        };
        let reservation = MovedReservation {
            reservation_id: id,
            hold_id: hold,
            schedule_id: schedule,
            user_id: owner,
            from_seat_id: SeatId(row.old_seat?),
            from_seat_number: old.number,
            seat_id: to,
            seat_number: new.number,
        };
        let changes = [
            changed(row.old_outbox_id?, schedule, old, left),
            changed(row.new_outbox_id?, schedule, new, SeatState::Sold { hold }),
        ];
        Some(Moved { reservation, changes })
    })();
    let prices = (row.price.unwrap_or(0), row.new_price.unwrap_or(0));
    Ok(MoveReply { word: row.reply, prices, moved })
}
