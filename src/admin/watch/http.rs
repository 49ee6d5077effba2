//! The HTTP routes `/v1/admin/schedules/{id}/next` and `/v1/admin/health`.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::Health;
use super::service::SaleWatch;
use crate::http::api::auth::Viewer;
use crate::http::api::body::{Json, Path};
use crate::http::api::problem::Problem;
use crate::queue::next::NextInQueue;
use crate::store::id::ScheduleId;

/// The routes for watching a sale.
pub(in crate::admin) fn routes(watch: SaleWatch) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(next)).routes(routes!(health)).with_state(watch)
}

/// Show who is admitted next, and what blocks admission.
///
/// Redis answers from its current state, by the rules of admission.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/next", operation_id = "next_in_line",
    tag = "Administration", security(("bearer" = ["viewer"])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "The next, and what blocks admission", body = NextInQueue),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
        (status = 409, description = "`being_removed`"),
    ),
)]
async fn next(
    State(watch): State<SaleWatch>,
    Viewer(_): Viewer,
    Path(id): Path<ScheduleId>,
) -> Result<Json<NextInQueue>, Problem> {
    Ok(Json(watch.front(id).await?))
}

/// Check the answering process, its loops and its stores.
///
/// Answers `200` also while a store is down. Each process reports only on itself.
#[utoipa::path(
    get, path = "/v1/admin/health", tag = "Administration", security(("bearer" = ["viewer"])),
    responses(
        (status = 200, description = "The state of the answering process", body = Health),
        (status = 403, description = "`forbidden`"),
    ),
)]
async fn health(State(watch): State<SaleWatch>, Viewer(_): Viewer) -> Json<Health> {
    Json(watch.health().await)
}
