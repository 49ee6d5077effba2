//! The statements of holding: locks first, then the clock, in one order everywhere:
//! schedule (key share) → seats by id → reservations → points.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::model::{Reservation, ReservationStatus};
use crate::concert::model::ConcertStatus;
use crate::hold::model::FencedSeat;
use crate::queue::model::Sequence;
use crate::store::StoreError;
use crate::store::id::{ConcertId, ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::Tx;

/// Between the end of a hold and its takeover: payment stops at `expires_at`, nobody else may have
/// the seat before this much later, so no instant allows both.
pub const TAKEOVER_AFTER: Duration = Duration::from_secs(5);

/// A schedule as a hold needs it, with the clock read after it was locked.
#[derive(Debug, Clone)]
pub struct Sale {
    /// The concert.
    pub concert: ConcertId,
    /// Whether it is on.
    pub concert_status: ConcertStatus,
    /// When the sale opens.
    pub opens_at: DateTime<Utc>,
    /// When it closes.
    pub deadline_at: DateTime<Utc>,
    /// How long a hold lasts.
    pub hold_ttl: Duration,
    /// How many seats one user may have.
    pub max_seats: u32,
    /// PostgreSQL's clock.
    pub now: DateTime<Utc>,
}

/// A seat that this transaction has locked.
#[derive(Debug, Clone)]
pub struct LockedSeat {
    /// Its id.
    pub id: SeatId,
    /// Its number in the schedule.
    pub number: u32,
    /// The number of its last change.
    pub fence: i64,
    /// Points.
    pub price: i64,
    /// Sold or blocked.
    pub gone: bool,
}

/// A reservation that keeps others from a seat, or did until it lapsed.
#[derive(Debug, Clone, Copy)]
pub struct LiveRow {
    /// The row.
    pub id: ReservationId,
    /// The seat.
    pub seat: SeatId,
    /// So far past its end that the seat may be taken over.
    pub lapsed: bool,
}

/// Locks a schedule against being removed (not against new settings) and reads it.
pub async fn lock_schedule(tx: &mut Tx, id: ScheduleId) -> Result<Option<Sale>, StoreError> {
    let row = sqlx::query!(
        r#"select s.concert_id, c.status, s.reservation_available_at, s.deadline_at,
                  s.hold_ttl_seconds, s.max_seats_per_user, clock_timestamp() as "now!"
           from concert_schedule s join concert c on c.id = s.concert_id
           where s.id = $1 for key share of s"#,
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    let count = |count: i32| u32::try_from(count).unwrap_or(0);
    Ok(row.map(|row| Sale {
        concert: ConcertId(row.concert_id),
        concert_status: if row.status == "AVAILABLE" {
            ConcertStatus::Available
        } else {
            ConcertStatus::Unavailable
        },
        opens_at: row.reservation_available_at,
        deadline_at: row.deadline_at,
        hold_ttl: Duration::from_secs(u64::from(count(row.hold_ttl_seconds))),
        max_seats: count(row.max_seats_per_user),
        now: row.now,
    }))
}

/// Locks seats of a schedule in order of their ids; those that are not its seats are missing.
pub async fn lock_seats(
    tx: &mut Tx,
    schedule: ScheduleId,
    seats: &[SeatId],
) -> Result<Vec<LockedSeat>, StoreError> {
    let ids: Vec<i64> = seats.iter().map(|seat| seat.0).collect();
    let rows = sqlx::query!(
        r#"select id, seat_number, fence, seat_price,
                  (status <> 'AVAILABLE' or blocked) as "gone!"
           from seat where id = any($1) and concert_schedule_id = $2
           order by id for no key update"#,
        &ids,
        schedule.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| LockedSeat {
            id: SeatId(row.id),
            number: row.seat_number.unsigned_abs(),
            fence: row.fence,
            price: row.seat_price,
            gone: row.gone,
        })
        .collect())
}

/// The live reservations of seats that are locked. A statement of its own, after the locks: only
/// then does it see what the last holder of a lock committed, and the clock as it is now.
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

/// Moves waiting reservations to where they end.
///
/// # Errors
/// [`StoreError::Inconsistent`] where one of them, though locked, was not waiting.
pub async fn end_waiting(
    tx: &mut Tx,
    rows: &[ReservationId],
    status: ReservationStatus,
) -> Result<(), StoreError> {
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let done = sqlx::query!(
        "update reservation set status = $2 where id = any($1) and status = 'PAYMENT_WAITING'",
        &ids,
        status.as_str()
    )
    .execute(tx.conn())
    .await?;
    all_of(&ids, done.rows_affected(), "reservations ended")
}

/// What a buyer has in a schedule, for the two limits: live seats, and the most often that one of
/// `seats` was held by them in the last ten minutes and not paid.
pub async fn count_of(
    tx: &mut Tx,
    user: UserId,
    schedule: ScheduleId,
    seats: &[SeatId],
) -> Result<(u32, u32), StoreError> {
    let ids: Vec<i64> = seats.iter().map(|seat| seat.0).collect();
    let row = sqlx::query!(
        r#"select
             (select count(*) from reservation
              where user_id = $1 and concert_schedule_id = $2
                and (status = 'COMPLETE'
                     or status = 'PAYMENT_WAITING' and expires_at > clock_timestamp()))
               as "live!",
             (select coalesce(max(n), 0) from
                (select count(*) as n from reservation
                 where user_id = $1 and seat_id = any($3) and status in ('EXPIRED', 'CANCELLED')
                   and reservation_at > clock_timestamp() - interval '10 minutes'
                 group by seat_id) as held) as "churn!""#,
        user.0,
        schedule.0,
        &ids
    )
    .fetch_one(tx.conn())
    .await?;
    let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
    Ok((count(row.live), count(row.churn)))
}

/// Notes a change of seats that are locked: the fence rises, and `held_at` says since when they are
/// held (none: free). Returns each with its new fence, in order of ids.
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
        .map(|row| FencedSeat { number: row.seat_number.unsigned_abs(), fence: row.fence })
        .collect())
}

