//! The SQL of holds. Transactions take all locks first, then read the clock. The order of locks is
//! the same everywhere: schedule (key share) → seats by id → points. Writing a hold is in [`hold`].
//!
//! The statements read and change rows by primary key, seat, hold or user only. `status || ''` and
//! `concert_schedule_id + 0` keep PostgreSQL from choosing a partial index, or one by schedule:
//! such an index has an entry for everything that is or was on sale ([why][0043]).
//!
//! [0043]: ../../../docs/decisions/0043-plans-by-key-only.md

pub mod hold;

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::model::ReservationStatus;
use crate::seats::model::FencedSeat;
use crate::store::StoreError;
use crate::store::id::{ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::{Pg, Tx};

/// Time from the end of a hold until other buyers may take over its seats. Payment stops at
/// `expires_at`, so no instant allows both a payment and a takeover.
pub const TAKEOVER_AFTER: Duration = Duration::from_secs(5);

/// A reservation that keeps other buyers from a seat, or did until it lapsed.
#[derive(Debug, Clone, Copy)]
pub struct LiveRow {
    /// Id of the reservation.
    pub id: ReservationId,
    /// Id of the seat.
    pub seat: SeatId,
    /// It is so far past its end that another buyer may take over the seat.
    pub lapsed: bool,
}

/// Locks a schedule against removal, but not against new settings, and reads its deadline.
pub async fn lock_schedule(
    tx: &mut Tx,
    id: ScheduleId,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let lock = sqlx::query_scalar!(
        "select deadline_at from concert_schedule where id = $1 for key share",
        id.0
    );
    Ok(lock.fetch_optional(tx.conn()).await?)
}

/// Locks seats of a schedule in order of their ids, to prevent deadlocks.
pub async fn lock_seats(
    tx: &mut Tx,
    schedule: ScheduleId,
    seats: &[SeatId],
) -> Result<(), StoreError> {
    let ids: Vec<i64> = seats.iter().map(|seat| seat.0).collect();
    sqlx::query!(
        "select id from seat where id = any($1) and concert_schedule_id + 0 = $2
         order by id for no key update",
        &ids,
        schedule.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(())
}

/// Reads the live reservations of locked seats. It has to be a later statement than the locks, to
/// see what the previous holder of a lock committed, and the current time.
pub async fn live_rows(tx: &mut Tx, seats: &[SeatId]) -> Result<Vec<LiveRow>, StoreError> {
    let ids: Vec<i64> = seats.iter().map(|seat| seat.0).collect();
    let rows = sqlx::query!(
        r#"select id, seat_id, (status = 'PAYMENT_WAITING'
                  and expires_at + make_interval(secs => $2) <= clock_timestamp()) as "lapsed!"
           from reservation
           where seat_id = any($1) and status in ('PAYMENT_WAITING', 'COMPLETE')
           order by id for no key update"#,
        &ids,
        TAKEOVER_AFTER.as_secs_f64()
    )
    .fetch_all(tx.conn())
    .await?;
    let live = |id, seat, lapsed| LiveRow { id: ReservationId(id), seat: SeatId(seat), lapsed };
    Ok(rows.into_iter().map(|row| live(row.id, row.seat_id, row.lapsed)).collect())
}

/// Reads a user's reservations in a schedule that are past their end and still wait for payment.
/// They can no longer be paid, and other buyers may not have the seats yet.
pub async fn lapsed_rows(
    tx: &mut Tx,
    schedule: ScheduleId,
    user: UserId,
) -> Result<Vec<LiveRow>, StoreError> {
    let rows = sqlx::query!(
        "select id, seat_id from reservation
         where user_id = $1 and concert_schedule_id + 0 = $2 and status || '' = 'PAYMENT_WAITING'
           and expires_at <= clock_timestamp() order by id",
        user.0,
        schedule.0
    )
    .fetch_all(tx.conn())
    .await?;
    let lapsed = |id, seat| LiveRow { id: ReservationId(id), seat: SeatId(seat), lapsed: true };
    Ok(rows.into_iter().map(|row| lapsed(row.id, row.seat_id)).collect())
}

/// Ends waiting reservations with this status.
///
/// # Errors
/// [`StoreError::Inconsistent`] if one of them, although locked, was not waiting for payment.
pub async fn end_waiting(
    tx: &mut Tx,
    rows: &[ReservationId],
    status: ReservationStatus,
) -> Result<(), StoreError> {
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    // The function's own statements see the rows as they are after the update.
    let done = sqlx::query!(
        r#"with done as (
             update reservation set status = $2, ended_at = clock_timestamp()
             where id = any($1) and status || '' = 'PAYMENT_WAITING' returning id),
           ended as materialized (select count(*) as rows, array_agg(id) as ids from done)
           select rows as "rows!", record_reservations('reservation.' || lower($2), ids)::text as noted
           from ended"#,
        &ids,
        status.as_str()
    )
    .fetch_one(tx.conn())
    .await?;
    all_of(&ids, done.rows.unsigned_abs(), "reservations ended")
}

/// Sets the state of locked seats and raises their fences. Seats that are neither `sold` nor `held`
/// become free. Returns each seat with its new fence.
pub async fn change_seats(
    tx: &mut Tx,
    seats: &[SeatId],
    sold: bool,
    held: bool,
) -> Result<Vec<FencedSeat>, StoreError> {
    let ids: Vec<i64> = seats.iter().map(|seat| seat.0).collect();
    let rows = sqlx::query!(
        "update seat set fence = fence + 1,
                status = case when $2 then 'UNAVAILABLE' else 'AVAILABLE' end,
                reservation_at = case when $3 then clock_timestamp() when $2 then reservation_at end
         where id = any($1) returning seat_number, fence",
        &ids,
        sold,
        held
    )
    .fetch_all(tx.conn())
    .await?;
    all_of(&ids, rows.len() as u64, "seats changed")?;
    Ok(rows
        .into_iter()
        .map(|row| FencedSeat {
            number: row.seat_number.unsigned_abs(),
            fence: row.fence,
            user: None,
        })
        .collect())
}

/// Checks that a statement changed all `expected` rows.
///
/// # Errors
/// [`StoreError::Inconsistent`] if it changed another number of rows.
pub fn all_of(expected: &[i64], changed: u64, what: &str) -> Result<(), StoreError> {
    if changed == expected.len() as u64 {
        return Ok(());
    }
    Err(StoreError::Inconsistent(format!("{changed} of {} {what}", expected.len())))
}

/// Lists up to `limit` seats whose reservation is overdue by more than `takeover_seconds`, with
/// their schedules. The clock is read once, so that it bounds the scan of the index.
pub async fn overdue(
    pg: &Pg,
    takeover_seconds: f64,
    limit: i64,
) -> Result<Vec<(ScheduleId, SeatId)>, StoreError> {
    let rows = sqlx::query!(
        "select concert_schedule_id, seat_id from reservation
         where status = 'PAYMENT_WAITING'
           and expires_at < (select clock_timestamp() - make_interval(secs => $1))
         order by expires_at limit $2",
        takeover_seconds,
        limit
    )
    .fetch_all(pg.pool())
    .await?;
    let seat = |schedule, seat| (ScheduleId(schedule), SeatId(seat));
    Ok(rows.into_iter().map(|row| seat(row.concert_schedule_id, row.seat_id)).collect())
}
