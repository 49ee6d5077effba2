//! Reservations and holds over HTTP.

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

/// Either the seats by id, or how many of the best there are.
#[derive(Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct HoldBody {
    /// These seats, all or none; each once.
    #[garde(inner(length(min = 1, max = MAX_SEATS), custom(distinct)))]
    #[schema(min_items = 1, max_items = 100)]
    seat_ids: Option<Vec<SeatId>>,
    /// So many of the best available, adjacent where possible.
    #[garde(inner(range(min = 1, max = MAX_SEATS)))]
    #[schema(minimum = 1, maximum = 100)]
    quantity: Option<usize>,
    /// With `quantity`: only in this section.
    #[garde(inner(length(chars, min = 1, max = 50)))]
    #[schema(min_length = 1, max_length = 50)]
    section: Option<String>,
    /// With `quantity`: only seats up to this price each.
    #[garde(inner(range(min = 0)))]
    #[schema(minimum = 0)]
    max_price: Option<i64>,
    /// With `quantity`: no seats of these price ranges, each `[low, high]`.
    // Left out where it is missing, so that a body without it stays the same request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(ranges)))]
    #[schema(max_items = 20)]
    exclude_prices: Option<Vec<[i64; 2]>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde passes its context by reference")]
fn ranges(ranges: &[[i64; 2]], (): &()) -> garde::Result {
    if are_ranges(ranges) {
        Ok(())
    } else {
        Err(garde::Error::new("up to 20 ranges, each of a lower and a higher price"))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde passes its context by reference")]
fn distinct(seats: &[SeatId], (): &()) -> garde::Result {
    // A hundred at most: looking through them is quicker than hashing.
    if seats.iter().enumerate().all(|(at, seat)| !seats[..at].contains(seat)) {
        Ok(())
    } else {
        Err(garde::Error::new("names a seat twice"))
    }
}

impl HoldBody {
    fn wanted(&self) -> Result<Wanted, Problem> {
        let seats = match (&self.seat_ids, self.quantity) {
            (None, Some(quantity)) => {
                let (section, max_price) = (self.section.clone(), self.max_price);
                let exclude_prices = self.exclude_prices.clone().unwrap_or_default();
                return Ok(Wanted::Best(Best { quantity, section, max_price, exclude_prices }));
            }
            (Some(seats), _) => Some(seats),
            (None, None) => None,
        };
        let wrong = |pointer: &str, detail: &str| FieldError {
            pointer: pointer.to_owned(),
            detail: detail.to_owned(),
        };
        let mut errors = Vec::new();
        if seats.is_none() {
            errors.push(wrong("/seat_ids", "seat_ids or quantity is required"));
        }
        if self.quantity.is_some() {
            errors.push(wrong("/quantity", "goes without seat_ids only"));
        }
        if self.section.is_some() {
            errors.push(wrong("/section", "goes with quantity only"));
        }
        if self.max_price.is_some() {
            errors.push(wrong("/max_price", "goes with quantity only"));
        }
        if self.exclude_prices.is_some() {
            errors.push(wrong("/exclude_prices", "goes with quantity only"));
        }
        match seats {
            Some(seats) if errors.is_empty() => Ok(Wanted::Seats(seats.clone())),
            _ => Err(Problem::invalid_request(errors)),
        }
    }
}

/// Hold seats: all or none.
///
/// Either the seats in `seat_ids`, or `quantity` of the best available. The seats are exclusive until
/// `expires_at`.
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
              (status = 429, description = "`hold_limit`: the same seats again and again, unpaid")))]
async fn hold(
    State(reservations): State<Arc<Reservations>>,
    caller: Caller,
    token: QueueToken,
    Path(schedule): Path<ScheduleId>,
    key: IdempotencyKey,
    Json(body): Json<HoldBody>,
) -> Result<Response, Problem> {
    let wanted = body.wanted()?;
    let what = format!("POST /v1/schedules/{schedule}/reservations");
    let request = Request::new(caller.user, &key.0, &what, &body);
    let held = reservations.hold(&token.0, schedule, &request, &wanted).await;
    let held = held.map_err(|error| {
        let problem = Problem::from(error);
        reservations.refused(schedule, problem.code());
        problem
    })?;
    let location = format!("/v1/holds/{}", held.outcome.hold_id);
    Ok(created(&location, answer(StatusCode::CREATED, held)))
}

/// A hold and where it stands.
#[derive(Debug, Serialize, ToSchema)]
struct HoldView {
    /// Where the whole stands.
    status: ReservationStatus,
    #[serde(flatten)]
    hold: Hold,
}

/// Your hold.
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

/// Give a hold back: its seats are free at once.
///
/// Repeating it is safe. A hold that is paid cannot be released: refund its payments.
#[utoipa::path(delete, path = "/v1/holds/{hold_id}", tag = "Reservations",
    params(("hold_id" = Uuid, Path)), security(("bearer" = [])),
    responses((status = 204, description = "Given back, now or before"),
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
    /// Only those that stand like this.
    #[garde(skip)]
    #[param(inline)]
    status: Option<ReservationStatus>,
}

/// Your reservations, newest first.
///
/// `?status=` keeps only the reservations of one status.
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

/// One of your reservations.
///
/// Another user's reservation is not found.
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

impl From<HoldError> for Problem {
    fn from(error: HoldError) -> Self {
        match error {
            HoldError::Taken { seats, .. } => {
                Self::new(ProblemCode::SeatTaken).with("seat_ids", json!(seats))
            }
            HoldError::NotEnough => Self::new(ProblemCode::NotEnoughSeats),
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
