//! The SQL of payments and refunds.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::model::{Paid, PayRefusal, Payment, PaymentStatus};
use crate::idempotency::model::Request;
use crate::outbox::model::{OutboxId, Recorded};
use crate::pagination::Paging;
use crate::queue::model::{Completed, Sequence};
use crate::reservation::pg::all_of;
use crate::seats::model::{FencedSeat, SeatState, SeatsChanged};
use crate::store::StoreError;
use crate::store::id::{PaymentId, ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::single::{Single, lost};
use crate::store::pg::{Pg, Tx};

/// What a payment paid for. A refund reads it before it takes locks.
#[derive(Debug, Clone, Copy)]
pub struct PaymentTarget {
    /// Id of the reservation.
    pub reservation: ReservationId,
    /// Id of its schedule.
    pub schedule: ScheduleId,
    /// Id of its seat.
    pub seat: SeatId,
}

/// Reply of the SQL function `settle_payment`.
#[derive(Debug)]
pub struct PayReply {
    /// Code of the reply: `OK`, `REPLAYED`, or why nothing is stored.
    pub word: String,
    /// The payment, or its final refusal.
    pub outcome: Option<Result<Paid, PayRefusal>>,
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

/// Reads what a user's payment paid for; `None` if the user has no such payment.
pub async fn find(
    tx: &mut Tx,
    user: UserId,
    id: PaymentId,
) -> Result<Option<PaymentTarget>, StoreError> {
    let row = sqlx::query!(
        "select p.reservation_id, r.concert_schedule_id, r.seat_id
         from payment p join reservation r on r.id = p.reservation_id
         where p.id = $1 and p.user_id = $2",
        id.0,
        user.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| PaymentTarget {
        reservation: ReservationId(row.reservation_id),
        schedule: ScheduleId(row.concert_schedule_id),
        seat: SeatId(row.seat_id),
    }))
}

/// Reads a payment's status and PostgreSQL's clock. It has to be a later statement than the one
/// that locked the seat, to see what other transactions committed meanwhile.
pub async fn status(
    tx: &mut Tx,
    id: PaymentId,
) -> Result<(PaymentStatus, DateTime<Utc>), StoreError> {
    let row = sqlx::query!(
        r#"select status, clock_timestamp() as "now!" from payment where id = $1"#,
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((parse(&row.status), row.now))
}

fn parse(status: &str) -> PaymentStatus {
    if status == "REFUNDED" { PaymentStatus::Refunded } else { PaymentStatus::Complete }
}

/// Marks a complete payment and its reservation as refunded. The caller has locked their seat.
pub async fn refund(tx: &mut Tx, id: PaymentId) -> Result<Payment, StoreError> {
    let row = sqlx::query!(
        "update payment set status = 'REFUNDED', refunded_at = clock_timestamp()
         where id = $1 and status = 'COMPLETE' returning reservation_id, amount, payment_at",
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let done = sqlx::query!(
        r#"with done as (
             update reservation set status = 'REFUNDED'
             where id = $1 and status || '' = 'COMPLETE' returning id),
           ended as materialized (select count(*) as rows, array_agg(id) as ids from done)
           select rows as "rows!", record_reservations('reservation.refunded', ids)::text as noted
           from ended"#,
        row.reservation_id
    )
    .fetch_one(tx.conn())
    .await?;
    all_of(&[row.reservation_id], done.rows.unsigned_abs(), "reservations refunded")?;
    Ok(Payment {
        id,
        reservation_id: ReservationId(row.reservation_id),
        amount: row.amount,
        status: PaymentStatus::Refunded,
        payment_at: row.payment_at,
    })
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
