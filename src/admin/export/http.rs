//! `/v1/admin/schedules/{id}/exports/{file}`.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{ExportFile, ExportQuery, Format};
use super::service::Exports;
use crate::http::api::auth::BoxOffice;
use crate::http::api::body::{Path, Query};
use crate::http::api::problem::Problem;
use crate::store::StoreError;
use crate::store::id::ScheduleId;

/// The route of exports.
pub(in crate::admin) fn routes(exports: Exports) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(export)).with_state(exports)
}

/// Export records of a schedule.
///
/// The file is `buyers`, `reservations`, `payments`, `points` or `admissions`, and ends in `.csv`
/// (RFC 4180, UTF-8 with a byte order mark) or `.jsonl` (one JSON object per line). It is read while
/// it is sent, so rows that change meanwhile may be shown before or after the change. If a download
/// breaks, go on with `?after=` and the `cursor` of the last complete line.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/exports/{file}", operation_id = "export_records",
    tag = "Administration", security(("bearer" = ["box_office"])),
    params(("id" = ScheduleId, Path, description = "The schedule"),
           ("file" = String, Path, description = "The file"), ExportQuery),
    responses(
        (status = 200, description = "The records", content(
            (String = "text/csv"), (String = "application/jsonl"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn export(
    State(exports): State<Exports>,
    BoxOffice(_): BoxOffice,
    Path((id, name)): Path<(ScheduleId, String)>,
    Query(ExportQuery { after }): Query<ExportQuery>,
) -> Result<Response, Problem> {
    let file = ExportFile::find(&name).ok_or_else(Problem::not_found)?;
    exports.find(id).await?;
    let head = if after.is_none() { Exports::head(file) } else { String::new() };
    let kind = match file.format {
        Format::Csv => "text/csv; charset=utf-8; header=present",
        Format::JsonLines => "application/jsonl",
    };
    let name = format!("attachment; filename=\"onsale-schedule-{id}-{name}\"");
    let headers = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, pages(exports, file, id, head, after.unwrap_or(0))).into_response())
}

/// The file as a stream of pages. A page is read when the one before is on its way to the client.
/// Between two pages there is no statement, no transaction and no connection: a slow client holds up
/// nothing.
fn pages(exports: Exports, file: ExportFile, id: ScheduleId, head: String, after: i64) -> Body {
    let pages = stream::try_unfold((head, Some(after)), move |(mut text, mut next)| {
        let exports = exports.clone();
        async move {
            // A page may have no line, because nothing that it looked at is exported.
            while let (true, Some(after)) = (text.is_empty(), next) {
                let page = exports.page(file, id, after).await?;
                (text, next) = (page.text, page.next);
            }
            let page = (!text.is_empty()).then(|| (Bytes::from(text), (String::new(), next)));
            Ok::<_, StoreError>(page)
        }
    });
    Body::from_stream(pages)
}
