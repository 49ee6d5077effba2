//! The HTTP routes under `/v1/admin/schedules/{id}/seats`.

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{BlockedSeats, Blocking, NewSeats, SeatsAdded, SeatsBlocked};
use super::service::SeatAdmin;
use crate::http::api::auth::{Admin, Operator, Viewer};
use crate::http::api::body::{Json, Path, created};
use crate::http::api::precondition::{IfMatch, tagged};
use crate::http::api::problem::Problem;
use crate::http::server::middleware::seat_list_limit;
use crate::store::id::ScheduleId;

/// The routes of seats. Adding and blocking seats accept larger bodies than other routes.
pub(in crate::admin) fn routes(seats: SeatAdmin) -> OpenApiRouter {
    let lists = OpenApiRouter::new().routes(routes!(add_seats, block_seats));
    lists.layer(seat_list_limit()).routes(routes!(blocked_seats)).with_state(seats)
}

/// Add seats to a schedule.
///
/// Up to 100,000 seats in one call and 200,000 in one schedule. Send either whole `sections`, or
/// `seats` one by one. Seat numbers continue from the last seat without a gap.
#[utoipa::path(
    post, path = "/v1/admin/schedules/{id}/seats", tag = "Administration",
    security(("bearer" = ["admin"])),
    params(("id" = ScheduleId, Path, description = "The schedule"),
           ("If-Match" = Option<String>, Header)),
    request_body = NewSeats,
    responses(
        (status = 201, description = "Added", body = SeatsAdded,
         headers(("Location" = String, description = "The seats of the schedule"),
                 ("ETag" = String, description = "Of the seats, for `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
        (status = 409, description = "`being_removed`"),
        (status = 412, description = "`changed_meanwhile` with `current`"),
    ),
)]
async fn add_seats(
    State(service): State<SeatAdmin>,
    Admin(caller): Admin,
    Path(id): Path<ScheduleId>,
    IfMatch(expected): IfMatch,
    Json(new): Json<NewSeats>,
) -> Result<Response, Problem> {
    let (added, tag) = service.add_seats(caller.user, id, &expected, new).await?;
    Ok(tagged(&tag, created(&format!("/v1/schedules/{id}/seats"), Json(added))))
}

/// Block or unblock seats.
///
/// Blocked seats cannot be held. If a buyer holds or owns one of the seats, nothing changes.
#[utoipa::path(
    patch, path = "/v1/admin/schedules/{id}/seats", tag = "Administration",
    security(("bearer" = ["operator"])),
    params(("id" = ScheduleId, Path, description = "The schedule"),
           ("If-Match" = Option<String>, Header)),
    request_body = Blocking,
    responses(
        (status = 200, description = "The number of seats that changed", body = SeatsBlocked,
         headers(("ETag" = String, description = "Of the seats, for `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`, `seat_not_found`"),
        (status = 409, description = "`seat_in_use` with `seat_ids`: the seats that buyers hold \
                                      or own; `being_removed`"),
        (status = 412, description = "`changed_meanwhile` with `current`"),
    ),
)]
async fn block_seats(
    State(service): State<SeatAdmin>,
    Operator(caller): Operator,
    Path(id): Path<ScheduleId>,
    IfMatch(expected): IfMatch,
    Json(blocking): Json<Blocking>,
) -> Result<Response, Problem> {
    let (blocked, tag) = service.block_seats(caller.user, id, &expected, &blocking).await?;
    Ok(tagged(&tag, Json(blocked)))
}

/// List the blocked seats of a schedule.
///
/// In order of seat number. Public seat maps do not distinguish them from sold seats.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/seats/blocked", tag = "Administration",
    security(("bearer" = ["viewer"])),
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "The blocked seats", body = BlockedSeats,
         headers(("ETag" = String, description = "Of the seats, for `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn blocked_seats(
    State(service): State<SeatAdmin>,
    Viewer(_): Viewer,
    Path(id): Path<ScheduleId>,
) -> Result<Response, Problem> {
    let (blocked, tag) = service.blocked_seats(id).await?;
    Ok(tagged(&tag, Json(blocked)))
}
