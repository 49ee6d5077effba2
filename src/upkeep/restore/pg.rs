//! The SQL of `onsale restore`.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::model::DatabaseIdentity;
use crate::store::StoreError;
use crate::store::id::{ScheduleId, SeatId, UserId};
use crate::store::pg::{Pg, Tx};

/// The column of a table that numbers its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Numbered {
    /// Name of the table.
    pub(super) table: String,
    /// The same, quoted for SQL where it must be.
    quoted: String,
    column: String,
    sequence: String,
}

/// A seat as PostgreSQL has it now.
#[derive(Debug, Clone)]
pub(super) struct SeatRow {
    pub(super) id: SeatId,
    pub(super) number: u32,
    pub(super) section: String,
    pub(super) row: String,
    pub(super) is_sold: bool,
    pub(super) is_blocked: bool,
    /// The hold and the user of its live reservation.
    pub(super) live: Option<(Uuid, UserId)>,
}

/// Which copy of the database this is.
pub(super) async fn identity(pg: &Pg) -> Result<DatabaseIdentity, StoreError> {
    let row = sqlx::query!(
        r#"select (select system_identifier from pg_control_system()) as "system!",
                  left(pg_walfile_name(pg_current_wal_lsn()), 8) as "timeline!",
                  (select oid::bigint from pg_database where datname = current_database()) as "oid!""#
    )
    .fetch_one(pg.pool())
    .await?;
    Ok(DatabaseIdentity { system: row.system, timeline: row.timeline, oid: row.oid })
}

/// Every identity column of the schema.
pub(super) async fn numbered(pg: &Pg) -> Result<Vec<Numbered>, StoreError> {
    let rows = sqlx::query!(
        r#"select c.relname::text as "table!", quote_ident(c.relname) as "quoted!",
                  quote_ident(a.attname) as "column!",
                  pg_get_serial_sequence(quote_ident(c.relname), a.attname) as "sequence!"
           from pg_class c join pg_attribute a on a.attrelid = c.oid
           where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
             and a.attidentity <> '' and not a.attisdropped
           order by c.relname"#
    )
    .fetch_all(pg.pool())
    .await?;
    let numbered = rows.into_iter().map(|row| Numbered {
        table: row.table,
        quoted: row.quoted,
        column: row.column,
        sequence: row.sequence,
    });
    Ok(numbered.collect())
}

/// The last id that each table gave out.
pub(super) async fn last_ids(pg: &Pg) -> Result<BTreeMap<String, i64>, StoreError> {
    let mut last_ids = BTreeMap::new();
    for Numbered { table, sequence, .. } in numbered(pg).await? {
        // The name comes from the catalogue, quoted.
        let ask = AssertSqlSafe(format!("select last_value from {sequence}"));
        last_ids.insert(table, sqlx::query_scalar(ask).fetch_one(pg.pool()).await?);
    }
    Ok(last_ids)
}

/// Makes a table continue from `first_id`, or from after its highest id if that is higher. Not undone
/// by a rollback, which does no harm: ids are only skipped.
pub(super) async fn move_ids(
    tx: &mut Tx,
    numbered: &Numbered,
    first_id: i64,
) -> Result<(), StoreError> {
    let Numbered { quoted, column, sequence, .. } = numbered;
    let statement = format!(
        "select setval('{sequence}', greatest($1, (select last_value from {sequence}) + 1,
           (select coalesce(max({column}), 0) from {quoted}) + 1), false)"
    );
    sqlx::query_scalar::<_, i64>(AssertSqlSafe(statement))
        .bind(first_id)
        .fetch_one(tx.conn())
        .await?;
    Ok(())
}

/// Makes the feed continue after a position, so that no event gets the position of one that was lost.
pub(super) async fn move_feed(tx: &mut Tx, after: i64) -> Result<(), StoreError> {
    sqlx::query!("update event_position set position = greatest(position, $1)", after)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Number of other sessions of onsale in this database.
pub(super) async fn other_sessions(pg: &Pg) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from pg_stat_activity
           where datname = current_database() and application_name = 'onsale'
             and pid <> pg_backend_pid()"#
    );
    Ok(count.fetch_one(pg.pool()).await?)
}

/// Raises this transaction's limits, since it changes the seats of many sales.
pub(super) async fn take_time(tx: &mut Tx) -> Result<(), StoreError> {
    tx.raise_limit(Duration::from_mins(1)).await?;
    sqlx::query!("set local lock_timeout = 8000").execute(tx.conn()).await?;
    sqlx::query!("set local idle_in_transaction_session_timeout = 60000")
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The changes of an earlier run for this file; `None` if there was none. A run at the same time is
/// waited for.
pub(super) async fn find_finished(tx: &mut Tx, file: Uuid) -> Result<Option<Value>, StoreError> {
    sqlx::query!(
        r#"select true as "locked!" from pg_advisory_xact_lock(hashtext('onsale restore finish'))"#
    )
    .fetch_one(tx.conn())
    .await?;
    let changes = sqlx::query_scalar!("select changes from restore where file_id = $1", file);
    Ok(changes.fetch_optional(tx.conn()).await?)
}

/// PostgreSQL's clock in seconds since 1970, and the last token generation; 0 before the first.
pub(super) async fn last_generation(tx: &mut Tx) -> Result<(i64, i64), StoreError> {
    let row = sqlx::query!(
        r#"select floor(extract(epoch from clock_timestamp()))::bigint as "now!",
                  coalesce(max(generation), 0) as "last!" from restore"#
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.now, row.last))
}

