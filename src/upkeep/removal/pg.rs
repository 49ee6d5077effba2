//! The SQL that deletes removed concerts and schedules.

use std::time::Duration;

use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::{Pg, Tx};

/// Seconds from the mark until rows are deleted.
const AFTER_SECONDS: f64 = 3.0;

/// A schedule to delete.
#[derive(Debug, Clone, Copy)]
pub struct Removed {
    /// The schedule.
    pub schedule: ScheduleId,
    /// Its epoch.
    pub epoch: u64,
}

/// A large table whose rows are deleted in pages.
#[derive(Debug, Clone, Copy)]
pub enum Table {
    /// What the box office did for single buyers.
    BoxOfficeAction,
    /// Seats that guests had.
    GuestSeat,
    /// Reservations, with their refunded payments.
    Reservation,
    /// Entrants of a draw.
    DrawEntrant,
    /// Queue entries.
    Queue,
    /// Seats.
    Seat,
}

/// The large tables, in an order that references allow.
pub const TABLES: [Table; 6] = [
    Table::BoxOfficeAction,
    Table::GuestSeat,
    Table::Reservation,
    Table::DrawEntrant,
    Table::Queue,
    Table::Seat,
];

/// The outcome of one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Another process deletes rows of this schedule.
    Busy,
    /// No rows are left.
    Last,
    /// Rows after this one may be left.
    Next(i64),
}

/// Deletes the next rows of a table in the order of a column, after a value of it: an index keeps
/// deleted rows until a vacuum, and from the start each page would pass them.
macro_rules! delete_page {
    ($tx:ident, $table:literal, $column:literal, $schedule:ident, $after:ident, $limit:ident) => {
        sqlx::query_scalar!(
            r#"with page as materialized (
                 select max(position) as last from (
                   select "#
                + $column
                + r#"::bigint as position from "#
                + $table
                + r#"
                   where concert_schedule_id = $1 and "#
                + $column
                + r#" > $2::bigint order by "#
                + $column
                + r#" limit $3) as next),
               gone as (
                 delete from "#
                + $table
                + r#" where concert_schedule_id = $1 and "#
                + $column
                + r#" > $2::bigint and "#
                + $column
                + r#" <= (select last from page))
               select last from page"#,
            $schedule.0,
            $after,
            $limit
        )
        .fetch_one($tx.conn())
        .await?
    };
}

/// Lists the marked schedules in order of their ids.
pub async fn list_marked(pg: &Pg) -> Result<Vec<Removed>, StoreError> {
    let rows = sqlx::query!(
        "select id, queue_epoch from concert_schedule
         where removed_at is not null
           and removed_at < clock_timestamp() - make_interval(secs => $1) order by id",
        AFTER_SECONDS
    )
    .fetch_all(pg.pool())
    .await?;
    let removed = rows
        .into_iter()
        .map(|row| Removed { schedule: ScheduleId(row.id), epoch: row.queue_epoch.unsigned_abs() });
    Ok(removed.collect())
}

/// Deletes up to `limit` rows of `table` after a position.
pub async fn delete_page(
    pg: &Pg,
    table: Table,
    schedule: ScheduleId,
    after: i64,
    limit: i64,
) -> Result<Page, StoreError> {
    let mut tx = pg.begin("remove_rows").await?;
    if !take_turn(&mut tx, schedule).await? {
        return Ok(Page::Busy);
    }
    let last = match table {
        Table::BoxOfficeAction => {
            delete_page!(tx, "box_office_action", "id", schedule, after, limit)
        }
        Table::GuestSeat => {
            delete_page!(tx, "guest_seat", "reservation_id", schedule, after, limit)
        }
        Table::Reservation => delete_reservations(&mut tx, schedule, after, limit).await?,
        Table::DrawEntrant => {
            delete_page!(tx, "draw_entrant", "sequence", schedule, after, limit)
        }
        Table::Queue => delete_page!(tx, "queue", "sequence", schedule, after, limit),
        Table::Seat => delete_page!(tx, "seat", "seat_number", schedule, after, limit),
    };
    tx.commit().await?;
    Ok(last.map_or(Page::Last, Page::Next))
}

/// Lets one process at a time delete rows of a schedule. Lasts until the end of the transaction.
async fn take_turn(tx: &mut Tx, schedule: ScheduleId) -> Result<bool, StoreError> {
    tx.raise_limit(Duration::from_secs(15)).await?;
    let taken = sqlx::query_scalar!(
        r#"select pg_try_advisory_xact_lock(hashtextextended('removal:' || $1::bigint, 0))
             as "taken!""#,
        schedule.0
    );
    Ok(taken.fetch_one(tx.conn()).await?)
}

/// Deletes reservations with their payments. Only refunded payments: for any other, the reference to
/// its reservation makes this fail.
async fn delete_reservations(
    tx: &mut Tx,
    schedule: ScheduleId,
    after: i64,
    limit: i64,
) -> Result<Option<i64>, StoreError> {
    let last = sqlx::query_scalar!(
        "select max(id) from (select id from reservation
           where concert_schedule_id = $1 and id > $2 order by id limit $3) as next",
        schedule.0,
        after,
        limit
    )
    .fetch_one(tx.conn())
    .await?;
    let Some(last) = last else {
        return Ok(None);
    };
    sqlx::query!(
        // As an array, so that PostgreSQL looks up each of them and does not read all payments.
        "delete from payment where status = 'REFUNDED' and reservation_id = any (array(
           select id from reservation where concert_schedule_id = $1 and id > $2 and id <= $3))",
        schedule.0,
        after,
        last
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from reservation where concert_schedule_id = $1 and id > $2 and id <= $3",
        schedule.0,
        after,
        last
    )
    .execute(tx.conn())
    .await?;
    Ok(Some(last))
}

