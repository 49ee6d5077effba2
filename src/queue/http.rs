//! The line over HTTP.

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
use super::service::{Queue, QueueError};
use super::ticket::jwt::InvalidTicket;
use super::view::phase;
use crate::board::meta::Drawn;
use crate::board::snapshot::Board;
use crate::caller::Caller;
use crate::concert::model::Phase;
use crate::http::api::auth::{QueueToken, queue_token};
use crate::http::api::body::{Path, created};
use crate::http::api::problem::{Problem, ProblemCode};
use crate::http::server::fast_path::{Known, Shortcut};
use crate::http::server::middleware::Exempt;
use crate::store::id::ScheduleId;
use crate::store::keys::SEQUENCE_BITS;

/// Where polls go.
const POLL: &str = "/v1/queue/ticket";
/// Those who may be let in within this many seconds should ask for their own ticket, as far as
/// admission has not asked more of the queue to do so.
const SOON_SECONDS: u64 = 60;
/// Points of the public board, less one.
const POINTS: u64 = 256;
/// Room for the answer to a poll.
const BODY_BYTES: usize = 640;

/// The routes of the line.
pub fn routes(queue: Queue) -> OpenApiRouter {
    let routes = OpenApiRouter::new().routes(routes!(join, board)).routes(routes!(poll, leave));
    routes.with_state(Arc::new(queue))
}

/// Join the line of a schedule: one place per user.
///
/// Joining again answers `200` with the same place. Where the sale is open, has room and nobody waits,
/// the first answer is already `ACTIVE`.
#[utoipa::path(post, path = "/v1/schedules/{id}/queue", tag = "Queue",
    params(("id" = i64, Path)), security(("bearer" = [])),
    responses((status = 201, body = TicketView, description = "A new place",
               headers(("Location" = String, description = "The ticket"))),
              (status = 200, body = TicketView, description = "The place this user has already"),
              (status = 404, description = "`schedule_not_found`"),
              (status = 409, description = "`queue_not_open` with `opens_at`, `schedule_closed`, \
                                            `sold_out`, `concert_unavailable`")))]
async fn join(
    State(queue): State<Arc<Queue>>,
    caller: Caller,
    Path(schedule): Path<ScheduleId>,
) -> Result<Response, Problem> {
    let (view, new) = queue.join(schedule, caller.user).await?;
    let answer = told(&view);
    Ok(if new { created(POLL, answer) } else { answer })
}

/// Ask what a ticket is worth.
///
/// Ask again after `poll_after_ms`. Where the answer has a `queue_token`, send that one from now on.
#[utoipa::path(get, path = "/v1/queue/ticket", tag = "Queue", security(("queue_token" = [])),
    responses((status = 200, description = "The ticket as it stands", body = TicketView)))]
async fn poll(State(queue): State<Arc<Queue>>, token: QueueToken) -> Result<Response, Problem> {
    Ok(told(&queue.poll(&token.0).await?))
}

/// Leave the line, or give an active slot back. Holds are kept until they lapse.
///
/// Repeating it is safe.
#[utoipa::path(delete, path = "/v1/queue/ticket", tag = "Queue",
    security(("bearer" = [], "queue_token" = [])),
    responses((status = 204, description = "Left, now or before"),
              (status = 403, description = "`ticket_not_yours`")))]
async fn leave(
    State(queue): State<Arc<Queue>>,
    caller: Caller,
    token: QueueToken,
) -> Result<StatusCode, Problem> {
    queue.leave(&token.0, caller.user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The public board: one answer for everybody, from which a client computes its own place.
///
/// At most a second old and the same for everybody, so a cache can answer it. A client finds its
/// place from `ranks` and the `sequence` in its ticket.
#[utoipa::path(get, path = "/v1/schedules/{id}/queue", tag = "Queue",
    params(("id" = i64, Path)),
    responses((status = 200, description = "The board, at most 1 s old", body = PublicBoard),
              (status = 404, description = "`schedule_not_found`")))]
