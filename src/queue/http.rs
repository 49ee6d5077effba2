//! The waiting room over HTTP.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Sequence, TicketView};
use super::service::{QueueError, WaitingRoom};
use super::ticket::jwt::InvalidTicket;
use super::view::phase;
use crate::board::meta::Drawn;
use crate::board::snapshot::Board;
use crate::caller::Caller;
use crate::concert::model::Phase;
use crate::http::api::auth::{QueueToken, queue_token};
use crate::http::api::body::{Path, created};
use crate::http::api::problem::{Problem, ProblemCode};
use crate::http::server::fast_path::{FastPath, RoutedResponse};
use crate::http::server::middleware::Exempt;
use crate::store::id::ScheduleId;
use crate::store::keys::SEQUENCE_BITS;

/// Path of polls.
const POLL: &str = "/v1/queue/ticket";
/// Entries that may be admitted within this many seconds must poll with their own tickets. The
/// notice of admission may reach further.
const SOON_SECONDS: u64 = 60;
/// Number of points of the public board, minus one.
const POINTS: u64 = 256;
/// Initial capacity of the body of a poll's answer, in bytes.
const BODY_BYTES: usize = 640;

/// The routes of the waiting room.
pub fn routes(queue: WaitingRoom) -> OpenApiRouter {
    let routes = OpenApiRouter::new().routes(routes!(join, board)).routes(routes!(poll, leave));
    routes.with_state(Arc::new(queue))
}

/// Join the queue of a schedule. A user has one queue entry per schedule.
///
/// Joining again answers `200` with the same entry. If the sale is open, a slot is free and nobody
/// waits, the first answer is already `ACTIVE`.
#[utoipa::path(post, path = "/v1/schedules/{id}/queue", tag = "Queue",
    params(("id" = i64, Path)), security(("bearer" = [])),
    responses((status = 201, body = TicketView, description = "A new queue entry",
               headers(("Location" = String, description = "The ticket"))),
              (status = 200, body = TicketView, description = "The user's existing queue entry"),
              (status = 404, description = "`schedule_not_found`"),
              (status = 409, description = "`queue_not_open` with `opens_at`, `schedule_closed`, \
                                            `sold_out`, `concert_unavailable`")))]
async fn join(
    State(queue): State<Arc<WaitingRoom>>,
    caller: Caller,
    Path(schedule): Path<ScheduleId>,
) -> Result<Response, Problem> {
    let (view, new) = queue.join(schedule, caller.user).await?;
    let answer = ticket_response(&view);
    Ok(if new { created(POLL, answer) } else { answer })
}

/// Get the current state of a ticket.
///
/// Poll again after `poll_after_ms`. If the answer has a `queue_token`, send that one from now on.
#[utoipa::path(get, path = "/v1/queue/ticket", tag = "Queue", security(("queue_token" = [])),
    responses((status = 200, description = "The state of the ticket", body = TicketView)))]
async fn poll(
    State(queue): State<Arc<WaitingRoom>>,
    token: QueueToken,
) -> Result<Response, Problem> {
    Ok(ticket_response(&queue.poll(&token.0).await?))
}

/// Leave the queue, or give an active slot back. Holds stay until they expire.
///
/// Repeating it is safe.
#[utoipa::path(delete, path = "/v1/queue/ticket", tag = "Queue",
    security(("bearer" = [], "queue_token" = [])),
    responses((status = 204, description = "Left, now or before"),
              (status = 403, description = "`ticket_not_yours`")))]
async fn leave(
    State(queue): State<Arc<WaitingRoom>>,
    caller: Caller,
    token: QueueToken,
) -> Result<StatusCode, Problem> {
    queue.leave(&token.0, caller.user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The public board: one answer for all clients, from which each computes its own position.
///
/// The answer is at most one second old and the same for all clients, so a cache can serve it. A
/// client computes its position from `ranks` and the `sequence` of its ticket.
#[utoipa::path(get, path = "/v1/schedules/{id}/queue", tag = "Queue",
    params(("id" = i64, Path)),
    responses((status = 200, description = "The board, at most 1 s old", body = PublicBoard),
              (status = 404, description = "`schedule_not_found`")))]
async fn board(
    State(queue): State<Arc<WaitingRoom>>,
    Path(schedule): Path<ScheduleId>,
) -> Result<Response, Problem> {
    let board = queue.board(schedule).await?;
    let render = || serde_json::to_vec(&PublicBoard::of(&board)).map(Arc::from);
    let body = if let Some(body) = board.public.get() {
        Arc::clone(body)
    } else {
        let body = render().map_err(|error| {
            tracing::error!(%error, "rendering the public board failed");
            Problem::internal()
        })?;
        Arc::clone(board.public.get_or_init(|| body))
    };
    let headers = [(CACHE_CONTROL, "public, max-age=1"), (CONTENT_TYPE, "application/json")];
    Ok((headers, Bytes::from_owner(body)).into_response())
}

