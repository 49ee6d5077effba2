//! `/v1/admin/schedules/{id}/report`, as JSON and as CSV.

use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::csv;
use super::model::EventReport;
use super::service::SalesReports;
use crate::http::api::auth::Admin;
use crate::http::api::body::{Json, Path};
use crate::http::api::problem::Problem;
use crate::store::id::ScheduleId;

/// The routes of the sales report.
pub(in crate::admin) fn routes(reports: SalesReports) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(report)).routes(routes!(report_csv)).with_state(reports)
}

/// Get the sales report of a schedule.
///
/// All figures come from PostgreSQL, so a loss of Redis does not change them. The report is
/// available at any time. `settled` says whether its figures can still change.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/report", tag = "Administration",
    security(("bearer" = [])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "The report", body = EventReport),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn report(
    State(reports): State<SalesReports>,
    Admin(_): Admin,
    Path(id): Path<ScheduleId>,
) -> Result<Json<EventReport>, Problem> {
    Ok(Json(reports.report(id).await?))
}

/// Get the sales report as CSV.
///
/// RFC 4180, one figure per row, with the columns `part,item,since,value,unit`.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/report.csv", tag = "Administration",
    security(("bearer" = [])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "The report", body = String, content_type = "text/csv"),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn report_csv(
    State(reports): State<SalesReports>,
    Admin(_): Admin,
    Path(id): Path<ScheduleId>,
) -> Result<([(HeaderName, String); 2], String), Problem> {
    let report = reports.report(id).await?;
    let name = format!("attachment; filename=\"onsale-schedule-{id}.csv\"");
    let kind = "text/csv; charset=utf-8; header=present".to_owned();
    Ok(([(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, name)], csv::render(&report)))
}
