//! How a sale goes, and who changed what.

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{AuditEntry, AuditQuery, Stats};
use super::stream::StatsStreams;
use crate::admin::service::AdminService;
use crate::http::api::auth::Admin;
use crate::http::api::body::{Json, Path};
use crate::http::api::pagination::{Filtered, PageQuery};
use crate::http::api::problem::Problem;
use crate::http::stream::takeover;
use crate::pagination::Page;
use crate::store::id::ScheduleId;

/// The routes of figures and audit.
pub(in crate::admin) fn routes() -> OpenApiRouter<AdminService> {
    OpenApiRouter::new().routes(routes!(stats)).routes(routes!(audit))
}

/// The route of pushed figures.
pub fn pushed(streams: StatsStreams) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(stream)).with_state(streams)
}

/// How the sale of a schedule goes.
///
/// Queue figures from Redis, sales figures from PostgreSQL.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/stats", tag = "Administration",
    security(("bearer" = [])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "Now", body = Stats),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn stats(
    State(service): State<AdminService>,
    Admin(_): Admin,
    Path(id): Path<ScheduleId>,
) -> Result<Json<Stats>, Problem> {
    Ok(Json(service.stats(id).await?))
}

/// Who changed what, newest first.
///
/// Filtered by any of `action`, `subject` and `admin`.
#[utoipa::path(
    get, path = "/v1/admin/audit", tag = "Administration", security(("bearer" = [])),
    params(AuditQuery, PageQuery),
    responses(
        (status = 200, description = "A page of it", body = Page<AuditEntry>),
        (status = 403, description = "`forbidden`"),
    ),
)]
async fn audit(
    State(service): State<AdminService>,
    Admin(_): Admin,
    Filtered(wanted, paging): Filtered<AuditQuery>,
) -> Result<Json<Page<AuditEntry>>, Problem> {
    Ok(Json(service.audit(&wanted, paging).await?))
}

/// How the sale of a schedule goes, every second, as server-sent events.
///
/// `stats` has the body that asking once has. `stale`: a store does not answer, until the next
/// `stats`. Closed after ten minutes, so that who may see it is asked again.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/stats/stream", operation_id = "stream_stats", tag = "Administration",
    security(("bearer" = [])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "Until a side closes it", body = String,
         content_type = "text/event-stream"),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn stream(
    State(streams): State<StatsStreams>,
    Admin(_): Admin,
    Path(id): Path<ScheduleId>,
) -> Result<Response, Problem> {
    let open = streams.open()?;
    streams.exists(id).await?;
    Ok(takeover::stream(open, move |socket| streams.serve(id, socket)))
}
