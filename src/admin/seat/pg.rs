//! The SQL that adds, blocks and unblocks seats.

use std::time::Duration;

use super::change::carry::Carried;
use super::model::Columns;
use crate::seats::model::FencedSeat;
use crate::store::StoreError;
use crate::store::id::{ScheduleId, SeatId};
use crate::store::pg::{Pg, Tx};

/// A seat that this transaction has locked.
#[derive(Debug, Clone, Copy)]
pub struct LockedSeat {
    /// Id of the seat.
    pub id: SeatId,
    /// Whether it is blocked.
    pub blocked: bool,
}

/// Raises this transaction's limits to 15 s per statement and 8 s per lock. Inserting 100,000 rows
/// with their indexes takes longer than a buyer's statement, and so does waiting for another
/// insert.
pub async fn take_time(tx: &mut Tx) -> Result<(), StoreError> {
    tx.raise_limit(Duration::from_secs(15)).await?;
    sqlx::query!("set local lock_timeout = 8000").execute(tx.conn()).await?;
    Ok(())
}

/// Adds seats with their fences and blocks, in one statement. The caller has locked the schedule, and
/// raises its versions.
pub async fn insert(
    tx: &mut Tx,
    schedule: ScheduleId,
    seats: &Columns,
    carried: &Carried,
) -> Result<(), StoreError> {
    let done = sqlx::query!(
        r#"insert into seat (concert_schedule_id, seat_number, section, "row", seat_price, fence,
                             blocked)
           select $1, $2 + n - 1, section, "row", price, fence, blocked
           from unnest($3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::boolean[])
                with ordinality as added (section, "row", price, fence, blocked, n)"#,
        schedule.0,
        i64::from(carried.first) as _,
        &seats.sections,
        &seats.rows,
        &seats.prices,
        &carried.fences,
        &carried.blocked
    )
    .execute(tx.conn())
    .await?;
    if usize::try_from(done.rows_affected()).ok() != Some(seats.len()) {
        let reason = format!("{} seats written of {}", done.rows_affected(), seats.len());
        return Err(StoreError::Inconsistent(reason));
    }
    Ok(())
}

/// Raises the version of the seats.
pub async fn raise_seats_version(tx: &mut Tx, schedule: ScheduleId) -> Result<(), StoreError> {
    sqlx::query!(
        "update concert_schedule set seats_version = seats_version + 1 where id = $1",
        schedule.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Locks seats of a schedule in order of their ids, to prevent deadlocks.
pub async fn lock(
    tx: &mut Tx,
    schedule: ScheduleId,
    seats: &[SeatId],
) -> Result<Vec<LockedSeat>, StoreError> {
    let ids: Vec<i64> = seats.iter().map(|seat| seat.0).collect();
    let rows = sqlx::query!(
        "select id, blocked from seat where concert_schedule_id = $1 and id = any($2)
         order by id for no key update",
        schedule.0,
        &ids
    )
    .fetch_all(tx.conn())
    .await?;
    let locked =
        rows.into_iter().map(|row| LockedSeat { id: SeatId(row.id), blocked: row.blocked });
    Ok(locked.collect())
}

/// Blocks or unblocks locked seats that no buyer holds or owns. Returns their new fences.
pub async fn write_blocked(
    tx: &mut Tx,
    seats: &[SeatId],
    blocked: bool,
) -> Result<Vec<FencedSeat>, StoreError> {
    let ids: Vec<i64> = seats.iter().map(|seat| seat.0).collect();
    let rows = sqlx::query!(
        "update seat set blocked = $2, reservation_at = null, fence = fence + 1
         where id = any($1) returning seat_number, fence",
        &ids,
        blocked
    )
    .fetch_all(tx.conn())
    .await?;
    if rows.len() != seats.len() {
        let reason = format!("{} seats changed of {} locked", rows.len(), seats.len());
        return Err(StoreError::Inconsistent(reason));
    }
    let fenced = rows.into_iter().map(|row| {
        let number = u32::try_from(row.seat_number)
            .map_err(|_| StoreError::Inconsistent(format!("seat number {}", row.seat_number)))?;
        Ok(FencedSeat { number, fence: row.fence, user: None })
    });
    fenced.collect()
}

/// Lists the blocked seats of a schedule in order of seat number.
pub async fn blocked(pg: &Pg, schedule: ScheduleId) -> Result<Vec<SeatId>, StoreError> {
    let ids = sqlx::query_scalar!(
        "select id from seat where concert_schedule_id = $1 and blocked order by seat_number",
        schedule.0
    );
    Ok(ids.fetch_all(pg.pool()).await?.into_iter().map(SeatId).collect())
}
