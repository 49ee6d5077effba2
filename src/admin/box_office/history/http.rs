//! The HTTP routes of histories.

use axum::extract::State;
use axum::http::Uri;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::HistoryEvent;
use super::service::Histories;
use crate::http::api::auth::BoxOffice;
use crate::http::api::body::{Json, Path};
use crate::http::api::pagination::{PageQuery, parse_time_paging};
use crate::http::api::problem::Problem;
use crate::pagination::Page;
use crate::store::id::{SeatId, UserId};

/// The routes of histories.
pub(in crate::admin::box_office) fn routes(histories: Histories) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(buyer_history))
        .routes(routes!(seat_history))
        .with_state(histories)
}

/// Read what happened to a buyer, oldest first.
///
/// Queue entries, holds, payments, refunds, points, what staff did, and why.
#[utoipa::path(
    get, path = "/v1/admin/box-office/buyers/{id}/history", tag = "Box office",
    security(("bearer" = ["box_office"])),
    params(("id" = UserId, Path, description = "The user"), PageQuery),
    responses(
        (status = 200, description = "A page of events", body = Page<HistoryEvent>),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`user_not_found`"),
    ),
)]
async fn buyer_history(
    State(histories): State<Histories>,
    BoxOffice(_): BoxOffice,
    Path(id): Path<UserId>,
    uri: Uri,
) -> Result<Json<Page<HistoryEvent>>, Problem> {
    let paging = parse_time_paging(uri.query().unwrap_or_default())?;
    Ok(Json(histories.of_buyer(id, paging).await?))
}

/// Read what happened to a seat, oldest first.
///
/// Who held, paid and gave it back, moves, guests, and when it was blocked.
#[utoipa::path(
    get, path = "/v1/admin/box-office/seats/{id}/history", tag = "Box office",
    security(("bearer" = ["box_office"])),
    params(("id" = SeatId, Path, description = "The seat"), PageQuery),
    responses(
        (status = 200, description = "A page of events", body = Page<HistoryEvent>),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`seat_not_found`"),
    ),
)]
async fn seat_history(
    State(histories): State<Histories>,
    BoxOffice(_): BoxOffice,
    Path(id): Path<SeatId>,
    uri: Uri,
) -> Result<Json<Page<HistoryEvent>>, Problem> {
    let paging = parse_time_paging(uri.query().unwrap_or_default())?;
    Ok(Json(histories.of_seat(id, paging).await?))
}
