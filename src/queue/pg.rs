//! The SQL of the waiting room: the table `queue`, its archive position, and the epoch.

pub mod admissions;

use chrono::{DateTime, Utc};

use super::archive::{Row, Slot};
use super::model::{Sequence, TicketStatus};
use crate::store::StoreError;
use crate::store::id::{ScheduleId, UserId};
use crate::store::pg::{Pg, Tx};

/// The epoch of a schedule; 0 if its keys were never built or it does not exist.
pub async fn epoch(pg: &Pg, schedule: ScheduleId) -> Result<u64, StoreError> {
    let epoch =
        sqlx::query_scalar!("select queue_epoch from concert_schedule where id = $1", schedule.0)
            .fetch_optional(pg.pool())
            .await?;
    Ok(epoch.and_then(|epoch| u64::try_from(epoch).ok()).unwrap_or(0))
}

/// The highest sequence in the table `queue`; 0 if there is none.
pub async fn highest(pg: &Pg, schedule: ScheduleId) -> Result<Sequence, StoreError> {
    let highest = sqlx::query_scalar!(
        "select max(sequence) from queue where concert_schedule_id = $1",
        schedule.0
    );
    let highest = highest.fetch_one(pg.pool()).await?;
    Ok(Sequence(highest.and_then(|highest| u64::try_from(highest).ok()).unwrap_or(0)))
}

/// Raises the epoch by 1 if it is still `seen`; false if another process has raised it.
pub async fn raise_epoch(pg: &Pg, schedule: ScheduleId, seen: u64) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update concert_schedule set queue_epoch = queue_epoch + 1
         where id = $1 and queue_epoch = $2 and removed_at is null",
        schedule.0,
        seen.cast_signed()
    )
    .execute(pg.writes())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How far a schedule's log is archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// The epoch of the position.
    pub epoch: u64,
    /// The position in the log.
    pub position: String,
    /// Up to where the entries were also applied to the list of a draw's entrants.
    listed: String,
}

impl Archived {
    /// Whether all archived entries were applied to the list of a draw's entrants.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.position == self.listed
    }
}

/// Locks and returns the archive position of a schedule. `None` if another process has the lock.
pub async fn lock_archive(
    tx: &mut Tx,
    schedule: ScheduleId,
) -> Result<Option<Archived>, StoreError> {
    sqlx::query!(
        "insert into queue_archive (concert_schedule_id) values ($1) on conflict do nothing",
        schedule.0
    )
    .execute(tx.conn())
    .await?;
    let row = sqlx::query!(
        "select epoch, log_position, listed_position from queue_archive
         where concert_schedule_id = $1 for no key update skip locked",
        schedule.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Archived {
        epoch: row.epoch.cast_unsigned(),
        position: row.log_position,
        listed: row.listed_position,
    }))
}

/// Moves the archive position. `listed` says that the entries since the last position were applied
/// to the list of a draw's entrants too.
pub async fn move_archive(
    tx: &mut Tx,
    schedule: ScheduleId,
    epoch: u64,
    position: &str,
    listed: bool,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update queue_archive set epoch = $2, log_position = $3, settled_at = null,
           listed_position = case when $4 then $3 else listed_position end
         where concert_schedule_id = $1",
        schedule.0,
        epoch.cast_signed(),
        position,
        listed
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes rows of queue entries; returns how many have a known user. Rows of unknown users are
/// skipped. An ended entry does not change.
pub async fn write(tx: &mut Tx, schedule: ScheduleId, rows: &[Row]) -> Result<u64, StoreError> {
    let column = |value: fn(&Row) -> i64| rows.iter().map(value).collect::<Vec<i64>>();
    let users = column(|row| row.user.0);
    let sequences = column(|row| row.sequence.as_i64());
    let tokens: Vec<uuid::Uuid> = rows.iter().map(|row| row.token).collect();
    let statuses: Vec<String> = rows.iter().map(|row| text(row.status).to_owned()).collect();
    let created: Vec<DateTime<Utc>> = rows.iter().map(|row| row.created_at).collect();
    let entered: Vec<Option<DateTime<Utc>>> = rows.iter().map(|row| row.entered_at).collect();
    let expired: Vec<Option<DateTime<Utc>>> = rows.iter().map(|row| row.expired_at).collect();
    let until = |row: &Row| match row.slot {
        Some(Slot::Until(until)) => Some(until),
        Some(Slot::Lost) | None => None,
    };
    let slots: Vec<Option<DateTime<Utc>>> = rows.iter().map(until).collect();
    let known = sqlx::query_scalar!(
        r#"with known as materialized (
             select t.*
             from unnest($2::bigint[], $3::bigint[], $4::uuid[], $5::text[], $6::timestamptz[],
                         $7::timestamptz[], $8::timestamptz[], $9::timestamptz[])
               as t (user_id, sequence, token, status, created, entered, expired, slot)
             join "user" u on u.id = t.user_id),
           written as (
           insert into queue (concert_schedule_id, user_id, sequence, token, status,
                              created_at, entered_at, expired_at, slot_ends_at)
           select $1, user_id, sequence, token, status, created, entered, expired, slot from known
           on conflict (concert_schedule_id, sequence) do update set
             status = excluded.status,
             created_at = least(queue.created_at, excluded.created_at),
             entered_at = coalesce(queue.entered_at, excluded.entered_at),
             expired_at = excluded.expired_at,
             slot_ends_at = coalesce(excluded.slot_ends_at, queue.slot_ends_at)
           where queue.status in ('WAITING', 'ACTIVE'))
           select count(*) as "count!" from known"#,
        schedule.0,
        &users,
        &sequences,
        &tokens,
        &statuses,
        &created,
        &entered as &[Option<DateTime<Utc>>],
        &expired as &[Option<DateTime<Utc>>],
        &slots as &[Option<DateTime<Utc>>],
    )
    .fetch_one(tx.conn())
    .await?;
    forget_slots(tx, schedule, rows).await?;
    Ok(known.unsigned_abs())
}

