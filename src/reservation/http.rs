//! The HTTP routes of reservations and holds.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::error::HoldError;
use super::model::{Best, Hold, MAX_SEATS, Reservation, ReservationStatus, Wanted, are_ranges};
use super::service::Reservations;
use crate::caller::Caller;
use crate::http::api::auth::QueueToken;
use crate::http::api::body::{Json, Path, created};
use crate::http::api::pagination::{Filtered, PageQuery};
use crate::http::api::problem::{FieldError, Problem, ProblemCode};
use crate::idempotency::http::{IdempotencyKey, answer};
use crate::idempotency::model::Request;
use crate::pagination::Page;
use crate::store::id::{ReservationId, ScheduleId, SeatId};

/// The routes of reservations and holds.
pub fn routes(reservations: Reservations) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(hold))
        .routes(routes!(find_hold, release))
        .routes(routes!(list))
        .routes(routes!(find))
        .with_state(Arc::new(reservations))
}

/// The seats to hold: either `seat_ids` or `quantity`.
#[derive(Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct HoldBody {
    /// Ids of the seats, each once. All are held or none.
    #[garde(inner(length(min = 1, max = MAX_SEATS), custom(distinct)))]
    #[schema(min_items = 1, max_items = 100)]
    seat_ids: Option<Vec<SeatId>>,
    /// Number of seats. The server chooses the best available ones, adjacent if possible.
    #[garde(inner(range(min = 1, max = MAX_SEATS)))]
    #[schema(minimum = 1, maximum = 100)]
    quantity: Option<usize>,
    /// With `quantity`: only seats in this section.
    #[garde(inner(length(chars, min = 1, max = 50)))]
    #[schema(min_length = 1, max_length = 50)]
    section: Option<String>,
    /// With `quantity`: only seats with at most this price, in points.
    #[garde(inner(range(min = 0)))]
    #[schema(minimum = 0)]
    max_price: Option<i64>,
    /// With `quantity`: no seats in these price ranges, each `[low, high]`.
    // Absent values are not serialized, so that a body without this field keeps its fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(valid_ranges)))]
    #[schema(max_items = 20)]
    exclude_prices: Option<Vec<[i64; 2]>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde passes its context by reference")]
fn valid_ranges(ranges: &[[i64; 2]], (): &()) -> garde::Result {
    if are_ranges(ranges) {
        Ok(())
    } else {
        Err(garde::Error::new("must be up to 20 ranges, each of a lower and a higher price"))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde passes its context by reference")]
fn distinct(seats: &[SeatId], (): &()) -> garde::Result {
    // There are at most 100 seats, so comparing them is faster than hashing.
    if seats.iter().enumerate().all(|(at, seat)| !seats[..at].contains(seat)) {
        Ok(())
    } else {
        Err(garde::Error::new("must have each seat only once"))
    }
}

impl HoldBody {
    /// Converts the body; a problem lists every field that does not fit the others.
    fn parse(&self) -> Result<Wanted, Problem> {
        let seats = match (&self.seat_ids, self.quantity) {
            (None, Some(quantity)) => {
                let (section, max_price) = (self.section.clone(), self.max_price);
                let exclude_prices = self.exclude_prices.clone().unwrap_or_default();
                return Ok(Wanted::Best(Best { quantity, section, max_price, exclude_prices }));
            }
            (Some(seats), _) => Some(seats),
            (None, None) => None,
        };
        let field_error = |pointer: &str, detail: &str| FieldError {
            pointer: pointer.to_owned(),
            detail: detail.to_owned(),
        };
        let mut errors = Vec::new();
        if seats.is_none() {
            errors.push(field_error("/seat_ids", "either seat_ids or quantity is required"));
        }
        if self.quantity.is_some() {
            errors.push(field_error("/quantity", "is not allowed with seat_ids"));
        }
        if self.section.is_some() {
            errors.push(field_error("/section", "is allowed only with quantity"));
        }
        if self.max_price.is_some() {
            errors.push(field_error("/max_price", "is allowed only with quantity"));
        }
        if self.exclude_prices.is_some() {
            errors.push(field_error("/exclude_prices", "is allowed only with quantity"));
        }
        match seats {
            Some(seats) if errors.is_empty() => Ok(Wanted::Seats(seats.clone())),
            _ => Err(Problem::invalid_request(errors)),
        }
    }
}

/// Hold seats, all or none.
///
/// Send either `seat_ids`, or a `quantity` of the best available seats. No other buyer can have the
/// seats before `expires_at`.
#[utoipa::path(post, path = "/v1/schedules/{id}/reservations", tag = "Reservations",
    params(("id" = i64, Path), ("Idempotency-Key" = String, Header)),
    security(("bearer" = [], "queue_token" = [])), request_body = HoldBody,
    responses((status = 201, description = "Held: pay before `expires_at`", body = Hold,
               headers(("Location" = String, description = "The hold"))),
              (status = 403, description = "`ticket_not_active`, `ticket_not_yours`"),
              (status = 404, description = "`seat_not_found`, `schedule_not_found`"),
              (status = 409, description = "`seat_taken` with `seat_ids`, `not_enough_seats`, \
                                            `schedule_not_open`, `schedule_closed`, \
                                            `concert_unavailable`"),
              (status = 422, description = "`seat_limit_exceeded` with `limit`"),
              (status = 429, description = "`hold_limit`: the same seats too often, unpaid")))]
