//! Opens the stream of a ticket, and hands its socket to [`topic`].

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::listener::{END, Wants};
use super::topic;
use crate::http::api::auth::QueueToken;
use crate::http::api::body::{Json, Query};
use crate::http::api::problem::Problem;
use crate::http::stream::hub::{Arrival, Hub};
use crate::http::stream::socket::Socket;
use crate::http::stream::{Open, Streams, takeover};
use crate::queue::model::{EntryState, Ticket};
use crate::queue::resolver::Resolved;
use crate::queue::service::{QueueError, WaitingRoom};
use crate::queue::ticket::short_code::CodeKeys;

/// Maximum number of Redis calls in progress for all ticket streams of a process: after a loss all
/// streams need one at the same time.
const REDIS_CALLS: usize = 32;

/// The service for ticket streams; cheap to clone.
#[derive(Debug, Clone)]
pub struct TicketStreams {
    queue: WaitingRoom,
    codes: Arc<CodeKeys>,
    streams: Streams,
    hub: Hub<Wants>,
    slots: Arc<Semaphore>,
}

/// A stream that is about to begin.
#[derive(Debug)]
struct Beginning {
    streams: TicketStreams,
    wants: Wants,
}

impl TicketStreams {
    /// Puts the service together.
    #[must_use]
    pub fn new(queue: WaitingRoom, codes: CodeKeys, streams: Streams) -> Self {
        let slots = Arc::new(Semaphore::new(REDIS_CALLS));
        Self { queue, codes: Arc::new(codes), streams, hub: Hub::default(), slots }
    }

    /// Makes a code that opens the stream of a ticket; also returns when the code expires.
    fn code(&self, token: &str) -> Result<(String, DateTime<Utc>), QueueError> {
        let ticket = self.queue.read(token)?;
        Ok(self.codes.sign(&ticket, ticket.shown.epoch(), Utc::now())?)
    }

    /// Verifies a ticket.
    fn by_token(&self, token: &str) -> Result<Ticket, QueueError> {
        Ok(self.queue.read(token)?)
    }

    /// Verifies a code; returns its ticket.
    fn by_code(&self, code: &str) -> Result<Ticket, QueueError> {
        Ok(self.codes.verify(code)?.ticket)
    }

    /// Counts a stream as open; `503` if too many are open.
    fn open(&self) -> Result<Open, Problem> {
        self.streams.open("ticket")
    }

    /// Resolves a ticket, as a poll does. `last` is the id of the last event that the client has.
    /// `None` if the entry has ended and there is nothing to send: the client has `end`, or has no
    /// event at all. A client that reconnects with an earlier event still gets the last ones.
    async fn begin(
        &self,
        ticket: Ticket,
        last: Option<&str>,
    ) -> Result<Option<Beginning>, QueueError> {
        let Resolved { ticket, entry, from_redis, .. } =
            self.queue.resolver.resolve(ticket).await?;
        let asked = from_redis.then_some(entry);
        if matches!(entry.state, EntryState::Ended(_)) && last.is_none_or(|last| last == END) {
            return Ok(None);
        }
        let last = last.and_then(|last| u64::from_str_radix(last, 16).ok());
        let wants = Wants { ticket, asked, last };
        Ok(Some(Beginning { streams: self.clone(), wants }))
    }
}

impl Beginning {
    /// Serves the stream on this socket.
    fn serve(self, socket: Socket) {
        let Self { streams: TicketStreams { queue, streams, hub, slots, .. }, wants } = self;
        let schedule = wants.ticket.schedule;
        hub.enter(schedule, Arrival { socket, wants }, |arrivals| {
            streams.spawn(topic::serve(queue, schedule, slots, arrivals));
        });
    }
}

/// The routes of ticket streams.
pub fn routes(streams: TicketStreams) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(code)).routes(routes!(stream)).with_state(streams)
}

/// A code that opens one ticket's stream.
#[derive(Debug, Serialize, ToSchema)]
struct StreamCode {
    /// The code, for `?code=`.
    code: String,
    /// When the code expires, one minute from now.
    expires_at: DateTime<Utc>,
}

/// The query of a stream that is opened without a header.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Opening {
    /// A code instead of the header `WaitingRoom-Token`, for `EventSource`.
    #[garde(skip)]
    code: Option<String>,
}

/// Get a code that opens this ticket's stream, and nothing else, for one minute.
///
/// For `EventSource`, which sends no headers: the code goes into `?code=`.
#[utoipa::path(post, path = "/v1/queue/ticket/stream-code", operation_id = "make_stream_code", tag = "Queue",
    security(("queue_token" = [])),
    responses((status = 201, description = "A code that opens the stream", body = StreamCode)))]
async fn code(
    State(streams): State<TicketStreams>,
    token: QueueToken,
) -> Result<Response, Problem> {
    let (code, expires_at) = streams.code(&token.0)?;
    let code = Json(StreamCode { code, expires_at });
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], code).into_response())
}

/// Stream the answer of a poll when it changes, as server-sent events.
///
/// `ticket` has the body of a poll. `stale` means that a store does not answer: the last `ticket`
/// may be old until the next one. `end` follows a final status. A comment comes at least every 15
/// s. With `Last-Event-ID`, a state that has not changed since that event is not sent again.
#[utoipa::path(get, path = "/v1/queue/ticket/stream", operation_id = "stream_ticket", tag = "Queue",
    security(("queue_token" = []), ()),
    params(Opening, ("Last-Event-ID" = Option<String>, Header,
                     description = "The id of the last event that the client has")),
    responses((status = 200, body = String, content_type = "text/event-stream",
               description = "Events until either side closes the stream"),
              (status = 204, description = "The ticket's status is final: there are no events")))]
async fn stream(
    State(streams): State<TicketStreams>,
    token: Result<QueueToken, Problem>,
    Query(Opening { code }): Query<Opening>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ticket = match (token, code) {
        (Ok(token), _) => streams.by_token(&token.0)?,
        (Err(_), Some(code)) => streams.by_code(&code)?,
        (Err(refusal), None) => return Err(refusal),
    };
    let open = streams.open()?;
    match streams.begin(ticket, takeover::last_event_id(&headers)).await? {
        Some(beginning) => Ok(takeover::stream(open, |socket| beginning.serve(socket))),
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}
