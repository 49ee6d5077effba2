//! The SQL of automatic rates.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::PgExecutor;

use super::model::{Checked, Measured, Seen, Sizes};
use crate::concert::model::Schedule;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::{Pg, Tx};

/// Readings are read from this long ago.
const READINGS: Duration = Duration::from_secs(12);

/// The schedules with an automatic rate whose sale is not over.
pub async fn schedules(pg: &Pg) -> Result<Vec<ScheduleId>, StoreError> {
    let ids = sqlx::query_scalar!(
        "select id from concert_schedule
          where admission_mode = 'AUTO' and removed_at is null and deadline_at > clock_timestamp()
          order by id"
    );
    Ok(ids.fetch_all(pg.pool()).await?.into_iter().map(ScheduleId).collect())
}

/// Whether this process checks the rates now: none has taken a turn for `lease`.
pub async fn take_turn(pg: &Pg, lease: Duration) -> Result<bool, StoreError> {
    let taken = sqlx::query!(
        "update auto_admission_turn set taken_at = clock_timestamp()
          where taken_at < clock_timestamp() - make_interval(secs => $1)",
        lease.as_secs_f64()
    );
    Ok(taken.execute(pg.writes()).await?.rows_affected() == 1)
}

/// The last readings of a sale, in order of time.
pub async fn readings(
    on: impl PgExecutor<'_>,
    schedule: ScheduleId,
) -> Result<Vec<Seen>, StoreError> {
    let rows = sqlx::query!(
        "select at, counted_at, phase, recovering, drawing, epoch, waiting, active, capacity, admitted
           from sale_sample
          where concert_schedule_id = $1 and step = 1
            and at > (select clock_timestamp() - make_interval(secs => $2))
          order by at",
        schedule.0,
        READINGS.as_secs_f64()
    )
    .fetch_all(on)
    .await?;
    let seen = rows.into_iter().map(|row| {
        let count = |count: i32| u64::try_from(count).unwrap_or(0);
        let sizes = row.epoch.zip(row.waiting).zip(row.active).zip(row.capacity).zip(row.admitted);
        Ok(Seen {
            at: row.at,
            counted_at: row.counted_at,
            phase: parse("phase", row.phase)?,
            recovering: row.recovering,
            drawing: row.drawing,
            sizes: sizes.map(|((((epoch, waiting), active), capacity), admitted)| Sizes {
                epoch,
                waiting: count(waiting),
                active: count(active),
                capacity: count(capacity),
                admitted,
            }),
        })
    });
    seen.collect()
}

/// The row of a sale's rate.
pub async fn checked(
    on: impl PgExecutor<'_>,
    schedule: ScheduleId,
) -> Result<Option<Checked>, StoreError> {
    let row = sqlx::query!(
        "select rate, changed_at, change_reason, lowered_at, checked_at, reason, answers, p99_ms,
                error_percent, slots_percent
           from auto_admission where concert_schedule_id = $1",
        schedule.0
    );
    let Some(row) = row.fetch_optional(on).await? else { return Ok(None) };
    Ok(Some(Checked {
        rate: u32::try_from(row.rate).unwrap_or(1),
        changed_at: row.changed_at,
        change_reason: parse("reason", row.change_reason)?,
        lowered_at: row.lowered_at,
        checked_at: row.checked_at,
        reason: parse("reason", row.reason)?,
        measured: Measured {
            answers: row.answers,
            p99_ms: row.p99_ms,
            error_percent: row.error_percent,
            slots_percent: row.slots_percent,
        },
    }))
}

fn parse<T: DeserializeOwned>(what: &str, text: String) -> Result<T, StoreError> {
    serde_json::from_value(Value::String(text))
        .map_err(|error| StoreError::Inconsistent(format!("the {what} of a rate: {error}")))
}

/// Raises the settings version of a schedule that has not changed since it was read. Locks it, so
/// that no operator's change comes between. Returns the new version; `None` if the schedule has
/// changed, or AUTO was turned off.
pub async fn raise_version(tx: &mut Tx, read: &Schedule) -> Result<Option<i64>, StoreError> {
    let raised = sqlx::query_scalar!(
        "update concert_schedule set settings_version = settings_version + 1
          where id = $1 and settings_version = $2 and admission_mode = 'AUTO'
            and removed_at is null
          returning settings_version",
        read.id.0,
        read.settings_version
    );
    Ok(raised.fetch_optional(tx.conn()).await?)
}

/// Writes the row of a schedule if its settings have this version. Otherwise they have changed since
/// they were read, and the next check decides anew.
pub async fn write(
    on: impl PgExecutor<'_>,
    read: &Schedule,
    checked: &Checked,
    version: i64,
) -> Result<(), StoreError> {
    let Checked { measured, .. } = checked;
    sqlx::query!(
        "insert into auto_admission as old (concert_schedule_id, rate, changed_at, change_reason,
             lowered_at, checked_at, reason, answers, p99_ms, error_percent, slots_percent)
         select id, $3::integer, $4::timestamptz, $5::text, $6::timestamptz, $7::timestamptz,
                $8::text, $9::real, $10::real, $11::real, $12::real
           from concert_schedule
          where id = $1 and settings_version = $2 and admission_mode = 'AUTO'
         on conflict (concert_schedule_id) do update
            set rate = excluded.rate, changed_at = excluded.changed_at,
                change_reason = excluded.change_reason, lowered_at = excluded.lowered_at,
                checked_at = excluded.checked_at, reason = excluded.reason,
                answers = excluded.answers, p99_ms = excluded.p99_ms,
                error_percent = excluded.error_percent, slots_percent = excluded.slots_percent
          where old.checked_at <= excluded.checked_at",
        read.id.0,
        version,
        i32::try_from(checked.rate).unwrap_or(i32::MAX),
        checked.changed_at,
        checked.change_reason.as_str(),
        checked.lowered_at,
        checked.checked_at,
        checked.reason.as_str(),
        measured.answers,
        measured.p99_ms,
        measured.error_percent,
        measured.slots_percent
    )
    .execute(on)
    .await?;
    Ok(())
}

/// Deletes the row of a schedule whose mode changes.
pub async fn forget(tx: &mut Tx, schedule: ScheduleId) -> Result<(), StoreError> {
    sqlx::query!("delete from auto_admission where concert_schedule_id = $1", schedule.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}
