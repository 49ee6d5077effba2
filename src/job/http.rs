//! The HTTP routes of jobs, and the table from their errors to problems.

pub(super) mod accepted;

use axum::extract::State;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::JobError;
use super::model::{Job, JobQuery};
use super::service::Jobs;
use super::{erase, refund};
use crate::http::api::auth::{Operator, Viewer};
use crate::http::api::body::{Json, Path};
use crate::http::api::pagination::{Filtered, PageQuery};
use crate::http::api::problem::{Problem, ProblemCode};
use crate::pagination::Page;
use crate::store::id::JobId;

/// The routes of jobs and of their kinds.
pub fn routes(jobs: Jobs) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_jobs))
        .routes(routes!(find_job))
        .routes(routes!(cancel_job))
        .with_state(jobs.clone())
        .merge(refund::http::routes(jobs.clone()))
        .merge(erase::http::routes(jobs))
}

/// List jobs, newest first.
///
/// Filter by `state`, `schedule` or both.
#[utoipa::path(
    get, path = "/v1/admin/jobs", tag = "Administration", security(("bearer" = ["viewer"])),
    params(JobQuery, PageQuery),
    responses(
        (status = 200, description = "A page of jobs", body = Page<Job>),
        (status = 403, description = "`forbidden`"),
    ),
)]
async fn list_jobs(
    State(jobs): State<Jobs>,
    Viewer(_): Viewer,
    Filtered(query, paging): Filtered<JobQuery>,
) -> Result<Json<Page<Job>>, Problem> {
    Ok(Json(jobs.list(&query, paging).await?))
}

/// Get a job.
///
/// `done` and `figures` rise while it runs.
#[utoipa::path(
    get, path = "/v1/admin/jobs/{id}", tag = "Administration", security(("bearer" = ["viewer"])),
    params(("id" = JobId, Path, description = "The job")),
    responses(
        (status = 200, description = "The job", body = Job),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`job_not_found`"),
    ),
)]
async fn find_job(
    State(jobs): State<Jobs>,
    Viewer(_): Viewer,
    Path(id): Path<JobId>,
) -> Result<Json<Job>, Problem> {
    Ok(Json(jobs.find(id).await?))
}

/// Cancel a job.
///
/// What was done before stays done. After the answer, nothing more is done. To go on, ask for the
/// same work again.
#[utoipa::path(
    post, path = "/v1/admin/jobs/{id}/cancel", tag = "Administration", security(("bearer" = ["operator"])),
    params(("id" = JobId, Path, description = "The job")),
    responses(
        (status = 200, description = "The cancelled job", body = Job),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`job_not_found`"),
        (status = 409, description = "`job_not_cancellable`"),
    ),
)]
async fn cancel_job(
    State(jobs): State<Jobs>,
    Operator(caller): Operator,
    Path(id): Path<JobId>,
) -> Result<Json<Job>, Problem> {
    Ok(Json(jobs.cancel(caller.user, id).await?))
}

impl From<JobError> for Problem {
    fn from(error: JobError) -> Self {
        match error {
            JobError::NoJob => Self::new(ProblemCode::JobNotFound),
            JobError::NoSchedule => Self::new(ProblemCode::ScheduleNotFound),
            JobError::NoUser => Self::new(ProblemCode::UserNotFound),
            JobError::Exists(job) => Self::new(ProblemCode::JobExists).with("job_id", json!(job)),
            JobError::NotCancellable => Self::new(ProblemCode::JobNotCancellable),
            JobError::OwnUser => Self::new(ProblemCode::OwnUser),
            JobError::HasEntitlements { held_seats, tickets, balance } => {
                Self::new(ProblemCode::UserHasEntitlements)
                    .with("held_seats", json!(held_seats))
                    .with("tickets", json!(tickets))
                    .with("balance", json!(balance))
            }
            JobError::Key(error) => error.into(),
            JobError::Store(error) => error.into(),
        }
    }
}
