//! The call of the SQL function that refunds payments.

use crate::outbox::model::{OutboxId, Recorded};
use crate::payment::model::{Payment, PaymentStatus};
use crate::seats::model::{FencedSeat, SeatState, SeatsChanged};
use crate::store::StoreError;
use crate::store::id::{PaymentId, ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::Tx;

/// How payments are refunded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundTerms {
    /// Also after the schedule's deadline.
    pub late: bool,
    /// The seats are blocked afterwards, and not for sale.
    pub block: bool,
}

/// Reply of the SQL function `refund_payments`.
#[derive(Debug)]
pub enum RefundReply {
    /// These payments are refunded now.
    Refunded(RefundedPayments),
    /// One of the payments does not exist, is another user's, or is in another schedule.
    NoPayment,
    /// All of them were refunded before.
    AlreadyRefunded,
    /// The schedule's deadline has passed.
    Closed,
}

/// Payments that a transaction refunded.
#[derive(Debug)]
pub struct RefundedPayments {
    /// The payments, by id.
    pub payments: Vec<Payment>,
    /// The seat of each.
    pub seats: Vec<SeatId>,
    /// The user's balance afterwards.
    pub balance: i64,
    /// The change of the seats, for Redis.
    pub change: Recorded<SeatsChanged>,
}

/// Calls `refund_payments` (`migrations/functions/refund_payments.sql`): refunds payments of one user
/// in one schedule, as a part of this transaction. It takes the locks of a refund itself.
pub async fn refund_payments(
    tx: &mut Tx,
    user: UserId,
    payments: &[PaymentId],
    terms: RefundTerms,
) -> Result<RefundReply, StoreError> {
    let ids: Vec<i64> = payments.iter().map(|payment| payment.0).collect();
    let row = sqlx::query!(
        r#"select reply as "reply!", schedule, balance, payments, reservations, seats, amounts,
                  paid_at, seat_numbers, fences, outbox_id
           from refund_payments($1, $2, $3, $4)"#,
        user.0,
        &ids,
        terms.late,
        terms.block
    )
    .fetch_one(tx.conn())
    .await?;
    match row.reply.as_str() {
        "NO_PAYMENT" => return Ok(RefundReply::NoPayment),
        "ALREADY_REFUNDED" => return Ok(RefundReply::AlreadyRefunded),
        "CLOSED" => return Ok(RefundReply::Closed),
        _ => {}
    }
    let refunded = (|| {
        let (ids, reservations) = (row.payments?, row.reservations?);
        let rows = ids.iter().zip(reservations).zip(row.amounts?).zip(row.paid_at?);
        let payment =
            |(((id, reservation), amount), payment_at): (((&i64, i64), i64), _)| Payment {
                id: PaymentId(*id),
                reservation_id: ReservationId(reservation),
                amount,
                status: PaymentStatus::Refunded,
                payment_at,
            };
        let state = if terms.block { SeatState::Blocked } else { SeatState::Free };
        let fenced = row
            .seat_numbers?
            .into_iter()
            .zip(row.fences?)
            .map(|(number, fence)| FencedSeat { number: number.unsigned_abs(), fence, user: None });
        let event =
            SeatsChanged { schedule: ScheduleId(row.schedule?), seats: fenced.collect(), state };
        Some(RefundedPayments {
            payments: rows.map(payment).collect(),
            seats: row.seats?.into_iter().map(SeatId).collect(),
            balance: row.balance?,
            change: Recorded { id: OutboxId(row.outbox_id?), event },
        })
    })();
    let unknown = || StoreError::Inconsistent(format!("refund_payments replied {}", row.reply));
    refunded.map(RefundReply::Refunded).ok_or_else(unknown)
}
