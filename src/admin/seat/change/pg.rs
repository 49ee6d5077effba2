//! The SQL of replaced and priced seats.

use super::carry::{OldSeat, RemovedSeat};
use super::model::{PriceChange, SectionState, Totals};
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::{Pg, Tx};

/// Locks a schedule against everything: holds that are being written have ended, and others wait. So
/// no reservation appears before the end of the transaction.
pub async fn lock_whole(tx: &mut Tx, schedule: ScheduleId) -> Result<(), StoreError> {
    sqlx::query!("select id from concert_schedule where id = $1 for update", schedule.0)
        .fetch_optional(tx.conn())
        .await?;
    Ok(())
}

/// Whether a schedule has a reservation of any status.
pub async fn is_reserved(tx: &mut Tx, schedule: ScheduleId) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from reservation where concert_schedule_id = $1) as "found!""#,
        schedule.0
    );
    Ok(found.fetch_one(tx.conn()).await?)
}

/// The seats of a schedule by section and price, in order of seat numbers.
pub async fn sections(tx: &mut Tx, schedule: ScheduleId) -> Result<Vec<SectionState>, StoreError> {
    let rows = sqlx::query!(
        r#"select section, seat_price, count(distinct "row") as "rows!", count(*) as "seats!",
                  count(*) filter (where blocked) as "blocked!"
           from seat where concert_schedule_id = $1
           group by section, seat_price order by min(seat_number)"#,
        schedule.0
    )
    .fetch_all(tx.conn())
    .await?;
    let section = rows.into_iter().map(|row| SectionState {
        name: row.section,
        seat_price: row.seat_price,
        rows: count(row.rows),
        seats: count(row.seats),
        blocked: count(row.blocked),
    });
    Ok(section.collect())
}

/// The figures of all seats of a schedule.
pub async fn totals(tx: &mut Tx, schedule: ScheduleId) -> Result<Totals, StoreError> {
    let row = sqlx::query!(
        r#"with live as materialized (
             select seat_id, amount from reservation
             where concert_schedule_id = $1 and status in ('PAYMENT_WAITING', 'COMPLETE'))
           select count(*) as "seats!", count(*) filter (where s.blocked) as "blocked!",
                  coalesce(sum(coalesce(l.amount, s.seat_price)) filter (where not s.blocked), 0)
                    ::bigint as "takings!"
           from seat s left join live l on l.seat_id = s.id where s.concert_schedule_id = $1"#,
        schedule.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Totals { seats: row.seats, blocked: row.blocked, takings: row.takings })
}

/// The seats of a schedule that have changed since they were added.
pub async fn changed_seats(tx: &mut Tx, schedule: ScheduleId) -> Result<Vec<OldSeat>, StoreError> {
    let rows = sqlx::query!(
        r#"select seat_number, section, "row", place as "place!", fence, blocked
           from (select seat_number, section, "row", fence, blocked,
                        row_number() over (partition by section, "row" order by seat_number)
                          as place
                 from seat where concert_schedule_id = $1) numbered
           where fence > 0"#,
        schedule.0
    )
    .fetch_all(tx.conn())
    .await?;
    let old = rows.into_iter().map(|row| OldSeat {
        number: row.seat_number.unsigned_abs(),
        section: row.section,
        row: row.row,
        place: count(row.place),
        fence: row.fence,
        blocked: row.blocked,
    });
    Ok(old.collect())
}

/// The numbers of a schedule that changed once and have no seat now.
pub async fn removed_seats(
    tx: &mut Tx,
    schedule: ScheduleId,
) -> Result<Vec<RemovedSeat>, StoreError> {
    let rows = sqlx::query!(
        "select seat_number, fence from removed_seat where concert_schedule_id = $1",
        schedule.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.seat_number.unsigned_abs(), row.fence)).collect())
}

