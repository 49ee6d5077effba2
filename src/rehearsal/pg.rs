//! The SQL of rehearsals.

pub mod removal;
pub mod shadow;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::model::{Progress, Rehearsal, RehearsalPlan, RehearsalState};
use super::sheet::Sheet;
use crate::store::StoreError;
use crate::store::id::{RehearsalId, ScheduleId, UserId};
use crate::store::pg::{Pg, Tx, violated};

/// Rehearsals in a list.
const LISTED: i64 = 20;
/// A rehearsal whose process has not written for this long is broken, in seconds.
const SILENT_SECONDS: f64 = 15.0;

struct Row {
    id: i64,
    concert_schedule_id: Option<i64>,
    admin: i64,
    plan: Value,
    state: String,
    progress: Option<Value>,
    sheet: Option<Value>,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    removed_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Rehearsal {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let state = RehearsalState::find(&row.state)
            .ok_or_else(|| StoreError::Inconsistent(format!("unknown state {}", row.state)))?;
        Ok(Self {
            id: RehearsalId(row.id),
            schedule_id: row.concert_schedule_id.map(ScheduleId),
            admin: UserId(row.admin),
            plan: serde_json::from_value(row.plan).map_err(|error| inconsistent(&error))?,
            state,
            // Figures of another version are not shown.
            progress: row.progress.and_then(|it| serde_json::from_value::<Progress>(it).ok()),
            sheet: row.sheet.and_then(|it| serde_json::from_value::<Sheet>(it).ok()),
            started_at: row.started_at,
            ended_at: row.ended_at,
            removed_at: row.removed_at,
        })
    }
}

fn inconsistent(error: &serde_json::Error) -> StoreError {
    StoreError::Inconsistent(format!("a rehearsal: {error}"))
}

fn json(value: &impl serde::Serialize) -> Result<Value, StoreError> {
    serde_json::to_value(value).map_err(|error| inconsistent(&error))
}

/// Writes a rehearsal that begins. `None` if another one is not over.
pub async fn begin(
    tx: &mut Tx,
    schedule: ScheduleId,
    admin: UserId,
    plan: &RehearsalPlan,
) -> Result<Option<RehearsalId>, StoreError> {
    let insert = sqlx::query_scalar!(
        "insert into rehearsal (concert_schedule_id, admin, plan) values ($1, $2, $3) returning id",
        schedule.0,
        admin.0,
        json(plan)?
    );
    match insert.fetch_one(tx.conn()).await {
        Ok(id) => Ok(Some(RehearsalId(id))),
        Err(error) if violated(&error) == Some("rehearsal_one_at_a_time") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The rehearsals of a schedule, newest first; 20 at most.
pub async fn list(pg: &Pg, schedule: ScheduleId) -> Result<Vec<Rehearsal>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "select id, concert_schedule_id, admin, plan, state, progress, sheet, started_at, ended_at,
                removed_at
         from rehearsal where concert_schedule_id = $1 order by id desc limit $2",
        schedule.0,
        LISTED
    )
    .fetch_all(pg.pool())
    .await?;
    rows.into_iter().map(Rehearsal::try_from).collect()
}

/// Finds a rehearsal.
pub async fn find(pg: &Pg, id: RehearsalId) -> Result<Option<Rehearsal>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "select id, concert_schedule_id, admin, plan, state, progress, sheet, started_at, ended_at,
                removed_at
         from rehearsal where id = $1",
        id.0
    )
    .fetch_optional(pg.pool())
    .await?;
    row.map(Rehearsal::try_from).transpose()
}

/// Asks the process of a running rehearsal to end it.
pub async fn request_stop(tx: &mut Tx, id: RehearsalId) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update rehearsal set stop_requested = true where id = $1 and state = 'RUNNING'",
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes the live figures, and that the process lives. Returns whether it should end; `None` if
/// another process has ended the rehearsal.
pub async fn beat(
    pg: &Pg,
    id: RehearsalId,
    progress: &Progress,
) -> Result<Option<bool>, StoreError> {
    let stop = sqlx::query_scalar!(
        "update rehearsal set heartbeat_at = clock_timestamp(), progress = $2
         where id = $1 and state = 'RUNNING' returning stop_requested",
        id.0,
        json(progress)?
    );
    Ok(stop.fetch_optional(pg.writes()).await?)
}

/// Ends a running rehearsal. Returns false if it has ended already.
pub async fn end(
    pg: &Pg,
    id: RehearsalId,
    state: RehearsalState,
    sheet: Option<&Sheet>,
) -> Result<bool, StoreError> {
    let sheet = sheet.map(json).transpose()?;
    let done = sqlx::query!(
        "update rehearsal set state = $2, sheet = $3, ended_at = clock_timestamp()
         where id = $1 and state = 'RUNNING'",
        id.0,
        state.as_str(),
        sheet
    )
    .execute(pg.writes())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends rehearsals whose process has died. Returns their number.
pub async fn end_broken(pg: &Pg) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "update rehearsal set state = 'BROKEN', ended_at = clock_timestamp()
         where removed_at is null and state = 'RUNNING'
           and heartbeat_at < clock_timestamp() - make_interval(secs => $1)",
        SILENT_SECONDS
    )
    .execute(pg.writes())
    .await?;
    Ok(done.rows_affected())
}

/// Schedules of other sales that are open now and have active buyers or people in the queue: those
/// whose keys exist, and with an entry of the last hour.
pub async fn open_sales(pg: &Pg) -> Result<Vec<ScheduleId>, StoreError> {
    let ids = sqlx::query_scalar!(
        r#"select s.id from concert_schedule s
           join lateral (select q.created_at from queue q where q.concert_schedule_id = s.id
                         order by q.sequence desc limit 1) last on true
           where s.id > 0 and s.queue_epoch > 0 and s.deadline_at > clock_timestamp()
             and s.queue_opens_at <= clock_timestamp()
             and last.created_at > clock_timestamp() - interval '1 hour'
           order by s.id limit 20"#
    );
    Ok(ids.fetch_all(pg.pool()).await?.into_iter().map(ScheduleId).collect())
}