/// The public board of a schedule, at most 1 s old.
#[derive(Debug, Serialize, ToSchema)]
struct PublicBoard {
    phase: Phase,
    #[schema(value_type = Option<String>)]
    message: Option<Arc<str>>,
    /// Clients with a lower sequence may be admitted soon and must poll with their own tickets.
    poll_from_sequence: Sequence,
    server_time: DateTime<Utc>,
    /// Rises when the queue is rebuilt after a loss of data.
    epoch: u64,
    waiting: u64,
    active: u64,
    admitted_total: u64,
    /// Measured over the last 30 s; null while unknown.
    admit_per_second: Option<f64>,
    seats_available: u32,
    /// The sequence at the head of the queue; null if nobody waits, and before the draw.
    now_serving: Option<Sequence>,
    /// Points of the queue: a sequence, and the number of entries before it. Empty before the draw.
    #[schema(value_type = Vec<Vec<i64>>, max_items = 257)]
    ranks: Vec<(u64, u64)>,
}

impl PublicBoard {
    fn of(board: &Board) -> Self {
        let pending = board.meta.draw == Drawn::Pending;
        let soon = board.waiting.at(board.meta.rate * SOON_SECONDS).filter(|_| !pending);
        // If fewer wait, or before the draw, every client must poll.
        let everybody = (board.meta.epoch + 1) << SEQUENCE_BITS;
        Self {
            phase: phase(board),
            message: board.meta.message.clone(),
            poll_from_sequence: Sequence(soon.unwrap_or(everybody).max(board.meta.notice + 1)),
            server_time: board.now(),
            epoch: board.meta.epoch,
            waiting: board.waiting.count(),
            active: board.meta.active,
            admitted_total: board.meta.admitted,
            admit_per_second: board.rates.admit,
            seats_available: board.seats.available,
            now_serving: board.waiting.at(0).filter(|_| !pending).map(Sequence),
            ranks: if pending { Vec::new() } else { board.waiting.points(POINTS) },
        }
    }
}

/// The fast path for polls of waiting tickets.
#[must_use]
pub fn poll_fast_path(queue: WaitingRoom) -> FastPath {
    Box::new(move |uri: &Uri, headers: &HeaderMap| -> Option<RoutedResponse> {
        if uri.path() != POLL || uri.query().is_some() {
            return None;
        }
        let mut response = ticket_response(&queue.poll_waiting(queue_token(headers)?)?);
        response.headers_mut().insert(VARY, HeaderValue::from_static("origin"));
        Some((POLL, response))
    })
}

/// Exempts polls of waiting tickets from the limits per address, also polls that call Redis.
#[must_use]
pub fn exempt(queue: WaitingRoom) -> Exempt {
    Arc::new(move |method, uri, headers| {
        method == Method::GET
            && uri.path() == POLL
            && uri.query().is_none()
            && queue_token(headers).is_some_and(|token| queue.is_waiting(token))
    })
}

/// The answer with a ticket view. Caches must not store it.
fn ticket_response(view: &TicketView) -> Response {
    let pause = view.poll_after_ms.map(|ms| ms.div_ceil(1000));
    let mut body = Vec::with_capacity(BODY_BYTES);
    if let Err(error) = serde_json::to_writer(&mut body, view) {
        tracing::error!(%error, "serializing a ticket view failed");
        return Problem::internal().into_response();
    }
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.reserve(7);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = pause {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

impl From<InvalidTicket> for Problem {
    fn from(reason: InvalidTicket) -> Self {
        let detail = match reason {
            InvalidTicket::Refused => "The queue ticket is not valid.",
            InvalidTicket::Expired => "The queue ticket has expired.",
            InvalidTicket::Superseded => {
                "The queue ticket is from before a restore of the database. Join again."
            }
            InvalidTicket::Unread => return Self::store_unavailable(),
        };
        Self::new(ProblemCode::TicketInvalid).detail(detail)
    }
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::Invalid(reason) => reason.into(),
            QueueError::NotYours => Self::new(ProblemCode::TicketNotYours),
            QueueError::NoSchedule => Self::new(ProblemCode::ScheduleNotFound),
            QueueError::NotOpen { opens_at } => {
                Self::new(ProblemCode::QueueNotOpen).with("opens_at", json!(opens_at))
            }
            QueueError::Closed => Self::new(ProblemCode::ScheduleClosed),
            QueueError::SoldOut => Self::new(ProblemCode::SoldOut),
            QueueError::ConcertUnavailable => Self::new(ProblemCode::ConcertUnavailable),
            QueueError::TooMany(exceeded) => exceeded.into(),
            QueueError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejected_join_is_counted_under_the_code_in_its_answer() {
        for error in [
            QueueError::Invalid(InvalidTicket::Refused),
            QueueError::Invalid(InvalidTicket::Superseded),
            QueueError::Invalid(InvalidTicket::Unread),
            QueueError::NotYours,
            QueueError::NoSchedule,
            QueueError::NotOpen { opens_at: Utc::now() },
            QueueError::Closed,
            QueueError::SoldOut,
            QueueError::ConcertUnavailable,
        ] {
            let code = error.code();
            assert_eq!(Problem::from(error).code(), code);
        }
    }
}
