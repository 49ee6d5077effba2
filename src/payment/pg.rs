//! The SQL of payments and refunds.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::model::{Paid, PayRefusal, Payment, PaymentStatus};
use crate::idempotency::model::Request;
use crate::outbox::model::{OutboxId, Recorded};
use crate::pagination::Paging;
use crate::queue::model::Completed;
use crate::reservation::pg::all_of;
use crate::seats::model::SeatsChanged;
use crate::store::StoreError;
use crate::store::id::{PaymentId, ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::single::{Single, lost};
use crate::store::pg::{Pg, Tx};

/// What a payment paid for. A refund reads it before it takes locks.
#[derive(Debug, Clone, Copy)]
pub struct Paying {
    /// Id of the reservation.
    pub reservation: ReservationId,
    /// Id of its schedule.
    pub schedule: ScheduleId,
    /// Id of its seat.
    pub seat: SeatId,
}

/// Reply of the SQL function `pay_hold`.
#[derive(Debug)]
pub struct PayReply {
    /// Code of the reply, such as `OK` or `REPLAYED`.
    pub word: String,
    /// The payment, or its final refusal.
    pub outcome: Option<Result<Paid, PayRefusal>>,
    /// Outbox entry that marks the seats as sold in Redis.
    pub seats: Option<Recorded<SeatsChanged>>,
    /// Outbox entry that completes the queue entry in Redis.
    pub completed: Option<Recorded<Completed>>,
}

/// Calls `pay_hold`, which is the whole transaction of a payment. It also charges the points that
/// the balance lacks, up to `charge_up_to`.
pub async fn pay_hold(
    on: &mut Single,
    request: &Request,
    hold: Uuid,
    charge_up_to: Option<i64>,
) -> Result<PayReply, StoreError> {
    let row = sqlx::query!(
        r#"select reply as "reply!", outcome as "outcome: Json<Result<Paid, PayRefusal>>", seats_id,
                  seats as "seats: Json<SeatsChanged>", completed_id,
                  completed as "completed: Json<Completed>"
           from pay_hold($1, $2, $3, $4, $5)"#,
        request.user.0,
        request.key,
        &request.fingerprint()[..],
        hold,
        charge_up_to
    )
    .fetch_one(on.conn())
    .await
    .map_err(lost)?;
    Ok(PayReply {
        word: row.reply,
        outcome: row.outcome.map(|outcome| outcome.0),
        seats: recorded(row.seats_id, row.seats),
        completed: recorded(row.completed_id, row.completed),
    })
}

/// Reads what a user's payment paid for; `None` if the user has no such payment.
pub async fn find(tx: &mut Tx, user: UserId, id: PaymentId) -> Result<Option<Paying>, StoreError> {
    let row = sqlx::query!(
        "select p.reservation_id, r.concert_schedule_id, r.seat_id
         from payment p join reservation r on r.id = p.reservation_id
         where p.id = $1 and p.user_id = $2",
        id.0,
        user.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Paying {
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
        "update reservation set status = 'REFUNDED' where id = $1 and status = 'COMPLETE'",
        row.reservation_id
    )
    .execute(tx.conn())
    .await?;
    all_of(&[row.reservation_id], done.rows_affected(), "reservations refunded")?;
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
fn recorded<E>(id: Option<i64>, event: Option<Json<E>>) -> Option<Recorded<E>> {
    let (id, event) = id.zip(event)?;
    Some(Recorded { id: OutboxId(id), event: event.0 })
}
