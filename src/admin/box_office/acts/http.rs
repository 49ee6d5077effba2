//! The HTTP routes of refunds and moves by staff.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::model::{MovedReservation, Moving, Order, OrderRefusal, RefundedOrder, Refunding};
use super::service::Orders;
use crate::http::api::auth::BoxOffice;
use crate::http::api::body::{Json, Path};
use crate::http::api::problem::{Problem, ProblemCode};
use crate::idempotency::http::{IdempotencyKey, answer, refusal};
use crate::idempotency::model::{Answer, Request};
use crate::store::id::{PaymentId, ReservationId};

/// The routes of refunds and moves.
pub(in crate::admin::box_office) fn routes(orders: Orders) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(box_office_refund))
        .routes(routes!(box_office_refund_hold))
        .routes(routes!(box_office_move))
        .with_state(orders)
}

/// Refund one seat for a buyer.
///
/// Also after the deadline. The points return to the buyer, and the seat is for sale again, or blocked.
/// A refund by the buyer at the same time counts once.
#[utoipa::path(
    post, path = "/v1/admin/box-office/payments/{id}/refund", tag = "Box office",
    security(("bearer" = ["box_office"])),
    params(("id" = PaymentId, Path, description = "The payment"), ("Idempotency-Key" = String, Header)),
    request_body = Refunding,
    responses(
        (status = 200, description = "Refunded", body = RefundedOrder),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`payment_not_found`"),
        (status = 409, description = "`already_refunded`"),
    ),
)]
async fn box_office_refund(
    State(orders): State<Orders>,
    BoxOffice(caller): BoxOffice,
    Path(id): Path<PaymentId>,
    key: IdempotencyKey,
    Json(terms): Json<Refunding>,
) -> Result<Response, Problem> {
    let what = format!("POST /v1/admin/box-office/payments/{id}/refund");
    let request = Request::new(caller.user, &key.0, &what, &terms);
    Ok(refunded(orders.refund(&request, Order::Payment(id), &terms).await?))
}

/// Refund a whole hold for a buyer.
///
/// All its seats that are not refunded yet. Otherwise as the refund of one seat.
#[utoipa::path(
    post, path = "/v1/admin/box-office/holds/{hold_id}/refund", tag = "Box office",
    security(("bearer" = ["box_office"])),
    params(("hold_id" = Uuid, Path), ("Idempotency-Key" = String, Header)),
    request_body = Refunding,
    responses(
        (status = 200, description = "Refunded", body = RefundedOrder),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`hold_not_found`"),
        (status = 409, description = "`already_refunded`; `hold_not_paid`"),
    ),
)]
async fn box_office_refund_hold(
    State(orders): State<Orders>,
    BoxOffice(caller): BoxOffice,
    Path(hold): Path<Uuid>,
    key: IdempotencyKey,
    Json(terms): Json<Refunding>,
) -> Result<Response, Problem> {
    let what = format!("POST /v1/admin/box-office/holds/{hold}/refund");
    let request = Request::new(caller.user, &key.0, &what, &terms);
    Ok(refunded(orders.refund(&request, Order::Hold(hold), &terms).await?))
}

/// Move a buyer to another seat.
///
/// To a free seat of the same price in the same schedule. The reservation keeps its id and its
/// payment. The seat that is left is for sale again, or blocked.
#[utoipa::path(
    post, path = "/v1/admin/box-office/reservations/{id}/move", tag = "Box office",
    security(("bearer" = ["box_office"])),
    params(("id" = ReservationId, Path, description = "The reservation"),
           ("Idempotency-Key" = String, Header)),
    request_body = Moving,
    responses(
        (status = 200, description = "Moved", body = MovedReservation),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`reservation_not_found`, `seat_not_found`"),
        (status = 409, description = "`reservation_not_complete`; `seat_not_free` with `seat_ids`; \
                                      `same_seat`; `other_price` with `price` and `new_price`; \
                                      `seat_returned`"),
    ),
)]
async fn box_office_move(
    State(orders): State<Orders>,
    BoxOffice(caller): BoxOffice,
    Path(id): Path<ReservationId>,
    key: IdempotencyKey,
    Json(terms): Json<Moving>,
) -> Result<Response, Problem> {
    let what = format!("POST /v1/admin/box-office/reservations/{id}/move");
    let request = Request::new(caller.user, &key.0, &what, &terms);
    Ok(answer(StatusCode::OK, orders.move_seat(&request, id, &terms).await?))
}

fn refunded(done: Answer<Result<RefundedOrder, OrderRefusal>>) -> Response {
    match done.outcome {
        Ok(outcome) => answer(StatusCode::OK, Answer { outcome, replayed: done.replayed }),
        Err(OrderRefusal::NotPaid) => {
            refusal(done.replayed, Problem::new(ProblemCode::HoldNotPaid))
        }
        Err(OrderRefusal::AlreadyRefunded) => {
            refusal(done.replayed, Problem::new(ProblemCode::AlreadyRefunded))
        }
    }
}
