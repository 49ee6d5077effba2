//! The HTTP routes that read concerts, schedules and seat maps with drafts.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::AdminSchedule;
use super::service::AdminCatalogue;
use crate::admin::state::AdminConcert;
use crate::concert::map::{SeatBits, SeatLayout, bits};
use crate::http::api::auth::Viewer;
use crate::http::api::body::{Json, Path};
use crate::http::api::pagination::PageQuery;
use crate::http::api::precondition::tagged;
use crate::http::api::problem::Problem;
use crate::pagination::{Page, Paging};
use crate::precondition::EntityTag;
use crate::store::id::{ConcertId, ScheduleId};

/// The routes of the catalogue with drafts.
pub(in crate::admin) fn routes(catalogue: AdminCatalogue) -> OpenApiRouter {
    let routes =
        OpenApiRouter::new().routes(routes!(admin_concerts)).routes(routes!(admin_concert));
    let routes = routes.routes(routes!(admin_schedules)).routes(routes!(admin_schedule));
    let routes = routes.routes(routes!(admin_layout)).routes(routes!(admin_seat_status));
    routes.with_state(catalogue)
}

/// List all concerts, drafts included.
///
/// In order of ids.
#[utoipa::path(
    get, path = "/v1/admin/concerts", tag = "Administration", security(("bearer" = ["viewer"])),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of concerts", body = Page<AdminConcert>),
        (status = 403, description = "`forbidden`"),
    ),
)]
async fn admin_concerts(
    State(catalogue): State<AdminCatalogue>,
    Viewer(_): Viewer,
    paging: Paging,
) -> Result<Json<Page<AdminConcert>>, Problem> {
    Ok(Json(catalogue.concerts(paging).await?))
}

/// Get a concert, also a draft.
///
/// Send its `ETag` as `If-Match` with a change, and the change is refused if another one came first.
#[utoipa::path(
    get, path = "/v1/admin/concerts/{id}", tag = "Administration", security(("bearer" = ["viewer"])),
    params(("id" = ConcertId, Path, description = "The concert")),
    responses(
        (status = 200, description = "The concert", body = AdminConcert,
         headers(("ETag" = String, description = "For `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`concert_not_found`"),
    ),
)]
async fn admin_concert(
    State(catalogue): State<AdminCatalogue>,
    Viewer(_): Viewer,
    Path(id): Path<ConcertId>,
) -> Result<Response, Problem> {
    let concert = catalogue.concert(id).await?;
    Ok(tagged(&EntityTag::of(&concert), Json(concert)))
}

/// List the schedules of a concert, drafts included.
///
/// In order of ids.
#[utoipa::path(
    get, path = "/v1/admin/concerts/{id}/schedules", tag = "Administration",
    security(("bearer" = ["viewer"])),
    params(("id" = ConcertId, Path, description = "The concert"), PageQuery),
    responses(
        (status = 200, description = "A page of schedules", body = Page<AdminSchedule>),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`concert_not_found`"),
    ),
)]
async fn admin_schedules(
    State(catalogue): State<AdminCatalogue>,
    Viewer(_): Viewer,
    Path(id): Path<ConcertId>,
    paging: Paging,
) -> Result<Json<Page<AdminSchedule>>, Problem> {
    Ok(Json(catalogue.schedules(id, paging).await?))
}

/// Get a schedule, also a draft.
///
/// Its `ETag` covers the times and whether it is a draft. The queue settings and the seats have tags
/// of their own.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}", tag = "Administration", security(("bearer" = ["viewer"])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "The schedule, at most 1 s old", body = AdminSchedule,
         headers(("ETag" = String, description = "For `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn admin_schedule(
    State(catalogue): State<AdminCatalogue>,
    Viewer(_): Viewer,
    Path(id): Path<ScheduleId>,
) -> Result<Response, Problem> {
    let (schedule, state) = catalogue.schedule(id).await?;
    Ok(tagged(&EntityTag::of(&state), Json(schedule)))
}

/// Get every seat of a schedule without its state, also of a draft.
///
/// The answer is that of `GET /v1/schedules/{id}/seats/layout`, in its current version.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/seats/layout", tag = "Administration",
    security(("bearer" = ["viewer"])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "The current layout", body = SeatLayout),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn admin_layout(
    State(catalogue): State<AdminCatalogue>,
    Viewer(_): Viewer,
    Path(id): Path<ScheduleId>,
) -> Result<Response, Problem> {
    let layout = catalogue.layout(id).await?;
    Ok(Json(SeatLayout::new(id, &layout)).into_response())
}

/// Get the states of all seats of a schedule, two bits each, also of a draft.
///
/// The answer is that of `GET /v1/schedules/{id}/seats/status`.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/seats/status", tag = "Administration",
    security(("bearer" = ["viewer"])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "At most 1 s old", body = SeatBits),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn admin_seat_status(
    State(catalogue): State<AdminCatalogue>,
    Viewer(_): Viewer,
    Path(id): Path<ScheduleId>,
) -> Result<Response, Problem> {
    let (layout, board) = catalogue.seats(id).await?;
    Ok(Json(bits(&layout, &board.seats)).into_response())
}