/// The highest user id; of users that were created after `since`, the one before the first of them.
pub(super) async fn highest_user_before(
    tx: &mut Tx,
    since: DateTime<Utc>,
) -> Result<i64, StoreError> {
    let highest = sqlx::query_scalar!(
        r#"select coalesce((select min(id) - 1 from "user" where created_at > $1),
                           (select max(id) from "user"), 0) as "highest!""#,
        since
    );
    Ok(highest.fetch_one(tx.conn()).await?)
}

/// Raises the epochs and the layout versions of all schedules that had keys in Redis; returns how
/// many. `known` has the epochs that Redis knows. Where Redis knows none as high as PostgreSQL's, it
/// has lost some, and the epoch rises by 10.
pub(super) async fn raise_epochs(
    tx: &mut Tx,
    known: &[(ScheduleId, u64)],
) -> Result<u64, StoreError> {
    let ids: Vec<i64> = known.iter().map(|(schedule, _)| schedule.0).collect();
    let epochs: Vec<i64> = known.iter().map(|(_, epoch)| epoch.cast_signed()).collect();
    let done = sqlx::query!(
        "update concert_schedule s
            set queue_epoch = greatest(s.queue_epoch, k.epoch)
                  + case when k.epoch >= s.queue_epoch then 1 else 10 end,
                layout_version = s.layout_version + 1000
           from (select s.id, coalesce(k.epoch, 0) as epoch from concert_schedule s
                   left join unnest($1::bigint[], $2::bigint[]) as k (id, epoch) on k.id = s.id) k
          where s.id = k.id and greatest(s.queue_epoch, k.epoch) > 0",
        &ids,
        &epochs
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// Locks those of the seats with these numbers that are neither sold nor blocked, in order of their
/// ids, and returns them.
pub(super) async fn lock_unsold(
    tx: &mut Tx,
    schedule: ScheduleId,
    numbers: &[i32],
) -> Result<Vec<SeatId>, StoreError> {
    let ids = sqlx::query_scalar!(
        "select id from seat where concert_schedule_id = $1 and seat_number = any($2)
           and status = 'AVAILABLE' and not blocked order by id for no key update",
        schedule.0,
        numbers
    );
    Ok(ids.fetch_all(tx.conn()).await?.into_iter().map(SeatId).collect())
}

/// Blocks locked seats, and ends unpaid holds of them: what was paid for them is lost.
pub(super) async fn block(tx: &mut Tx, seats: &[SeatId]) -> Result<(), StoreError> {
    let ids: Vec<i64> = seats.iter().map(|seat| seat.0).collect();
    sqlx::query_scalar!(r#"select end_holds($1) as "ended!""#, &ids).fetch_one(tx.conn()).await?;
    sqlx::query!(
        "update seat set blocked = true, reservation_at = null, fence = fence + 1
         where id = any($1)",
        &ids
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Records a finished restore.
pub(super) async fn record(
    tx: &mut Tx,
    file: Uuid,
    (generation, kept_users, first_id): (i64, i64, i64),
    changes: &Value,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into restore (file_id, generation, kept_users, first_id, changes)
         values ($1, $2, $3, $4, $5)",
        file,
        generation,
        kept_users,
        first_id,
        changes
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes the audit row, as the operator's user.
pub(super) async fn write_audit(
    tx: &mut Tx,
    operator: UserId,
    file: Uuid,
    changes: &Value,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into audit (admin, action, subject, after) values ($1, 'restore.finish', $2, $3)",
        operator.0,
        format!("restore {file}"),
        changes
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether there is a schedule with this id.
pub(super) async fn exists(pg: &Pg, schedule: ScheduleId) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from concert_schedule where id = $1) as "found!""#,
        schedule.0
    );
    Ok(found.fetch_one(pg.pool()).await?)
}

/// The seats of a schedule that are sold, or have one of these numbers, by their numbers.
pub(super) async fn seats(
    pg: &Pg,
    schedule: ScheduleId,
    numbers: &[i32],
) -> Result<Vec<SeatRow>, StoreError> {
    let rows = sqlx::query!(
        r#"select s.id, s.seat_number, s.section, s."row", s.status = 'UNAVAILABLE' as "is_sold!",
                  s.blocked, r.hold_id as "hold_id?", r.user_id as "user_id?"
           from seat s left join reservation r
             on r.seat_id = s.id and r.status in ('PAYMENT_WAITING', 'COMPLETE')
           where s.concert_schedule_id = $1
             and (s.status = 'UNAVAILABLE' or s.seat_number = any($2))
           order by s.seat_number"#,
        schedule.0,
        numbers
    )
    .fetch_all(pg.pool())
    .await?;
    let seats = rows.into_iter().map(|row| SeatRow {
        id: SeatId(row.id),
        number: row.seat_number.unsigned_abs(),
        section: row.section,
        row: row.row,
        is_sold: row.is_sold,
        is_blocked: row.blocked,
        live: row.hold_id.zip(row.user_id.map(UserId)),
    });
    Ok(seats.collect())
}