async fn hold(
    State(reservations): State<Arc<Reservations>>,
    caller: Caller,
    token: QueueToken,
    Path(schedule): Path<ScheduleId>,
    key: IdempotencyKey,
    Json(body): Json<HoldBody>,
) -> Result<Response, Problem> {
    let wanted = body.parse()?;
    let operation = format!("POST /v1/schedules/{schedule}/reservations");
    let request = Request::new(caller.user, &key.0, &operation, &body);
    let held = reservations.hold(&token.0, schedule, &request, &wanted).await;
    let held = held.map_err(|error| {
        let problem = Problem::from(error);
        reservations.refused(schedule, problem.code());
        problem
    })?;
    let location = format!("/v1/holds/{}", held.outcome.hold_id);
    Ok(created(&location, answer(StatusCode::CREATED, held)))
}

/// A hold with its status.
#[derive(Debug, Serialize, ToSchema)]
struct HoldView {
    /// Status of the whole hold.
    status: ReservationStatus,
    #[serde(flatten)]
    hold: Hold,
}

/// Get one of the caller's holds.
///
/// With the status of the whole hold and of each reservation.
#[utoipa::path(get, path = "/v1/holds/{hold_id}", tag = "Reservations",
    params(("hold_id" = Uuid, Path)), security(("bearer" = [])),
    responses((status = 200, description = "The hold and its reservations", body = HoldView),
              (status = 404, description = "`hold_not_found`")))]
async fn find_hold(
    State(reservations): State<Arc<Reservations>>,
    caller: Caller,
    Path(hold): Path<Uuid>,
) -> Result<Response, Problem> {
    let hold = reservations.find_hold(caller.user, hold).await?;
    Ok(Json(HoldView { status: hold.status(), hold }).into_response())
}

/// Release a hold.
///
/// Its seats are free at once. Repeating the request is safe. A paid hold cannot be released:
/// refund its payments instead.
#[utoipa::path(delete, path = "/v1/holds/{hold_id}", tag = "Reservations",
    params(("hold_id" = Uuid, Path)), security(("bearer" = [])),
    responses((status = 204, description = "Released, now or before"),
              (status = 404, description = "`hold_not_found`"),
              (status = 409, description = "`already_paid`")))]
async fn release(
    State(reservations): State<Arc<Reservations>>,
    caller: Caller,
    Path(hold): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    reservations.release(caller.user, hold).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct StatusQuery {
    /// Only reservations with this status.
    #[garde(skip)]
    #[param(inline)]
    status: Option<ReservationStatus>,
}

/// List the caller's reservations, newest first.
///
/// `?status=` limits the list to one status.
#[utoipa::path(get, path = "/v1/reservations", operation_id = "list_reservations", tag = "Reservations",
    params(StatusQuery, PageQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of reservations", body = Page<Reservation>)))]
async fn list(
    State(reservations): State<Arc<Reservations>>,
    caller: Caller,
    Filtered(query, paging): Filtered<StatusQuery>,
) -> Result<Response, Problem> {
    Ok(Json(reservations.list(caller.user, query.status, paging).await?).into_response())
}

/// Get one of the caller's reservations.
///
/// The reservations of other users are not found.
#[utoipa::path(get, path = "/v1/reservations/{id}", operation_id = "find_reservation", tag = "Reservations",
    params(("id" = i64, Path)), security(("bearer" = [])),
    responses((status = 200, description = "The reservation", body = Reservation),
              (status = 404, description = "`reservation_not_found`")))]
async fn find(
    State(reservations): State<Arc<Reservations>>,
    caller: Caller,
    Path(id): Path<ReservationId>,
) -> Result<Response, Problem> {
    Ok(Json(reservations.find(caller.user, id).await?).into_response())
}

/// The codes of holds that are refused. A metric has a count for each from the start.
pub const HOLD_REFUSALS: [ProblemCode; 13] = [
    ProblemCode::SeatTaken,
    ProblemCode::NotEnoughSeats,
    ProblemCode::TicketNotActive,
    ProblemCode::TicketInvalid,
    ProblemCode::SeatLimitExceeded,
    ProblemCode::HoldLimit,
    ProblemCode::SeatNotFound,
    ProblemCode::ScheduleNotOpen,
    ProblemCode::ScheduleClosed,
    ProblemCode::ConcertUnavailable,
    ProblemCode::RequestInProgress,
    ProblemCode::Overloaded,
    ProblemCode::StoreUnavailable,
];

impl From<HoldError> for Problem {
    fn from(error: HoldError) -> Self {
        match error {
            HoldError::Taken { seats, .. } => {
                Self::new(ProblemCode::SeatTaken).with("seat_ids", json!(seats))
            }
            HoldError::NotEnough => Self::new(ProblemCode::NotEnoughSeats),
            HoldError::Crowded => Self::overloaded(),
            HoldError::NotActive => Self::new(ProblemCode::TicketNotActive),
            HoldError::OverLimit { limit, .. } => {
                Self::new(ProblemCode::SeatLimitExceeded).with("limit", json!(limit))
            }
            HoldError::Churn => Self::new(ProblemCode::HoldLimit).retry_after(60),
            HoldError::NoSeat => Self::new(ProblemCode::SeatNotFound),
            HoldError::NoSchedule => Self::new(ProblemCode::ScheduleNotFound),
            HoldError::NotOpen => Self::new(ProblemCode::ScheduleNotOpen),
            HoldError::Closed => Self::new(ProblemCode::ScheduleClosed),
            HoldError::ConcertUnavailable => Self::new(ProblemCode::ConcertUnavailable),
            HoldError::NoHold => Self::new(ProblemCode::HoldNotFound),
            HoldError::NoReservation => Self::new(ProblemCode::ReservationNotFound),
            HoldError::AlreadyPaid => Self::new(ProblemCode::AlreadyPaid),
            HoldError::UnknownUser => Self::unauthenticated(),
            HoldError::Ticket(error) => error.into(),
            HoldError::Key(error) => error.into(),
            HoldError::Store(error) => error.into(),
        }
    }
}
