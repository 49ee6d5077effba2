//! The HTTP route of a sale's history.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{History, HistoryQuery};
use super::service::SaleHistory;
use crate::http::api::auth::Viewer;
use crate::http::api::body::{Json, Path, Query};
use crate::http::api::problem::Problem;
use crate::store::id::ScheduleId;

/// The route of a sale's history.
pub(in crate::admin) fn routes(history: SaleHistory) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(sale_history)).with_state(history)
}

/// Get the history of a sale, with what changed in it.
///
/// Totals over all processes. Values are kept each second for an hour, each 10 s for a day, and each
/// minute for 400 days. Where values of the step are no longer kept, longer ones stand.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/history", operation_id = "sale_history",
    tag = "Administration", security(("bearer" = ["viewer"])),
    params(("id" = ScheduleId, Path, description = "The schedule"), HistoryQuery),
    responses(
        (status = 200, description = "The series and the markers", body = History),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn sale_history(
    State(history): State<SaleHistory>,
    Viewer(_): Viewer,
    Path(id): Path<ScheduleId>,
    Query(query): Query<HistoryQuery>,
) -> Result<Json<History>, Problem> {
    Ok(Json(history.history(id, &query).await?))
}
