//! The SQL of payments. Refunds are in [`refund`].

pub mod refund;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::model::{Paid, PayRefusal, Payment, PaymentStatus};
use crate::idempotency::model::Request;
use crate::outbox::model::{OutboxId, Recorded};
use crate::pagination::Paging;
use crate::queue::model::{Completed, Sequence};
use crate::seats::model::{FencedSeat, SeatState, SeatsChanged};
use crate::store::StoreError;
use crate::store::id::{PaymentId, ReservationId, ScheduleId, UserId};
use crate::store::pg::Pg;
use crate::store::pg::single::{Single, lost};

/// Reply of the SQL function `settle_payment`.
#[derive(Debug)]
pub struct PayReply {
    /// Code of the reply: `OK`, `REPLAYED`, or why nothing is stored.
    pub word: String,
    /// The payment, or its final refusal.
    pub outcome: Option<Result<Paid, PayRefusal>>,
    /// The schedule of a payment or refusal that is new.
    pub schedule: Option<ScheduleId>,
    /// Outbox entry that marks the seats as sold in Redis.
    pub seats: Option<Recorded<SeatsChanged>>,
    /// Outbox entry that completes the queue entry in Redis.
    pub completed: Option<Recorded<Completed>>,
}

/// Columns of the reply `OK`.
struct SettledColumns {
    required: i64,
    balance: i64,
    charged: i64,
    paid_at: DateTime<Utc>,
    payments: Vec<i64>,
    reservations: Vec<i64>,
    amounts: Vec<i64>,
    schedule: i64,
    sequence: i64,
    numbers: Vec<i32>,
    fences: Vec<i64>,
}

impl SettledColumns {
    fn paid(&self, charge_up_to: Option<i64>) -> Paid {
        let rows = self.payments.iter().zip(&self.reservations).zip(&self.amounts);
        let payment = |((id, reservation), amount): ((&i64, &i64), &i64)| Payment {
            id: PaymentId(*id),
            reservation_id: ReservationId(*reservation),
            amount: *amount,
            status: PaymentStatus::Complete,
            payment_at: self.paid_at,
        };
        Paid {
            payments: rows.map(payment).collect(),
            total_amount: self.required,
            balance: self.balance,
            charged: charge_up_to.map(|_| self.charged),
        }
    }

    fn sold(&self, hold: Uuid) -> SeatsChanged {
        let fenced = |(number, fence): (&i32, &i64)| FencedSeat {
            number: number.unsigned_abs(),
            fence: *fence,
            user: None,
        };
        SeatsChanged {
            schedule: ScheduleId(self.schedule),
            seats: self.numbers.iter().zip(&self.fences).map(fenced).collect(),
            state: SeatState::Sold { hold },
        }
    }

    fn completed(&self, user: UserId) -> Completed {
        let sequence = Sequence(self.sequence.cast_unsigned());
        Completed { schedule: ScheduleId(self.schedule), user, sequence }
    }
}

/// Calls `settle_payment` (`migrations/functions/settle_payment.sql`), which is the whole
/// transaction of a payment. It also charges the points that the balance lacks, up to
/// `charge_up_to`.
pub async fn settle_payment(
    on: &mut Single,
    request: &Request,
    hold: Uuid,
    charge_up_to: Option<i64>,
) -> Result<PayReply, StoreError> {
    let row = sqlx::query!(
        r#"select reply as "reply!", stored as "stored: Json<Result<Paid, PayRefusal>>", required,
                  balance, charged, paid_at, payments, paid_reservations, amounts, schedule,
                  entry_sequence, seat_numbers, fences, seats_outbox_id, completed_outbox_id
           from settle_payment($1, $2, $3, $4, $5)"#,
        request.user.0,
        request.key,
        &request.fingerprint()[..],
        hold,
        charge_up_to
    )
    .fetch_one(on.conn())
    .await
    .map_err(lost)?;
    let refusal = refusal(&row.reply, row.balance, row.required);
    let settled = (|| {
        Some(SettledColumns {
            required: row.required?,
            balance: row.balance?,
            charged: row.charged?,
            paid_at: row.paid_at?,
            payments: row.payments?,
            reservations: row.paid_reservations?,
            amounts: row.amounts?,
            schedule: row.schedule?,
            sequence: row.entry_sequence?,
            numbers: row.seat_numbers?,
            fences: row.fences?,
        })
    })();
    let paid = settled.as_ref().map(|settled| Ok(settled.paid(charge_up_to)));
    let stored = row.stored.map(|stored| stored.0);
    Ok(PayReply {
        word: if refusal.is_some() { "OK".to_owned() } else { row.reply },
        outcome: stored.or(refusal.map(Err)).or(paid),
        schedule: row.schedule.map(ScheduleId),
        seats: recorded(row.seats_outbox_id, settled.as_ref().map(|it| it.sold(hold))),
        completed: recorded(
            row.completed_outbox_id,
            settled.as_ref().map(|it| it.completed(request.user)),
        ),
    })
}

/// The refusal that a reply stands for, if any. It is stored under the key like a payment.
fn refusal(word: &str, balance: Option<i64>, required: Option<i64>) -> Option<PayRefusal> {
    match word {
        "ALREADY_PAID" => Some(PayRefusal::AlreadyPaid),
        "HOLD_EXPIRED" => Some(PayRefusal::HoldExpired),
        "INSUFFICIENT_POINTS" => {
            Some(PayRefusal::InsufficientPoints { balance: balance?, required: required? })
        }
        _ => None,
    }
}

fn parse(status: &str) -> PaymentStatus {
    if status == "REFUNDED" { PaymentStatus::Refunded } else { PaymentStatus::Complete }
}

/// Lists a user's payments, newest first.
pub async fn list(pg: &Pg, user: UserId, paging: Paging) -> Result<Vec<Payment>, StoreError> {
    let rows = sqlx::query!(
        "select id, reservation_id, amount, status, payment_at from payment
         where user_id = $1 and ($2::bigint is null or id < $2) order by id desc limit $3",
        user.0,
        paging.after,
        paging.fetch()
    )
    .fetch_all(pg.pool())
    .await?;
    let payment = |id, reservation, amount, status: &str, payment_at: DateTime<Utc>| Payment {
        id: PaymentId(id),
        reservation_id: ReservationId(reservation),
        amount,
        status: parse(status),
        payment_at,
    };
    Ok(rows
        .into_iter()
        .map(|row| payment(row.id, row.reservation_id, row.amount, &row.status, row.payment_at))
        .collect())
}

/// An event that an SQL function wrote to the outbox.
fn recorded<E>(id: Option<i64>, event: Option<E>) -> Option<Recorded<E>> {
    let (id, event) = id.zip(event)?;
    Some(Recorded { id: OutboxId(id), event })
}
