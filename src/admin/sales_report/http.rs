//! `/v1/admin/schedules/{id}/report`, as JSON and as CSV, and the list of all entries.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::EventReport;
use super::service::SalesReports;
use super::{csv, entries};
use crate::http::api::auth::Viewer;
use crate::http::api::body::{Json, Path};
use crate::http::api::problem::Problem;
use crate::store::StoreError;
use crate::store::id::ScheduleId;

/// The routes of the sales report.
pub(in crate::admin) fn routes(reports: SalesReports) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(report))
        .routes(routes!(report_csv))
        .routes(routes!(report_entries))
        .with_state(reports)
}

/// The headers of a CSV file with this name.
fn csv_headers(name: &str) -> [(HeaderName, String); 2] {
    let kind = "text/csv; charset=utf-8; header=present".to_owned();
    [(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))]
}

/// Get the sales report of a schedule.
///
/// All figures come from PostgreSQL, so a loss of Redis does not change them. They were computed at
/// `computed_at` and stored. If they are not final and not new, newer ones are computed meanwhile:
/// `updating` says so. `settled` says whether the figures can still change.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/report", tag = "Administration",
    security(("bearer" = ["viewer"])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "The report", body = EventReport),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
        (status = 503, description = "`report_pending`: the first report of this schedule is \
                                      being computed"),
    ),
)]
async fn report(
    State(reports): State<SalesReports>,
    Viewer(_): Viewer,
    Path(id): Path<ScheduleId>,
) -> Result<Json<EventReport>, Problem> {
    Ok(Json(reports.report(id).await?))
}

/// Get the sales report as CSV.
///
/// RFC 4180, one figure per row, with the columns `part,item,since,value,unit`.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/report.csv", tag = "Administration",
    security(("bearer" = ["viewer"])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "The report", body = String, content_type = "text/csv"),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
        (status = 503, description = "`report_pending`: the first report of this schedule is \
                                      being computed"),
    ),
)]
async fn report_csv(
    State(reports): State<SalesReports>,
    Viewer(_): Viewer,
    Path(id): Path<ScheduleId>,
) -> Result<([(HeaderName, String); 2], String), Problem> {
    let report = reports.report(id).await?;
    Ok((csv_headers(&format!("onsale-schedule-{id}.csv")), csv::render(&report)))
}

/// List all queue entries of a schedule as CSV.
///
/// RFC 4180, one entry per line in order of joining, with the columns
/// `sequence,ticket_id,user_id,status,joined_at,admitted_at,ended_at`. The list is read while it is
/// sent, so entries that change meanwhile may be shown before or after the change.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/report/entries.csv", tag = "Administration",
    security(("bearer" = ["viewer"])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "The entries", body = String, content_type = "text/csv"),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn report_entries(
    State(reports): State<SalesReports>,
    Viewer(_): Viewer,
    Path(id): Path<ScheduleId>,
) -> Result<Response, Problem> {
    reports.find(id).await?;
    let first = Bytes::from_static(entries::HEAD.as_bytes());
    // A page is read when the one before is on its way to the client. Between two pages there is no
    // statement, no transaction and no connection: a slow client holds up nothing.
    let pages = stream::try_unfold((Some(first), -1), move |(head, after)| {
        let reports = reports.clone();
        async move {
            if let Some(head) = head {
                return Ok::<_, StoreError>(Some((head, (None, after))));
            }
            let page = reports.entries(id, after).await?;
            let Some(last) = page.last().map(|entry| entry.sequence) else {
                return Ok(None);
            };
            Ok(Some((Bytes::from(entries::render(&page)), (None, last))))
        }
    });
    let headers = csv_headers(&format!("onsale-schedule-{id}-entries.csv"));
    Ok((headers, Body::from_stream(pages)).into_response())
}