async fn board(
    State(queue): State<Arc<Queue>>,
    Path(schedule): Path<ScheduleId>,
) -> Result<Response, Problem> {
    let board = queue.board(schedule).await?;
    let render = || serde_json::to_vec(&PublicBoard::of(&board)).map(Arc::from);
    let body = if let Some(body) = board.public.get() {
        Arc::clone(body)
    } else {
        let body = render().map_err(|error| {
            tracing::error!(%error, "a board could not be rendered");
            Problem::internal()
        })?;
        Arc::clone(board.public.get_or_init(|| body))
    };
    let headers = [(CACHE_CONTROL, "public, max-age=1"), (CONTENT_TYPE, "application/json")];
    Ok((headers, Bytes::from_owner(body)).into_response())
}

/// A line as everybody may see it, at most 1 s old.
#[derive(Debug, Serialize, ToSchema)]
struct PublicBoard {
    phase: Phase,
    #[schema(value_type = Option<String>)]
    message: Option<Arc<str>>,
    /// Whoever has a lower sequence may be let in soon, and asks for their own ticket.
    poll_from_sequence: Sequence,
    server_time: DateTime<Utc>,
    /// Rises when the line was rebuilt after a loss.
    epoch: u64,
    waiting: u64,
    active: u64,
    admitted_total: u64,
    /// Measured over the last half minute; null while unknown.
    admit_per_second: Option<f64>,
    seats_available: u32,
    /// The sequence at the head of the line; null where nobody waits.
    now_serving: Option<Sequence>,
    /// Points of the line: a sequence, and how many wait before it.
    #[schema(value_type = Vec<Vec<i64>>, max_items = 257)]
    ranks: Vec<(u64, u64)>,
}

impl PublicBoard {
    fn of(board: &Board) -> Self {
        let pending = board.meta.draw == Drawn::Pending;
        let soon = board.line.at(board.meta.rate * SOON_SECONDS).filter(|_| !pending);
        // Fewer wait than that, or nobody has a place yet: everybody asks.
        let everybody = (board.meta.epoch + 1) << SEQUENCE_BITS;
        Self {
            phase: phase(board),
            message: board.meta.message.clone(),
            poll_from_sequence: Sequence(soon.unwrap_or(everybody).max(board.meta.notice + 1)),
            server_time: board.now(),
            epoch: board.meta.epoch,
            waiting: board.line.waiting(),
            active: board.meta.active,
            admitted_total: board.meta.admitted,
            admit_per_second: board.rates.admit,
            seats_available: board.seats.available,
            now_serving: board.line.at(0).filter(|_| !pending).map(Sequence),
            ranks: if pending { Vec::new() } else { board.line.points(POINTS) },
        }
    }
}

/// The shortcut of polls by those who wait.
#[must_use]
pub fn shortcut(queue: Queue) -> Shortcut {
    Box::new(move |uri: &Uri, headers: &HeaderMap| -> Option<Known> {
        if uri.path() != POLL || uri.query().is_some() {
            return None;
        }
        let mut response = told(&queue.poll_waiting(queue_token(headers)?)?);
        response.headers_mut().insert(VARY, HeaderValue::from_static("origin"));
        Some((POLL, response))
    })
}

/// Polls of those who wait count for no address, also where Redis has to be asked before the answer.
#[must_use]
pub fn exempt(queue: Queue) -> Exempt {
    Arc::new(move |method, uri, headers| {
        method == Method::GET
            && uri.path() == POLL
            && uri.query().is_none()
            && queue_token(headers).is_some_and(|token| queue.is_waiting(token))
    })
}

/// A ticket's answer, which nobody but its owner may keep.
fn told(view: &TicketView) -> Response {
    let pause = view.poll_after_ms.map(|ms| ms.div_ceil(1000));
    let mut body = Vec::with_capacity(BODY_BYTES);
    if let Err(error) = serde_json::to_writer(&mut body, view) {
        tracing::error!(%error, "a ticket's answer could not be written");
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
    fn a_refused_join_is_counted_under_the_code_that_the_client_gets() {
        for error in [
            QueueError::Invalid(InvalidTicket::Refused),
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
