//! The HTTP routes of a sale's figures and of the audit.

use axum::extract::State;
use axum::response::Response;
use axum::response::sse::Event;
use futures_util::StreamExt;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{AuditEntry, AuditQuery, Stats};
use super::service::{AuditLog, SaleFigures};
use super::stream::{Reading, StatsStreams};
use crate::http::api::auth::Viewer;
use crate::http::api::body::{Json, Path};
use crate::http::api::pagination::{Filtered, PageQuery};
use crate::http::api::problem::Problem;
use crate::http::stream::response;
use crate::pagination::Page;
use crate::store::id::ScheduleId;

/// The routes of a sale's figures and of the audit.
pub(in crate::admin) fn routes(figures: SaleFigures, log: AuditLog) -> OpenApiRouter {
    let stats = OpenApiRouter::new().routes(routes!(stats)).with_state(figures);
    stats.merge(OpenApiRouter::new().routes(routes!(audit)).with_state(log))
}

/// The route of the stream of figures.
pub fn stream_routes(streams: StatsStreams) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(stream)).with_state(streams)
}

/// Get the current figures of a sale.
///
/// Queue figures come from Redis, sales figures from PostgreSQL.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/stats", tag = "Administration",
    security(("bearer" = ["viewer"])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "The figures", body = Stats),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn stats(
    State(figures): State<SaleFigures>,
    Viewer(_): Viewer,
    Path(id): Path<ScheduleId>,
) -> Result<Json<Stats>, Problem> {
    Ok(Json(figures.stats(id).await?))
}

/// List the changes that administrators made, newest first.
///
/// Filter by any combination of `action`, `subject` and `admin`.
#[utoipa::path(
    get, path = "/v1/admin/audit", tag = "Administration", security(("bearer" = ["viewer"])),
    params(AuditQuery, PageQuery),
    responses(
        (status = 200, description = "A page of audit entries", body = Page<AuditEntry>),
        (status = 403, description = "`forbidden`"),
    ),
)]
async fn audit(
    State(log): State<AuditLog>,
    Viewer(_): Viewer,
    Filtered(query, paging): Filtered<AuditQuery>,
) -> Result<Json<Page<AuditEntry>>, Problem> {
    Ok(Json(log.entries(&query, paging).await?))
}

/// Stream the figures of a sale as server-sent events, once a second.
///
/// A `stats` event has the same body as `GET .../stats`. `stale` says that a store does not answer;
/// the next `stats` ends that. The server closes the stream after ten minutes, so that the token
/// and its role are checked again.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/stats/stream", operation_id = "stream_stats", tag = "Administration",
    security(("bearer" = ["viewer"])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "Events until either side closes the stream", body = String,
         content_type = "text/event-stream"),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn stream(
    State(streams): State<StatsStreams>,
    Viewer(_): Viewer,
    Path(id): Path<ScheduleId>,
) -> Result<Response, Problem> {
    let open = streams.open()?;
    streams.exists(id).await?;
    Ok(response::stream(open, streams.readings(id).map(event)))
}

fn event(reading: Reading) -> Event {
    match reading {
        Reading::Stats { at_ms, json } => {
            Event::default().event("stats").id(at_ms.to_string()).data(json)
        }
        // An empty id, as in `event::STALE`.
        Reading::Stale => Event::default().event("stale").id("").data("{}"),
    }
}