/// Clears the slot ends of entries that were passed over, also if they expired in the same events.
async fn forget_slots(tx: &mut Tx, schedule: ScheduleId, rows: &[Row]) -> Result<(), StoreError> {
    let lost = rows.iter().filter(|row| row.slot == Some(Slot::Lost));
    let lost: Vec<i64> = lost.map(|row| row.sequence.as_i64()).collect();
    if lost.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update queue set slot_ends_at = null
             where concert_schedule_id = $1 and sequence = any($2)
               and status in ('WAITING', 'ACTIVE', 'EXPIRED') and slot_ends_at is not null",
        schedule.0,
        &lost
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// An entry that has not ended, as far as the log is archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenEntry {
    /// The sequence of joining.
    pub sequence: Sequence,
    /// The end of the active slot, if the entry was admitted.
    pub until: Option<DateTime<Utc>>,
    /// The deadline of the sale.
    pub deadline: DateTime<Utc>,
}

/// The user's open entry with the lowest sequence. Entries before a completed or expired one do not
/// count.
pub async fn find_open_entry(
    pg: &Pg,
    schedule: ScheduleId,
    user: UserId,
) -> Result<Option<OpenEntry>, StoreError> {
    let row = sqlx::query!(
        r#"select q.sequence, s.deadline_at, q.slot_ends_at as until
           from queue q join concert_schedule s on s.id = q.concert_schedule_id
           where q.user_id = $2 and q.concert_schedule_id = $1
             and q.status in ('WAITING', 'ACTIVE') and not exists
               (select from queue l where l.user_id = $2 and l.concert_schedule_id = $1
                  and l.sequence > q.sequence and l.status in ('COMPLETED', 'EXPIRED'))
           order by q.sequence limit 1"#,
        schedule.0,
        user.0
    )
    .fetch_optional(pg.pool())
    .await?;
    Ok(row.map(|row| OpenEntry {
        sequence: Sequence(row.sequence.cast_unsigned()),
        until: row.until,
        deadline: row.deadline_at,
    }))
}

/// Ends the open entries among the next `limit` entries of a closed sale after `after`. Returns the
/// last of these; `None` if there are no more.
pub async fn end_open_entries(
    pg: &Pg,
    schedule: ScheduleId,
    after: Sequence,
    limit: i64,
) -> Result<Option<Sequence>, StoreError> {
    let last = sqlx::query_scalar!(
        "with page as materialized (
           select id, sequence, status from queue
           where concert_schedule_id = $1 and sequence > $2 order by sequence limit $3),
         ended as (
           update queue q set status = 'EXPIRED', expired_at = clock_timestamp()
           from page p where q.id = p.id and p.status in ('WAITING', 'ACTIVE'))
         select max(sequence) from page",
        schedule.0,
        after.as_i64(),
        limit
    )
    .fetch_one(pg.writes())
    .await?;
    Ok(last.map(|last| Sequence(last.cast_unsigned())))
}

/// Closed sales that may have open entries, and how far their logs are archived. At most 100.
pub async fn unsettled(pg: &Pg) -> Result<Vec<(ScheduleId, u64, String)>, StoreError> {
    let rows = sqlx::query!(
        "select s.id, a.epoch, a.log_position from concert_schedule s
         join queue_archive a on a.concert_schedule_id = s.id and a.settled_at is null
         where s.deadline_at < statement_timestamp() - interval '2 hours'
         order by s.id limit 100"
    )
    .fetch_all(pg.pool())
    .await?;
    let sale = |id, epoch: i64, position| (ScheduleId(id), epoch.cast_unsigned(), position);
    Ok(rows.into_iter().map(|row| sale(row.id, row.epoch, row.log_position)).collect())
}

/// Records that a closed sale has no open entry, unless its archive has moved on.
pub async fn settle(
    pg: &Pg,
    schedule: ScheduleId,
    epoch: u64,
    position: &str,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update queue_archive set settled_at = clock_timestamp()
         where concert_schedule_id = $1 and epoch = $2 and log_position = $3",
        schedule.0,
        epoch.cast_signed(),
        position
    )
    .execute(pg.writes())
    .await?;
    Ok(())
}

fn text(status: TicketStatus) -> &'static str {
    match status {
        TicketStatus::Waiting => "WAITING",
        TicketStatus::Active => "ACTIVE",
        TicketStatus::Expired => "EXPIRED",
        TicketStatus::Left => "LEFT",
        TicketStatus::Completed => "COMPLETED",
    }
}

/// The live schedules with their epochs: their keys were built, and their deadline is less than two
/// hours ago.
pub async fn list_live_schedules(pg: &Pg) -> Result<Vec<(ScheduleId, u64)>, StoreError> {
    let rows = sqlx::query!(
        "select id, queue_epoch from concert_schedule
         where queue_epoch > 0 and deadline_at > clock_timestamp() - interval '2 hours'
           and not draft and removed_at is null
         order by id"
    )
    .fetch_all(pg.pool())
    .await?;
    Ok(rows.into_iter().map(|row| (ScheduleId(row.id), row.queue_epoch.cast_unsigned())).collect())
}