/// Replaces the list of numbers that changed once and have no seat now.
pub async fn write_removed_seats(
    tx: &mut Tx,
    schedule: ScheduleId,
    removed: &[RemovedSeat],
) -> Result<(), StoreError> {
    let numbers: Vec<i32> = removed.iter().map(|(number, _)| number.cast_signed()).collect();
    let fences: Vec<i64> = removed.iter().map(|(_, fence)| *fence).collect();
    sqlx::query!("delete from removed_seat where concert_schedule_id = $1", schedule.0)
        .execute(tx.conn())
        .await?;
    sqlx::query!(
        "insert into removed_seat (concert_schedule_id, seat_number, fence)
         select $1, number, fence from unnest($2::integer[], $3::bigint[]) as t (number, fence)",
        schedule.0,
        &numbers,
        &fences
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Deletes all seats of a schedule that is locked whole and has no reservation.
pub async fn delete_seats(tx: &mut Tx, schedule: ScheduleId) -> Result<(), StoreError> {
    sqlx::query!("delete from seat where concert_schedule_id = $1", schedule.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Locks all seats of these sections, in order of their ids. Returns their number.
pub async fn lock_sections(
    tx: &mut Tx,
    schedule: ScheduleId,
    sections: &[String],
) -> Result<i64, StoreError> {
    let locked = sqlx::query_scalar!(
        r#"select count(*) as "locked!" from (
             select id from seat where concert_schedule_id = $1 and section = any($2)
             order by id for no key update) as locked"#,
        schedule.0,
        sections
    );
    Ok(locked.fetch_one(tx.conn()).await?)
}

/// The outcome of new prices.
#[derive(Debug)]
pub struct Priced {
    /// Seats that have another price now.
    pub changed: i64,
    /// Seats that keep their price because buyers hold or own them.
    pub kept: i64,
    /// Positions of changes, from 1, that name no seat.
    pub unmatched: Vec<i64>,
}

/// Writes new prices of seats whose sections this transaction has locked. Seats with a live
/// reservation keep theirs.
pub async fn write_prices(
    tx: &mut Tx,
    schedule: ScheduleId,
    prices: &[PriceChange],
) -> Result<Priced, StoreError> {
    let sections: Vec<String> = prices.iter().map(|change| change.section.clone()).collect();
    let rows: Vec<Option<String>> = prices.iter().map(|change| change.row.clone()).collect();
    let now: Vec<Option<i64>> = prices.iter().map(|change| change.seat_price_now).collect();
    let new: Vec<i64> = prices.iter().map(|change| change.seat_price).collect();
    let row = sqlx::query!(
        r#"with wanted as (
             select * from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[])
               with ordinality as w (section, "row", price_now, price, n)),
           candidate as materialized (
             select s.id, w.price, w.n from seat s join wanted w on w.section = s.section
               and (w."row" is null or w."row" = s."row")
               and (w.price_now is null or w.price_now = s.seat_price)
             where s.concert_schedule_id = $1),
           matched as materialized (
             select distinct on (id) id, price from candidate order by id, n desc),
           live as materialized (
             select seat_id from reservation
             where concert_schedule_id = $1 and status in ('PAYMENT_WAITING', 'COMPLETE')),
           changed as (
             update seat s set seat_price = m.price from matched m
             where s.id = m.id and s.concert_schedule_id = $1 and s.seat_price <> m.price
               and not exists (select from live l where l.seat_id = s.id)
             returning 1)
           select (select count(*) from changed) as "changed!",
                  (select count(*) from matched m join live l on l.seat_id = m.id) as "kept!",
                  array(select n from wanted where n not in (select n from candidate) order by n)
                    as "unmatched!""#,
        schedule.0,
        &sections,
        &rows as &[Option<String>],
        &now as &[Option<i64>],
        &new
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Priced { changed: row.changed, kept: row.kept, unmatched: row.unmatched })
}

/// Raises the versions of the seats and of the layout, and that of the settings if the number of
/// seats may have changed.
pub async fn raise_versions(
    tx: &mut Tx,
    schedule: ScheduleId,
    counted: bool,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update concert_schedule set seats_version = seats_version + 1,
             layout_version = layout_version + 1,
             settings_version = settings_version + case when $2 then 1 else 0 end
         where id = $1",
        schedule.0,
        counted
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Opens a transaction that reads the seats of a schedule as of one moment.
pub async fn begin_read(pg: &Pg) -> Result<Tx, StoreError> {
    pg.begin_read("read_seats_state").await
}

fn count(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
