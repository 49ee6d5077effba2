//! How a sale goes, and who changed what.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{AuditEntry, Stats};
use crate::admin::service::AdminService;
use crate::http::auth::Admin;
use crate::http::body::{Json, Path};
use crate::http::page::{Page, PageQuery, Paging};
use crate::http::problem::Problem;
use crate::store::id::ScheduleId;

/// The routes of figures and audit.
pub(in crate::admin) fn routes() -> OpenApiRouter<AdminService> {
    OpenApiRouter::new().routes(routes!(stats)).routes(routes!(audit))
}

/// How the sale of a schedule goes.
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
#[utoipa::path(
    get, path = "/v1/admin/audit", tag = "Administration", security(("bearer" = [])),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of it", body = Page<AuditEntry>),
        (status = 403, description = "`forbidden`"),
    ),
)]
async fn audit(
    State(service): State<AdminService>,
    Admin(_): Admin,
    paging: Paging,
) -> Result<Json<Page<AuditEntry>>, Problem> {
    Ok(Json(service.audit(paging).await?))
}
