//! The HTTP routes of rehearsals.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::RehearsalError;
use super::model::{Rehearsal, RehearsalList, RehearsalPlan};
use super::service::Rehearsals;
use crate::http::api::auth::{Operator, Viewer};
use crate::http::api::body::{Json, Path, created};
use crate::http::api::problem::{Problem, ProblemCode};
use crate::store::id::{RehearsalId, ScheduleId};

/// The routes of rehearsals.
pub fn routes(rehearsals: Rehearsals) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(start, list))
        .routes(routes!(find, stop))
        .with_state(rehearsals)
}

/// Start a rehearsal of a schedule.
///
/// Makes a shadow of the schedule with its seats and settings, in which synthetic buyers buy through
/// this API. Nobody else can see or buy the shadow. It is removed at the end.
#[utoipa::path(
    post, path = "/v1/admin/schedules/{id}/rehearsals", operation_id = "start_rehearsal",
    tag = "Administration", security(("bearer" = ["operator"])),
    params(("id" = ScheduleId, Path, description = "The schedule")), request_body = RehearsalPlan,
    responses(
        (status = 201, description = "It runs", body = Rehearsal,
         headers(("Location" = String, description = "The rehearsal"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
        (status = 409, description = "`rehearsal_running`; `sale_is_open` with `schedule_ids`, \
                                      unless `beside_open_sales` is true"),
    ),
)]
async fn start(
    State(rehearsals): State<Rehearsals>,
    Operator(caller): Operator,
    Path(id): Path<ScheduleId>,
    Json(plan): Json<RehearsalPlan>,
) -> Result<Response, Problem> {
    let rehearsal = rehearsals.start(caller.user, id, plan).await?;
    Ok(created(&format!("/v1/admin/rehearsals/{}", rehearsal.id), Json(rehearsal)))
}

/// List the rehearsals of a schedule.
///
/// The newest first, 20 at most.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/rehearsals", operation_id = "list_rehearsals",
    tag = "Administration", security(("bearer" = ["viewer"])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "The rehearsals", body = RehearsalList),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn list(
    State(rehearsals): State<Rehearsals>,
    Viewer(_): Viewer,
    Path(id): Path<ScheduleId>,
) -> Result<Json<RehearsalList>, Problem> {
    Ok(Json(rehearsals.list(id).await?))
}

/// Get a rehearsal, with its live figures or its sheet.
///
/// Every process answers, at most 1 s late.
#[utoipa::path(
    get, path = "/v1/admin/rehearsals/{id}", operation_id = "find_rehearsal",
    tag = "Administration", security(("bearer" = ["viewer"])),
    params(("id" = RehearsalId, Path, description = "The rehearsal")),
    responses(
        (status = 200, description = "The rehearsal", body = Rehearsal),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`rehearsal_not_found`"),
    ),
)]
async fn find(
    State(rehearsals): State<Rehearsals>,
    Viewer(_): Viewer,
    Path(id): Path<RehearsalId>,
) -> Result<Json<Rehearsal>, Problem> {
    Ok(Json(rehearsals.find(id).await?))
}

/// Stop a rehearsal.
///
/// Its process ends it within about a second, and the shadow is removed. One that has ended stays as
/// it is.
#[utoipa::path(
    delete, path = "/v1/admin/rehearsals/{id}", operation_id = "stop_rehearsal",
    tag = "Administration", security(("bearer" = ["operator"])),
    params(("id" = RehearsalId, Path, description = "The rehearsal")),
    responses(
        (status = 204, description = "It ends, or has ended"),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`rehearsal_not_found`"),
    ),
)]
async fn stop(
    State(rehearsals): State<Rehearsals>,
    Operator(caller): Operator,
    Path(id): Path<RehearsalId>,
) -> Result<StatusCode, Problem> {
    rehearsals.stop(caller.user, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<RehearsalError> for Problem {
    fn from(error: RehearsalError) -> Self {
        match error {
            RehearsalError::NotFound => Self::new(ProblemCode::RehearsalNotFound),
            RehearsalError::Running => Self::new(ProblemCode::RehearsalRunning),
            RehearsalError::SaleIsOpen(schedules) => {
                Self::new(ProblemCode::SaleIsOpen).with("schedule_ids", json!(schedules))
            }
            RehearsalError::Forecast(error) => error.into(),
            RehearsalError::Admin(error) => error.into(),
            error @ (RehearsalError::Generator(_) | RehearsalError::Ended) => {
                tracing::error!(%error, "a rehearsal could not be started");
                Self::internal()
            }
        }
    }
}
