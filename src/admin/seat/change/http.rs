//! The HTTP routes that read, replace, remove and price the seats of a schedule.

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{DryRun, PriceChanges, SeatsEffect, SeatsState};
use super::service::{SeatEditor, SeatsEdit};
use crate::admin::seat::model::NewSeats;
use crate::http::api::auth::{Admin, Viewer};
use crate::http::api::body::{Json, Path, Query};
use crate::http::api::precondition::{IfMatch, tagged};
use crate::http::api::problem::Problem;
use crate::http::server::middleware::seat_list_limit;
use crate::store::id::ScheduleId;

/// The routes of changed seats. Replacing seats accepts larger bodies than other routes.
pub(in crate::admin) fn routes(editor: SeatEditor) -> OpenApiRouter {
    let lists = OpenApiRouter::new().routes(routes!(replace_seats)).layer(seat_list_limit());
    let routes = OpenApiRouter::new().routes(routes!(seats_state)).routes(routes!(remove_seats));
    routes.routes(routes!(change_prices)).merge(lists).with_state(editor)
}

/// Get the seats of a schedule by section and price, also of a draft.
///
/// Send its `ETag` as `If-Match` with a change of the seats, and the change is refused if another
/// one came first. Holds and sales do not change the tag.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/seats", tag = "Administration",
    security(("bearer" = ["viewer"])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "The seats", body = SeatsState,
         headers(("ETag" = String, description = "For `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn seats_state(
    State(service): State<SeatEditor>,
    Viewer(_): Viewer,
    Path(id): Path<ScheduleId>,
) -> Result<Response, Problem> {
    let (state, tag) = service.seats_state(id).await?;
    Ok(tagged(&tag, Json(state)))
}

/// Replace all seats of a schedule.
///
/// Only until its first reservation. All seats get new ids, and numbers from 1 on. A seat stays
/// blocked if there is a new one with its section, row and position.
#[utoipa::path(
    put, path = "/v1/admin/schedules/{id}/seats", tag = "Administration",
    security(("bearer" = ["admin"])),
    params(("id" = ScheduleId, Path, description = "The schedule"), DryRun,
           ("If-Match" = Option<String>, Header)),
    request_body = NewSeats,
    responses(
        (status = 200, description = "What the change affects", body = SeatsEffect,
         headers(("ETag" = String, description = "For `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
        (status = 409, description = "`seats_reserved`: there is or was a reservation; \
                                      `being_removed`"),
        (status = 412, description = "`changed_meanwhile` with `current`"),
    ),
)]
async fn replace_seats(
    State(service): State<SeatEditor>,
    Admin(caller): Admin,
    Path(schedule): Path<ScheduleId>,
    Query(DryRun { dry_run }): Query<DryRun>,
    IfMatch(expected): IfMatch,
    Json(new): Json<NewSeats>,
) -> Result<Response, Problem> {
    let edit = SeatsEdit { admin: caller.user, schedule, expected: &expected, dry_run };
    let (effect, tag) = service.replace_seats(&edit, Some(new)).await?;
    Ok(tagged(&tag, Json(effect)))
}

/// Remove all seats of a schedule.
///
/// Only until its first reservation.
#[utoipa::path(
    delete, path = "/v1/admin/schedules/{id}/seats", tag = "Administration",
    security(("bearer" = ["admin"])),
    params(("id" = ScheduleId, Path, description = "The schedule"), DryRun,
           ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "What the change affects", body = SeatsEffect,
         headers(("ETag" = String, description = "For `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
        (status = 409, description = "`seats_reserved`: there is or was a reservation; \
                                      `being_removed`"),
        (status = 412, description = "`changed_meanwhile` with `current`"),
    ),
)]
async fn remove_seats(
    State(service): State<SeatEditor>,
    Admin(caller): Admin,
    Path(schedule): Path<ScheduleId>,
    Query(DryRun { dry_run }): Query<DryRun>,
    IfMatch(expected): IfMatch,
) -> Result<Response, Problem> {
    let edit = SeatsEdit { admin: caller.user, schedule, expected: &expected, dry_run };
    let (effect, tag) = service.replace_seats(&edit, None).await?;
    Ok(tagged(&tag, Json(effect)))
}

/// Change the prices of seats.
///
/// By section, row, and current price. Seats that buyers hold or own keep their price: a hold
/// copies it. Everybody sees the new prices within 1 s.
#[utoipa::path(
    patch, path = "/v1/admin/schedules/{id}/seats/prices", tag = "Administration",
    security(("bearer" = ["admin"])),
    params(("id" = ScheduleId, Path, description = "The schedule"), DryRun,
           ("If-Match" = Option<String>, Header)),
    request_body = PriceChanges,
    responses(
        (status = 200, description = "What the change affects", body = SeatsEffect,
         headers(("ETag" = String, description = "For `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
        (status = 409, description = "`being_removed`"),
        (status = 412, description = "`changed_meanwhile` with `current`"),
    ),
)]
async fn change_prices(
    State(service): State<SeatEditor>,
    Admin(caller): Admin,
    Path(schedule): Path<ScheduleId>,
    Query(DryRun { dry_run }): Query<DryRun>,
    IfMatch(expected): IfMatch,
    Json(changes): Json<PriceChanges>,
) -> Result<Response, Problem> {
    let edit = SeatsEdit { admin: caller.user, schedule, expected: &expected, dry_run };
    let (effect, tag) = service.change_prices(&edit, &changes).await?;
    Ok(tagged(&tag, Json(effect)))
}
