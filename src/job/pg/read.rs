//! Reads jobs as the API shows them.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgExecutor;

use crate::job::model::{Job, JobQuery, JobState};
use crate::pagination::Paging;
use crate::store::StoreError;
use crate::store::id::{JobId, ScheduleId, UserId};
use crate::store::pg::Pg;

/// A row of the table with the name of the administrator.
struct JobRow {
    id: i64,
    kind: String,
    concert_schedule_id: Option<i64>,
    user_id: Option<i64>,
    parameters: Value,
    requested_by: i64,
    requested_by_name: String,
    state: String,
    cancellable: bool,
    total: Option<i64>,
    done: i64,
    figures: Value,
    error: Option<String>,
    failures: i32,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

impl TryFrom<JobRow> for Job {
    type Error = StoreError;

    fn try_from(row: JobRow) -> Result<Self, StoreError> {
        let state = JobState::find(&row.state)
            .ok_or_else(|| StoreError::Inconsistent(format!("job state {}", row.state)))?;
        Ok(Self {
            id: JobId(row.id),
            kind: row.kind,
            schedule_id: row.concert_schedule_id.map(ScheduleId),
            user_id: row.user_id.map(UserId),
            parameters: row.parameters,
            requested_by: UserId(row.requested_by),
            requested_by_name: row.requested_by_name,
            state,
            cancellable: row.cancellable && row.finished_at.is_none(),
            total: row.total,
            done: row.done,
            figures: row.figures,
            error: row.error,
            failures: row.failures,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        })
    }
}

/// Finds one job.
pub async fn find(on: impl PgExecutor<'_>, id: JobId) -> Result<Option<Job>, StoreError> {
    let row = sqlx::query_as!(
        JobRow,
        r#"select j.id, j.kind, j.concert_schedule_id, j.user_id, j.parameters, j.requested_by,
                  u.name as requested_by_name, j.state, j.cancellable, j.total, j.done, j.figures,
                  j.error, j.failures, j.created_at, j.started_at, j.finished_at
           from job j join "user" u on u.id = j.requested_by where j.id = $1"#,
        id.0
    );
    row.fetch_optional(on).await?.map(Job::try_from).transpose()
}

/// Lists jobs, newest first. Returns one more than fits the page.
pub async fn list(pg: &Pg, query: &JobQuery, paging: Paging) -> Result<Vec<Job>, StoreError> {
    let rows = sqlx::query_as!(
        JobRow,
        r#"select j.id, j.kind, j.concert_schedule_id, j.user_id, j.parameters, j.requested_by,
                  u.name as requested_by_name, j.state, j.cancellable, j.total, j.done, j.figures,
                  j.error, j.failures, j.created_at, j.started_at, j.finished_at
           from job j join "user" u on u.id = j.requested_by
           where j.id < $1 and ($3::text is null or j.state = $3)
             and ($4::bigint is null or j.concert_schedule_id = $4)
           order by j.id desc limit $2"#,
        paging.after.unwrap_or(i64::MAX),
        paging.fetch(),
        query.state.map(JobState::as_str),
        query.schedule
    );
    rows.fetch_all(pg.pool()).await?.into_iter().map(Job::try_from).collect()
}