/// Deletes a schedule with the rows of its small tables, and what came to the large ones meanwhile.
/// Returns whether this call did.
pub async fn delete_schedule(pg: &Pg, schedule: ScheduleId) -> Result<bool, StoreError> {
    let mut tx = pg.begin("delete_schedule").await?;
    if !take_turn(&mut tx, schedule).await? {
        return Ok(false);
    }
    sqlx::query!("select id from concert_schedule where id = $1 for update", schedule.0)
        .fetch_optional(tx.conn())
        .await?;
    // A place that was issued again meanwhile.
    sqlx::query!("delete from box_office_action where concert_schedule_id = $1", schedule.0)
        .execute(tx.conn())
        .await?;
    // An archive batch that was being written when the pages were deleted.
    sqlx::query!("delete from draw_entrant where concert_schedule_id = $1", schedule.0)
        .execute(tx.conn())
        .await?;
    sqlx::query!("delete from queue where concert_schedule_id = $1", schedule.0)
        .execute(tx.conn())
        .await?;
    sqlx::query!(
        "with entries as (delete from outbox where payload -> 'schedule' = to_jsonb($1::bigint)),
              draws as (delete from draw where concert_schedule_id = $1),
              leases as (delete from draw_lease where concert_schedule_id = $1),
              archives as (delete from queue_archive where concert_schedule_id = $1),
              rejections as (delete from rejection_count where concert_schedule_id = $1),
              lost as (delete from lost_sale where concert_schedule_id = $1),
              phases as (delete from sale_phase where schedule_id = $1),
              removed as (delete from removed_seat where concert_schedule_id = $1)
         delete from sale_report where concert_schedule_id = $1",
        schedule.0
    )
    .execute(tx.conn())
    .await?;
    let done = sqlx::query!(
        "delete from concert_schedule where id = $1 and removed_at is not null",
        schedule.0
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes the marked concerts that have no schedules left.
pub async fn delete_concerts(pg: &Pg) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from concert c where c.removed_at is not null
           and not exists (select from concert_schedule s where s.concert_id = c.id)"
    )
    .execute(pg.writes())
    .await?;
    Ok(())
}
