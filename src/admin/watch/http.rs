//! `/v1/admin/schedules/{id}/next`, `/v1/admin/health`.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::Health;
use crate::admin::service::AdminService;
use crate::http::api::auth::Admin;
use crate::http::api::body::{Json, Path};
use crate::http::api::problem::Problem;
use crate::queue::next::Front;
use crate::store::id::ScheduleId;

/// The routes of what is looked at on the night.
pub(in crate::admin) fn routes() -> OpenApiRouter<AdminService> {
    OpenApiRouter::new().routes(routes!(next)).routes(routes!(health))
}

/// Who is let in next, and why nobody is where nobody is.
///
/// By the rules of admission, asked of Redis at this moment.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/next", operation_id = "next_in_line",
    tag = "Administration", security(("bearer" = [])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "At this moment", body = Front),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn next(
    State(service): State<AdminService>,
    Admin(_): Admin,
    Path(id): Path<ScheduleId>,
) -> Result<Json<Front>, Problem> {
    Ok(Json(service.front(id).await?))
}

/// How the answering process, its loops and its stores are: an answer also where a store is down.
///
/// Of this process alone: each process answers for itself.
#[utoipa::path(
    get, path = "/v1/admin/health", tag = "Administration", security(("bearer" = [])),
    responses(
        (status = 200, description = "Now", body = Health),
        (status = 403, description = "`forbidden`"),
    ),
)]
async fn health(State(service): State<AdminService>, Admin(_): Admin) -> Json<Health> {
    Json(service.health().await)
}
