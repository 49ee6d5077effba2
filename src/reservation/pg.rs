//! The statements of holding and giving back: locks first, then the clock, in one order everywhere:
//! schedule (key share) → seats by id → points. Holding is one call of `hold_seats`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::model::{Hold, ReservationStatus};
use crate::idempotency::model::Request;
use crate::outbox::model::OutboxId;
use crate::queue::model::Sequence;
use crate::seats::model::{FencedSeat, SeatsChanged};
use crate::store::StoreError;
use crate::store::id::{ReservationId, ScheduleId, SeatId, UserId};
use crate::store::pg::single::{Single, lost};
use crate::store::pg::{Pg, Tx, violated};

/// Between the end of a hold and its takeover: payment stops at `expires_at`, nobody else may have
/// the seat before this much later, so no instant allows both.
pub const TAKEOVER_AFTER: Duration = Duration::from_secs(5);

/// Unpaid holds of one seat by one user, within ten minutes and the time that so many last; one more
/// is refused.
const CHURN: i32 = 3;

/// What says that a seat has an owner already, should the locks be wrong.
const ONE_OWNER: [&str; 2] = ["reservation_one_live_per_seat", "reservation_of_hold"];

/// A reservation that keeps others from a seat, or did until it lapsed.
#[derive(Debug, Clone, Copy)]
pub struct LiveRow {
    /// The row.
    pub id: ReservationId,
    /// The seat.
    pub seat: SeatId,
    /// So far past its end that the seat may be taken over, by whoever asks.
    pub lapsed: bool,
}

/// Locks a schedule against being removed (not against new settings), and reads its deadline.
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

/// Locks seats of a schedule in order of their ids.
pub async fn lock_seats(
    tx: &mut Tx,
    schedule: ScheduleId,
    seats: &[SeatId],
) -> Result<(), StoreError> {
    let ids: Vec<i64> = seats.iter().map(|seat| seat.0).collect();
    sqlx::query!(
        "select id from seat where id = any($1) and concert_schedule_id = $2
         order by id for no key update",
        &ids,
        schedule.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(())
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

/// A user's holds of a schedule that are past their end and wait for payment still, row by row: they
/// can't be paid any more, and others may not have the seats yet.
pub async fn lapsed_rows(
    tx: &mut Tx,
    schedule: ScheduleId,
    user: UserId,
) -> Result<Vec<LiveRow>, StoreError> {
    let rows = sqlx::query!(
        "select id, seat_id from reservation
         where user_id = $1 and concert_schedule_id + 0 = $2 and status = 'PAYMENT_WAITING'
           and expires_at <= clock_timestamp() order by id",
        user.0,
        schedule.0
    )
    .fetch_all(tx.conn())
    .await?;
    let lapsed = |id, seat| LiveRow { id: ReservationId(id), seat: SeatId(seat), lapsed: true };
    Ok(rows.into_iter().map(|row| lapsed(row.id, row.seat_id)).collect())
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
        .map(|row| FencedSeat {
            number: row.seat_number.unsigned_abs(),
            fence: row.fence,
            user: None,
        })
        .collect())
}

/// A hold to be written.
#[derive(Debug, Clone, Copy)]
pub struct NewHold<'a> {
    /// Whose, under which key.
    pub request: &'a Request,
    /// Of which schedule.
    pub schedule: ScheduleId,
    /// Its id.
    pub id: Uuid,
    /// Held from which place in line.
    pub sequence: Sequence,
    /// Which seats.
    pub seats: &'a [SeatId],
}

/// What `hold_seats` came to.
#[derive(Debug)]
pub struct HoldReply {
    /// How it ended.
    pub word: String,
    /// The hold.
    pub outcome: Option<Hold>,
    /// Those that are somebody else's.
    pub taken: Vec<SeatId>,
    /// How many seats one user may have.
    pub limit: u32,
    /// What Redis is to be told.
    pub changed: Option<(OutboxId, SeatsChanged)>,
}

/// Runs `hold_seats`: the whole transaction of a hold. A live row that slipped by the locks is a
/// taken seat.
pub async fn hold_seats(on: &mut Single, new: NewHold<'_>) -> Result<HoldReply, StoreError> {
    let ids: Vec<i64> = new.seats.iter().map(|seat| seat.0).collect();
    let called = sqlx::query!(
        r#"select reply as "reply!", outcome as "outcome: Json<Hold>", taken, seat_limit, seats_id,
                  seats as "seats: Json<SeatsChanged>"
           from hold_seats($1, $2, $3, $4, $5, $6, $7, $8, $9)"#,
        new.request.user.0,
        new.request.key,
        &new.request.fingerprint()[..],
        new.schedule.0,
        new.id,
        new.sequence.as_i64(),
        &ids,
        TAKEOVER_AFTER.as_secs_f64(),
        CHURN
    )
    .fetch_one(on.conn())
    .await;
    let row = match called {
        Ok(row) => row,
        Err(error) if violated(&error).is_some_and(|name| ONE_OWNER.contains(&name)) => {
            let (word, taken) = ("TAKEN".to_owned(), new.seats.to_vec());
            return Ok(HoldReply { word, outcome: None, taken, limit: 0, changed: None });
        }
        Err(error) => return Err(lost(error)),
    };
    let changed = row.seats_id.zip(row.seats).map(|(id, seats)| (OutboxId(id), seats.0));
    Ok(HoldReply {
        word: row.reply,
        outcome: row.outcome.map(|outcome| outcome.0),
        taken: row.taken.unwrap_or_default().into_iter().map(SeatId).collect(),
        limit: row.seat_limit.map_or(0, i32::unsigned_abs),
        changed,
    })
}

/// Whether as many rows were touched as were meant.
pub fn all_of(meant: &[i64], touched: u64, what: &str) -> Result<(), StoreError> {
    if touched == meant.len() as u64 {
        return Ok(());
    }
    Err(StoreError::Inconsistent(format!("{touched} of {} {what}", meant.len())))
}

/// Seats whose reservation is overdue by so much that it may be ended, with their schedules.
pub async fn overdue(
    pg: &Pg,
    takeover_seconds: f64,
    limit: i64,
) -> Result<Vec<(ScheduleId, SeatId)>, StoreError> {
    let rows = sqlx::query!(
        "select concert_schedule_id, seat_id from reservation
         where status = 'PAYMENT_WAITING'
           and expires_at < clock_timestamp() - make_interval(secs => $1)
         order by expires_at limit $2",
        takeover_seconds,
        limit
    )
    .fetch_all(pg.pool())
    .await?;
    let seat = |schedule, seat| (ScheduleId(schedule), SeatId(seat));
    Ok(rows.into_iter().map(|row| seat(row.concert_schedule_id, row.seat_id)).collect())
}
