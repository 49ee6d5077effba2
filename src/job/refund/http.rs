//! `/v1/admin/schedules/{id}/refund`.

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{RefundOrder, RefundPreview};
use crate::http::api::auth::{BoxOffice, Operator};
use crate::http::api::body::{Json, Path};
use crate::http::api::problem::Problem;
use crate::idempotency::http::IdempotencyKey;
use crate::idempotency::model::Request;
use crate::job::http::accepted::accepted;
use crate::job::model::Job;
use crate::job::service::Jobs;
use crate::store::id::ScheduleId;

/// The routes of refunds of whole schedules.
pub(in crate::job) fn routes(jobs: Jobs) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(preview_refund, refund_schedule)).with_state(jobs)
}

/// Preview the refund of a whole schedule.
///
/// Counts what a refund would do now, and what would stay. Nothing changes.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/refund", tag = "Administration",
    security(("bearer" = ["box_office"])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "What a refund would do", body = RefundPreview),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn preview_refund(
    State(jobs): State<Jobs>,
    BoxOffice(_): BoxOffice,
    Path(id): Path<ScheduleId>,
) -> Result<Json<RefundPreview>, Problem> {
    Ok(Json(jobs.preview_refund(id).await?))
}

/// Refund every payment of a schedule.
///
/// Makes a job, which goes on at another process if one dies, and refunds each payment once. It works
/// also after the deadline. While seats can be sold, payments made after its start stay. If the
/// concert is withdrawn or the deadline has passed, it refunds all of them, and ends when no hold can
/// be paid any more.
#[utoipa::path(
    post, path = "/v1/admin/schedules/{id}/refund", tag = "Administration",
    security(("bearer" = ["operator"])),
    params(("id" = ScheduleId, Path, description = "The schedule"),
           ("Idempotency-Key" = String, Header)), request_body = RefundOrder,
    responses(
        (status = 202, description = "The job", body = Job,
         headers(("Location" = String, description = "The job"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
        (status = 409, description = "`job_exists` with `job_id`: the schedule is being refunded"),
    ),
)]
async fn refund_schedule(
    State(jobs): State<Jobs>,
    Operator(caller): Operator,
    Path(id): Path<ScheduleId>,
    key: IdempotencyKey,
    Json(order): Json<RefundOrder>,
) -> Result<Response, Problem> {
    let operation = format!("POST /v1/admin/schedules/{id}/refund");
    let request = Request::new(caller.user, &key.0, &operation, &order);
    Ok(accepted(jobs.refund(&request, id, &order).await?))
}