/// A hold to be written.
#[derive(Debug, Clone, Copy)]
pub struct NewHold<'a> {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub user: UserId,
    /// Of which concert.
    pub concert: ConcertId,
    /// Of which schedule.
    pub schedule: ScheduleId,
    /// Held from which place in line.
    pub sequence: Sequence,
    /// For how long.
    pub ttl: Duration,
    /// Which seats, all of them locked.
    pub seats: &'a [LockedSeat],
}

/// Writes one waiting reservation per seat, in order of seats. Fewer come back where the unique
/// index says that a seat has a live one: then nothing may be committed.
pub async fn insert(tx: &mut Tx, hold: NewHold<'_>) -> Result<Vec<Reservation>, StoreError> {
    let ids: Vec<i64> = hold.seats.iter().map(|seat| seat.id.0).collect();
    let prices: Vec<i64> = hold.seats.iter().map(|seat| seat.price).collect();
    let rows = sqlx::query!(
        r#"with clock as (select clock_timestamp() as now)
           insert into reservation (concert_id, concert_schedule_id, seat_id, user_id, hold_id,
                                    amount, status, queue_sequence, reservation_at, expires_at)
           select $1, $2, t.seat_id, $3, $4, t.amount, 'PAYMENT_WAITING', $5, clock.now,
                  clock.now + make_interval(secs => $6)
           from unnest($7::bigint[], $8::bigint[]) as t (seat_id, amount), clock
           on conflict do nothing
           returning id, seat_id, amount, reservation_at, expires_at"#,
        hold.concert.0,
        hold.schedule.0,
        hold.user.0,
        hold.id,
        hold.sequence.as_i64(),
        hold.ttl.as_secs_f64(),
        &ids,
        &prices
    )
    .fetch_all(tx.conn())
    .await?;
    let made = hold.seats.iter().filter_map(|seat| {
        let row = rows.iter().find(|row| row.seat_id == seat.id.0)?;
        Some(Reservation {
            id: ReservationId(row.id),
            hold_id: hold.id,
            concert_id: hold.concert,
            schedule_id: hold.schedule,
            seat_id: seat.id,
            seat_number: seat.number,
            status: ReservationStatus::PaymentWaiting,
            amount: row.amount,
            reservation_at: row.reservation_at,
            expires_at: row.expires_at,
        })
    });
    Ok(made.collect())
}

/// Whether as many rows were touched as were meant.
pub fn all_of(meant: &[i64], touched: u64, what: &str) -> Result<(), StoreError> {
    if touched == meant.len() as u64 {
        return Ok(());
    }
    Err(StoreError::Inconsistent(format!("{touched} of {} {what}", meant.len())))
}
