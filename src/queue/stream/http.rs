//! Streams of tickets over HTTP.

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service::TicketStreams;
use crate::http::auth::QueueToken;
use crate::http::body::{Json, Query};
use crate::http::problem::Problem;
use crate::http::stream::takeover;

/// The routes of pushed positions.
pub fn routes(streams: TicketStreams) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(code)).routes(routes!(stream)).with_state(streams)
}

/// What opens one ticket's stream.
#[derive(Debug, Serialize, ToSchema)]
struct StreamCode {
    /// For `?code=`.
    code: String,
    /// A minute from now.
    expires_at: DateTime<Utc>,
}

/// How a stream may be opened without a header.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Opening {
    /// A code instead of the header `Queue-Token`, for `EventSource`.
    #[garde(skip)]
    code: Option<String>,
}

/// Get a code that opens this ticket's stream, and nothing else, for a minute.
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

/// What a poll answers, pushed when it changes, as server-sent events.
///
/// `ticket` has the body of a poll. `stale`: a store does not answer, and what was told last may be
/// old, until the next `ticket`. `end` comes after a final status. A comment comes at least every
/// 15 s. With `Last-Event-ID`, what has not changed since is not told again.
#[utoipa::path(get, path = "/v1/queue/ticket/stream", operation_id = "stream_ticket", tag = "Queue",
    security(("queue_token" = []), ()),
    params(Opening, ("Last-Event-ID" = Option<String>, Header,
                     description = "The id of the last event that was seen")),
    responses((status = 200, body = String, content_type = "text/event-stream",
               description = "Until a side closes it"),
              (status = 204, description = "The ticket's status is final: there is no more")))]
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
