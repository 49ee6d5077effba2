//! The table `job`.

pub mod read;

use std::time::Duration;

use serde_json::Value;
use sqlx::PgExecutor;

use super::kind::{JobPage, JobRun, Next};
use super::model::JobState;
use crate::store::StoreError;
use crate::store::id::{JobId, ScheduleId, UserId};
use crate::store::pg::{Pg, Tx};

/// A job to make.
#[derive(Debug)]
pub struct NewJob {
    /// The kind's name.
    pub kind: &'static str,
    /// The schedule that it is about.
    pub schedule: Option<ScheduleId>,
    /// The user that it is about.
    pub user: Option<UserId>,
    /// What was asked for.
    pub parameters: Value,
    /// Number of items.
    pub total: Option<i64>,
    /// Whether it can be cancelled.
    pub cancellable: bool,
}

/// A job that this process has taken.
#[derive(Debug)]
pub struct Taken {
    /// The kind's name.
    pub kind: String,
    /// Number of the lease.
    pub lease: i64,
    /// The job.
    pub run: JobRun,
}

/// A job that a page has locked.
#[derive(Debug)]
pub struct Locked {
    /// Where the page begins.
    pub cursor: Value,
    /// Sums so far.
    pub figures: Value,
    /// The administrator who asked for the job.
    pub requested_by: UserId,
    /// Failures since the last page that succeeded.
    pub failures: i32,
}

/// Makes a job; `None` if one of this kind is not finished yet for the same schedule or user.
pub async fn insert(tx: &mut Tx, admin: UserId, new: &NewJob) -> Result<Option<JobId>, StoreError> {
    let id = sqlx::query_scalar!(
        "insert into job (kind, concert_schedule_id, user_id, parameters, requested_by, total,
                          cancellable)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning id",
        new.kind,
        new.schedule.map(|id| id.0),
        new.user.map(|id| id.0),
        new.parameters,
        admin.0,
        new.total,
        new.cancellable
    );
    Ok(id.fetch_optional(tx.conn()).await?.map(JobId))
}

/// The unfinished job of a kind for a schedule or a user.
pub async fn unfinished(
    on: impl PgExecutor<'_>,
    kind: &str,
    schedule: Option<ScheduleId>,
    user: Option<UserId>,
) -> Result<Option<JobId>, StoreError> {
    let id = sqlx::query_scalar!(
        "select id from job where state in ('PENDING', 'RUNNING') and kind = $1
           and (concert_schedule_id = $2 or user_id = $3) order by id limit 1",
        kind,
        schedule.map(|id| id.0),
        user.map(|id| id.0)
    );
    Ok(id.fetch_optional(on).await?.map(JobId))
}

/// Cancels a job; false if it does not exist, has ended, or cannot be cancelled.
pub async fn cancel(tx: &mut Tx, id: JobId) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update job set state = 'CANCELLED', finished_at = clock_timestamp(), cursor = null
         where id = $1 and cancellable and state in ('PENDING', 'RUNNING')",
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a due job of one of these kinds, the one that is due for longest. It is due again when the
/// lease ends. Jobs that another process is taking are skipped.
pub async fn take(pg: &Pg, kinds: &[String], lease: Duration) -> Result<Option<Taken>, StoreError> {
    let row = sqlx::query!(
        "update job set lease = lease + 1, state = 'RUNNING',
                started_at = coalesce(started_at, clock_timestamp()),
                due_at = clock_timestamp() + make_interval(secs => $2)
         where id = (select id from job
                     where state in ('PENDING', 'RUNNING') and kind = any($1)
                       and due_at <= (select clock_timestamp())
                     order by due_at limit 1 for update skip locked)
         returning id, kind, lease, concert_schedule_id, user_id, parameters, cursor, created_at",
        kinds,
        lease.as_secs_f64()
    )
    .fetch_optional(pg.writes())
    .await?;
    Ok(row.map(|row| Taken {
        kind: row.kind,
        lease: row.lease,
        run: JobRun {
            id: JobId(row.id),
            schedule: row.concert_schedule_id.map(ScheduleId),
            user: row.user_id.map(UserId),
            parameters: row.parameters,
            cursor: row.cursor.unwrap_or_default(),
            created_at: row.created_at,
        },
    }))
}

/// Locks a job for one page. `None` if another process has taken it since, or it has ended.
pub async fn lock(tx: &mut Tx, id: JobId, lease: i64) -> Result<Option<Locked>, StoreError> {
    let row = sqlx::query!(
        "select cursor, figures, requested_by, failures from job
         where id = $1 and lease = $2 and state = 'RUNNING' for no key update",
        id.0,
        lease
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Locked {
        cursor: row.cursor.unwrap_or_default(),
        figures: row.figures,
        requested_by: UserId(row.requested_by),
        failures: row.failures,
    }))
}

/// Makes a job due at once, for any process.
pub async fn give_back(pg: &Pg, id: JobId, lease: i64) -> Result<(), StoreError> {
    sqlx::query!(
        "update job set due_at = clock_timestamp()
         where id = $1 and lease = $2 and state = 'RUNNING'",
        id.0,
        lease
    )
    .execute(pg.writes())
    .await?;
    Ok(())
}

/// Records a page of a locked job, and extends the lease.
pub async fn write_page(
    tx: &mut Tx,
    id: JobId,
    page: &JobPage,
    figures: &Value,
    lease: Duration,
) -> Result<(), StoreError> {
    let (end, error) = match page.next {
        Next::Page | Next::PageAfter(_) => (None, None),
        Next::Done => (Some(JobState::Done), None),
        Next::Failed(code) => (Some(JobState::Failed), Some(code)),
    };
    let due = if let Next::PageAfter(pause) = page.next { pause } else { lease };
    sqlx::query!(
        "update job set done = done + $2, figures = $3, error = $4, failures = 0,
                cursor = case when $5::text is null then $6::jsonb end, state = coalesce($5, state),
                finished_at = case when $5 is not null then clock_timestamp() end,
                due_at = clock_timestamp() + make_interval(secs => $7)
         where id = $1",
        id.0,
        page.done,
        figures,
        error,
        end.map(JobState::as_str),
        page.cursor,
        due.as_secs_f64()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Records that a page of a locked job failed. It is due again after the pause; without one, the job
/// has failed for good.
pub async fn write_failure(
    tx: &mut Tx,
    id: JobId,
    code: &str,
    pause: Option<Duration>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update job set failures = failures + 1, error = $2,
                due_at = clock_timestamp() + make_interval(secs => coalesce($3::float8, 0)),
                state = case when $3 is null then 'FAILED' else state end,
                finished_at = case when $3 is null then clock_timestamp() end
         where id = $1",
        id.0,
        code,
        pause.map(|pause| pause.as_secs_f64())
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
