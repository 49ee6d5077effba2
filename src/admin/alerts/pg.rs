//! The SQL of alerts.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::model::{Alert, AlertKind};
use crate::pagination::Paging;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::{Pg, Tx};

/// Whether this process checks now: no other does, and none has for `seconds`. Other processes cannot
/// check until the transaction ends.
pub async fn take_turn(tx: &mut Tx, seconds: f64) -> Result<bool, StoreError> {
    let taken = sqlx::query!(
        "with due as materialized (
           select id from sale_alert_check
            where checked_at < clock_timestamp() - make_interval(secs => $1)
              for update skip locked)
         update sale_alert_check c set checked_at = clock_timestamp() from due where c.id = due.id",
        seconds
    );
    Ok(taken.execute(tx.conn()).await?.rows_affected() == 1)
}

/// An alert that lasts, or has ended lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recent {
    /// The schedule; `None` if it is about a store.
    pub schedule: Option<ScheduleId>,
    /// The kind. `None` if this release does not have it.
    pub kind: Option<AlertKind>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// The alerts that last, and those of stores that ended within `seconds`.
pub async fn recent(tx: &mut Tx, seconds: f64) -> Result<Vec<Recent>, StoreError> {
    let rows = sqlx::query!(
        "select concert_schedule_id, kind, ended_at from sale_alert where ended_at is null
         union all
         select concert_schedule_id, kind, ended_at from (
           select * from sale_alert where coalesce(concert_schedule_id, 0) = 0
            order by coalesce(concert_schedule_id, 0), id desc limit 20) a
          where ended_at > clock_timestamp() - make_interval(secs => $1)",
        seconds
    )
    .fetch_all(tx.conn())
    .await?;
    let found = rows.into_iter().filter_map(|row| {
        Some(Recent {
            schedule: row.concert_schedule_id.map(ScheduleId),
            kind: AlertKind::find(&row.kind?),
            ended_at: row.ended_at,
        })
    });
    Ok(found.collect())
}

/// When the reconciler repaired something last, by sale, in the last `seconds`.
pub async fn repairs(
    tx: &mut Tx,
    schedules: &[i64],
    seconds: f64,
) -> Result<Vec<(ScheduleId, DateTime<Utc>)>, StoreError> {
    let rows = sqlx::query!(
        r#"select sale.id as "id!", r.at as "at!" from unnest($1::bigint[]) as sale (id), lateral (
             select at from store_repair
              where concert_schedule_id = sale.id and what <> 'place'
                and at > clock_timestamp() - make_interval(secs => $2)
              order by at desc limit 1) r"#,
        schedules,
        seconds
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (ScheduleId(row.id), row.at)).collect())
}

/// Begins an alert, and writes its event. Does nothing if it lasts already.
pub async fn begin(
    tx: &mut Tx,
    schedule: Option<ScheduleId>,
    kind: AlertKind,
    detail: &Value,
) -> Result<(), StoreError> {
    let begun = sqlx::query_scalar!(
        "insert into sale_alert (concert_schedule_id, kind, detail)
         select $1::bigint, $2::text, $3::jsonb
          where $1::bigint is null or exists (select from concert_schedule where id = $1)
         on conflict do nothing returning id",
        schedule.map(|id| id.0),
        kind.as_str(),
        detail
    );
    if let Some(id) = begun.fetch_optional(tx.conn()).await? {
        write_event(tx, id, "alert.begun").await?;
    }
    Ok(())
}

/// Ends an alert, and writes its event. Does nothing if it has ended.
pub async fn end(
    tx: &mut Tx,
    schedule: Option<ScheduleId>,
    kind: AlertKind,
) -> Result<(), StoreError> {
    let ended = sqlx::query_scalar!(
        "update sale_alert set ended_at = greatest(begun_at, clock_timestamp())
          where coalesce(concert_schedule_id, 0) = coalesce($1::bigint, 0) and kind = $2
            and ended_at is null
         returning id",
        schedule.map(|id| id.0),
        kind.as_str()
    );
    if let Some(id) = ended.fetch_optional(tx.conn()).await? {
        write_event(tx, id, "alert.ended").await?;
    }
    Ok(())
}

/// Records that PostgreSQL was unavailable since a time until now, with both events. Does nothing if
/// another process has recorded it, or wrote readings in that time.
pub async fn record_outage(tx: &mut Tx, since: DateTime<Utc>) -> Result<(), StoreError> {
    let recorded = sqlx::query_scalar!(
        "insert into sale_alert (concert_schedule_id, kind, begun_at, ended_at)
         select null::bigint, $2::text, $1::timestamptz, greatest($1, clock_timestamp())
          where not exists (select from sale_alert
                             where coalesce(concert_schedule_id, 0) = 0 and kind = $2
                               and ended_at >= $1)
            and not exists (select from sale_sample where step = 1
                             and at > $1::timestamptz + interval '5 s'
                             and at < clock_timestamp() - interval '5 s')
         returning id",
        since,
        AlertKind::PostgresUnavailable.as_str()
    );
    if let Some(id) = recorded.fetch_optional(tx.conn()).await? {
        write_event(tx, id, "alert.begun").await?;
        write_event(tx, id, "alert.ended").await?;
    }
    Ok(())
}

/// Writes the event of a begin or an end, if events are recorded.
async fn write_event(tx: &mut Tx, alert: i64, event: &str) -> Result<(), StoreError> {
    sqlx::query!(
        r#"insert into sale_event (type, entity, data)
           select $2::text, 'alert:' || a.id, jsonb_build_object('alert_id', a.id, 'kind', a.kind,
                    'schedule_id', a.concert_schedule_id, 'concert_id', s.concert_id,
                    'begun_at', to_char(a.begun_at at time zone 'UTC',
                      'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                    'ended_at', case when $2 = 'alert.ended' then
                      to_char(a.ended_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') end,
                    'detail', a.detail)
             from sale_alert a left join concert_schedule s on s.id = a.concert_schedule_id
            where a.id = $1 and (select recording from event_recording where id)"#,
        alert,
        event
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The alerts of a sale and of the stores, newest first. Returns one more than fits the page, to show
/// that there is another page.
pub async fn list(
    pg: &Pg,
    schedule: ScheduleId,
    open: Option<bool>,
    paging: Paging,
) -> Result<Vec<Alert>, StoreError> {
    let rows = sqlx::query!(
        "select id, kind, concert_schedule_id, begun_at, ended_at, detail from sale_alert
          where coalesce(concert_schedule_id, 0) = any (array[0, $1::bigint]) and id < $2
            and ($3::boolean is null or $3 = (ended_at is null))
          order by id desc limit $4",
        schedule.0,
        paging.after.unwrap_or(i64::MAX),
        open,
        paging.fetch()
    )
    .fetch_all(pg.pool())
    .await?;
    let alerts = rows.into_iter().map(|row| Alert {
        id: row.id,
        kind: row.kind,
        schedule_id: row.concert_schedule_id.map(ScheduleId),
        begun_at: row.begun_at,
        ended_at: row.ended_at,
        detail: row.detail,
    });
    Ok(alerts.collect())
}
