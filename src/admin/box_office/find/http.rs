//! The HTTP routes that find buyers and seats.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{
    BuyerEntry, BuyerProfile, BuyerReservation, SearchAnswer, SearchQuery, SeatProfile,
};
use super::service::Finder;
use crate::http::api::auth::BoxOffice;
use crate::http::api::body::{Json, Path, Query};
use crate::http::api::pagination::PageQuery;
use crate::http::api::problem::Problem;
use crate::pagination::{Page, Paging};
use crate::store::id::{SeatId, UserId};

/// The routes that find buyers and seats.
pub(in crate::admin::box_office) fn routes(finder: Finder) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(search_box_office))
        .routes(routes!(buyer))
        .routes(routes!(buyer_reservations))
        .routes(routes!(buyer_entries))
        .routes(routes!(box_office_seat))
        .with_state(finder)
}

/// Find a buyer or a seat.
///
/// `q` may be a name or its beginning, the id of a user, reservation, payment, hold or ticket, or
/// with `schedule_id` a seat number. The answer has everything that it may mean.
#[utoipa::path(
    get, path = "/v1/admin/box-office/search", tag = "Box office",
    security(("bearer" = ["box_office"])), params(SearchQuery),
    responses(
        (status = 200, description = "What was found", body = SearchAnswer),
        (status = 403, description = "`forbidden`"),
    ),
)]
async fn search_box_office(
    State(finder): State<Finder>,
    BoxOffice(_): BoxOffice,
    Query(query): Query<SearchQuery>,
) -> Result<Json<SearchAnswer>, Problem> {
    Ok(Json(finder.search(&query.q, query.schedule_id).await?))
}

/// Get a buyer.
///
/// Every user can be read: buyers, guests, and staff.
#[utoipa::path(
    get, path = "/v1/admin/box-office/buyers/{id}", tag = "Box office",
    security(("bearer" = ["box_office"])),
    params(("id" = UserId, Path, description = "The user")),
    responses(
        (status = 200, description = "The buyer", body = BuyerProfile),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`user_not_found`"),
    ),
)]
async fn buyer(
    State(finder): State<Finder>,
    BoxOffice(_): BoxOffice,
    Path(id): Path<UserId>,
) -> Result<Json<BuyerProfile>, Problem> {
    Ok(Json(finder.buyer(id).await?))
}

/// List a buyer's reservations, newest first.
///
/// Each with its seat and its payment.
#[utoipa::path(
    get, path = "/v1/admin/box-office/buyers/{id}/reservations", tag = "Box office",
    security(("bearer" = ["box_office"])),
    params(("id" = UserId, Path, description = "The user"), PageQuery),
    responses(
        (status = 200, description = "A page of reservations", body = Page<BuyerReservation>),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`user_not_found`"),
    ),
)]
async fn buyer_reservations(
    State(finder): State<Finder>,
    BoxOffice(_): BoxOffice,
    Path(id): Path<UserId>,
    paging: Paging,
) -> Result<Json<Page<BuyerReservation>>, Problem> {
    Ok(Json(finder.reservations(id, paging).await?))
}

/// List a buyer's queue entries, newest first.
///
/// As archived, about a second after each change.
#[utoipa::path(
    get, path = "/v1/admin/box-office/buyers/{id}/entries", tag = "Box office",
    security(("bearer" = ["box_office"])),
    params(("id" = UserId, Path, description = "The user"), PageQuery),
    responses(
        (status = 200, description = "A page of queue entries", body = Page<BuyerEntry>),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`user_not_found`"),
    ),
)]
async fn buyer_entries(
    State(finder): State<Finder>,
    BoxOffice(_): BoxOffice,
    Path(id): Path<UserId>,
    paging: Paging,
) -> Result<Json<Page<BuyerEntry>>, Problem> {
    Ok(Json(finder.entries(id, paging).await?))
}

/// Get a seat, and who has it.
///
/// From PostgreSQL, which decides. Public maps show blocked seats and those of guests as sold.
#[utoipa::path(
    get, path = "/v1/admin/box-office/seats/{id}", tag = "Box office",
    security(("bearer" = ["box_office"])),
    params(("id" = SeatId, Path, description = "The seat")),
    responses(
        (status = 200, description = "The seat", body = SeatProfile),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`seat_not_found`"),
    ),
)]
async fn box_office_seat(
    State(finder): State<Finder>,
    BoxOffice(_): BoxOffice,
    Path(id): Path<SeatId>,
) -> Result<Json<SeatProfile>, Problem> {
    Ok(Json(finder.seat(id).await?))
}
