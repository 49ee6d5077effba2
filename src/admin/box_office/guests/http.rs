//! The HTTP routes of the guest list.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{GivenSeats, Giving, GuestSeat, RevokedSeat, Revoking};
use super::service::GuestList;
use crate::http::api::auth::BoxOffice;
use crate::http::api::body::{Json, Path};
use crate::http::api::pagination::PageQuery;
use crate::http::api::problem::{FieldError, Problem};
use crate::idempotency::http::{IdempotencyKey, answer};
use crate::idempotency::model::Request;
use crate::pagination::{Page, Paging};
use crate::store::id::{ReservationId, ScheduleId};

/// The routes of the guest list.
pub(in crate::admin::box_office) fn routes(guests: GuestList) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(give_seats, guest_list))
        .routes(routes!(revoke_guest_seat))
        .with_state(guests)
}

/// Give seats to a guest for free.
///
/// To a new guest by `name`, or to the user `user_id`. Free and blocked seats can be given, before,
/// during and after the sale. All or none. They count apart from sold seats.
#[utoipa::path(
    post, path = "/v1/admin/box-office/schedules/{id}/guests", tag = "Box office",
    security(("bearer" = ["box_office"])),
    params(("id" = ScheduleId, Path, description = "The schedule"),
           ("Idempotency-Key" = String, Header)),
    request_body = Giving,
    responses(
        (status = 201, description = "Given", body = GivenSeats),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`, `seat_not_found`, `user_not_found`"),
        (status = 409, description = "`seat_not_free` with `seat_ids`: held or sold"),
    ),
)]
async fn give_seats(
    State(guests): State<GuestList>,
    BoxOffice(caller): BoxOffice,
    Path(id): Path<ScheduleId>,
    key: IdempotencyKey,
    Json(terms): Json<Giving>,
) -> Result<Response, Problem> {
    let guest = terms.guest().ok_or_else(|| {
        let detail = "needs either name or user_id".to_owned();
        Problem::invalid_request(vec![FieldError { pointer: String::new(), detail }])
    })?;
    let what = format!("POST /v1/admin/box-office/schedules/{id}/guests");
    let request = Request::new(caller.user, &key.0, &what, &terms);
    Ok(answer(StatusCode::CREATED, guests.give(&request, id, &guest, &terms).await?))
}

/// List the guests of a schedule, the latest first.
///
/// One item for each seat that was given, also those that were taken back.
#[utoipa::path(
    get, path = "/v1/admin/box-office/schedules/{id}/guests", tag = "Box office",
    security(("bearer" = ["box_office"])),
    params(("id" = ScheduleId, Path, description = "The schedule"), PageQuery),
    responses(
        (status = 200, description = "A page of guests", body = Page<GuestSeat>),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn guest_list(
    State(guests): State<GuestList>,
    BoxOffice(_): BoxOffice,
    Path(id): Path<ScheduleId>,
    paging: Paging,
) -> Result<Json<Page<GuestSeat>>, Problem> {
    Ok(Json(guests.list(id, paging).await?))
}

/// Take a seat back from a guest.
///
/// The seat is free or blocked again, as it was before it was given, or as `block` says.
#[utoipa::path(
    post, path = "/v1/admin/box-office/guests/{id}/revoke", tag = "Box office",
    security(("bearer" = ["box_office"])),
    params(("id" = ReservationId, Path, description = "The guest's reservation"),
           ("Idempotency-Key" = String, Header)),
    request_body = Revoking,
    responses(
        (status = 200, description = "Taken back", body = RevokedSeat),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`guest_not_found`"),
        (status = 409, description = "`already_revoked`"),
    ),
)]
async fn revoke_guest_seat(
    State(guests): State<GuestList>,
    BoxOffice(caller): BoxOffice,
    Path(id): Path<ReservationId>,
    key: IdempotencyKey,
    Json(terms): Json<Revoking>,
) -> Result<Response, Problem> {
    let what = format!("POST /v1/admin/box-office/guests/{id}/revoke");
    let request = Request::new(caller.user, &key.0, &what, &terms);
    Ok(answer(StatusCode::OK, guests.revoke(&request, id, &terms).await?))
}
