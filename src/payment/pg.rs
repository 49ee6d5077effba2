//! The `payment` table, and the last step of a reservation.

use chrono::{DateTime, Utc};

use super::model::{Payment, PaymentStatus};
use crate::http::page::Paging;
use crate::reservation::model::Reservation;
use crate::reservation::pg::all_of;
use crate::store::StoreError;
use crate::store::id::{PaymentId, ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::{Pg, Tx};

/// What refunding needs to know before anything is locked.
#[derive(Debug, Clone, Copy)]
pub struct Paying {
    /// What was paid for.
    pub reservation: ReservationId,
    /// Of which schedule.
    pub schedule: ScheduleId,
    /// Which seat.
    pub seat: SeatId,
}

/// Completes reservations that wait, and writes a payment for each.
pub async fn complete(
    tx: &mut Tx,
    user: UserId,
    rows: &[Reservation],
) -> Result<Vec<Payment>, StoreError> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id.0).collect();
    let done = sqlx::query!(
        "update reservation set status = 'COMPLETE'
         where id = any($1) and status = 'PAYMENT_WAITING'",
        &ids
    )
    .execute(tx.conn())
    .await?;
    all_of(&ids, done.rows_affected(), "reservations completed")?;
    let paid = sqlx::query!(
        "insert into payment (reservation_id, user_id, amount, status)
         select id, user_id, amount, 'COMPLETE' from reservation
         where id = any($1) and user_id = $2 order by id
         returning id, reservation_id, amount, payment_at",
        &ids,
        user.0
    )
    .fetch_all(tx.conn())
    .await?;
    all_of(&ids, paid.len() as u64, "payments written")?;
    let payment = |id, reservation, amount, payment_at| Payment {
        id: PaymentId(id),
        reservation_id: ReservationId(reservation),
        amount,
        status: PaymentStatus::Complete,
        payment_at,
    };
    Ok(paid
        .into_iter()
        .map(|row| payment(row.id, row.reservation_id, row.amount, row.payment_at))
        .collect())
}

/// What a user's payment paid for.
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

/// Where a payment stands, and PostgreSQL's clock: a statement after the one that locked its seat.
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

/// Refunds a payment that is complete, and its reservation; their seat is locked.
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

/// A user's payments, newest first.
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
