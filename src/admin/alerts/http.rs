//! The HTTP route of alerts.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Alert, AlertQuery};
use super::service::Alerts;
use crate::http::api::auth::Viewer;
use crate::http::api::body::{Json, Path};
use crate::http::api::pagination::{Filtered, PageQuery};
use crate::http::api::problem::Problem;
use crate::pagination::Page;
use crate::store::id::ScheduleId;

/// The route of alerts.
pub(in crate::admin) fn routes(alerts: Alerts) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(sale_alerts)).with_state(alerts)
}

/// List the alerts of a sale, newest first.
///
/// Alerts about a store are in the list of every sale; their `schedule_id` is null.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/alerts", operation_id = "sale_alerts",
    tag = "Administration", security(("bearer" = ["viewer"])),
    params(("id" = ScheduleId, Path, description = "The schedule"), AlertQuery, PageQuery),
    responses(
        (status = 200, description = "A page of alerts", body = Page<Alert>),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn sale_alerts(
    State(alerts): State<Alerts>,
    Viewer(_): Viewer,
    Path(id): Path<ScheduleId>,
    Filtered(query, paging): Filtered<AlertQuery>,
) -> Result<Json<Page<Alert>>, Problem> {
    Ok(Json(alerts.list(id, query, paging).await?))
}
