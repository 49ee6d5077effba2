//! Hand-off codes over HTTP.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service::{HandOffError, HandOffs, TakenOver};
use crate::caller::Caller;
use crate::http::api::auth::QueueToken;
use crate::http::api::body::{Json, created};
use crate::http::api::problem::{Problem, ProblemCode};
use crate::store::id::{ScheduleId, UserId};

/// The routes of hand-off codes.
pub fn routes(handoffs: HandOffs) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(make)).routes(routes!(take)).with_state(handoffs)
}

/// A hand-off code.
#[derive(Debug, Serialize, ToSchema)]
struct HandOffCode {
    /// The code. It works once.
    code: String,
    /// When the code expires, two minutes from now.
    expires_at: DateTime<Utc>,
    /// The server's time, for a countdown.
    server_time: DateTime<Utc>,
}

#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Taking {
    /// The code.
    #[garde(length(bytes, min = 1, max = 1024))]
    #[schema(min_length = 1, max_length = 1024)]
    code: String,
}

/// The ticket and the session for the other device.
#[derive(Debug, Serialize, ToSchema)]
struct TakenOverAnswer {
    schedule_id: ScheduleId,
    /// The ticket to send from now on.
    queue_token: String,
    user: Owner,
    /// The user's access token; null if an identity provider makes access tokens: sign in there.
    access_token: Option<String>,
    /// When the access token expires: at the same time as the one that the code was made with.
    expires_at: Option<DateTime<Utc>>,
}

/// The user of the queue entry.
#[derive(Debug, Serialize, ToSchema)]
struct Owner {
    id: UserId,
    name: String,
}

/// Get a code that moves your session and ticket to another device of yours. It works once, for two
/// minutes.
///
/// The other device sends the code to `POST /v1/handoffs`.
#[utoipa::path(post, path = "/v1/queue/ticket/handoff", operation_id = "make_handoff",
    tag = "Queue",
    security(("bearer" = [], "queue_token" = [])),
    responses((status = 201, description = "A code that works once", body = HandOffCode),
              (status = 403, description = "`ticket_not_yours`; `forbidden`: an operator's session \
                                            cannot be moved to another device"),
              (status = 404, description = "`schedule_not_found`")))]
async fn make(
    State(handoffs): State<HandOffs>,
    caller: Caller,
    token: QueueToken,
) -> Result<Response, Problem> {
    let (code, expires_at) = handoffs.make(&token.0, &caller).await?;
    let code = Json(HandOffCode { code, expires_at, server_time: Utc::now() });
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], code).into_response())
}

/// Use a hand-off code on another device.
///
/// Answers the ticket, and an access token if this service makes access tokens.
#[utoipa::path(post, path = "/v1/handoffs", operation_id = "take_handoff", tag = "Queue",
    request_body = Taking,
    responses((status = 201, description = "The ticket, for this device", body = TakenOverAnswer,
               headers(("Location" = String, description = "The ticket"))),
              (status = 409, description = "`handoff_invalid`: forged, expired, or made before a \
                                            loss of data; `handoff_used`: the code was already \
                                            used")))]
async fn take(
    State(handoffs): State<HandOffs>,
    Json(Taking { code }): Json<Taking>,
) -> Result<Response, Problem> {
    let TakenOver { schedule, token, user, access } = handoffs.take(&code).await?;
    let (access_token, expires_at) =
        access.map(|minted| (minted.access_token, minted.expires_at)).unzip();
    let answer = TakenOverAnswer {
        schedule_id: schedule,
        queue_token: token,
        user: Owner { id: user.id, name: user.name },
        access_token,
        expires_at,
    };
    Ok(created("/v1/queue/ticket", ([(CACHE_CONTROL, "no-store")], Json(answer))))
}

impl From<HandOffError> for Problem {
    fn from(error: HandOffError) -> Self {
        match error {
            HandOffError::Invalid => Self::new(ProblemCode::HandoffInvalid),
            HandOffError::Used => Self::new(ProblemCode::HandoffUsed),
            HandOffError::Operator => Self::forbidden()
                .detail("An operator's session cannot be handed to another device."),
            HandOffError::Queue(error) => error.into(),
            HandOffError::User(error) => error.into(),
        }
    }
}
