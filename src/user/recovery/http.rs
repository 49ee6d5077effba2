//! The HTTP routes `/v1/users/me/recovery-code` and `/v1/users/recover`.

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::MAX_TEXT_BYTES;
use super::service::{MadeCode, Recovery, RecoveryError};
use crate::caller::Caller;
use crate::http::api::body::{Json, created};
use crate::http::api::problem::{Problem, ProblemCode};
use crate::user::http::{NewUserAnswer, not_renewable};
use crate::user::token_error::TokenError;

/// The routes of recovery codes.
pub fn routes(recovery: Recovery) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(make, show)).routes(routes!(redeem)).with_state(recovery)
}

#[derive(Debug, Serialize, ToSchema)]
struct NewRecoveryCode {
    /// The code: 24 letters and digits in six groups. The server stores only its hash, so this is
    /// the only time it is shown.
    code: String,
    created_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
struct RecoveryCodeAnswer {
    /// When the current code was created. Null if there is none.
    created_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Redeeming {
    /// The recovery code. Case, spaces and hyphens do not matter.
    #[garde(length(bytes, min = 1, max = MAX_TEXT_BYTES))]
    #[schema(min_length = 1, max_length = 100)]
    code: String,
}

/// Create a recovery code.
///
/// It replaces an earlier one. With the code the user can sign in again after losing all tokens.
/// The code is shown only in this answer.
#[utoipa::path(
    post, path = "/v1/users/me/recovery-code", operation_id = "make_recovery_code",
    tag = "Identity", security(("bearer" = [])),
    responses(
        (status = 201, description = "The code, shown only in this answer", body = NewRecoveryCode,
         headers(("Location" = String, description = "Where to read when the code was created"))),
        (status = 403, description = "`session_not_renewable`: the token has no session of a buyer \
                                      who signed up here"),
    )
)]
async fn make(State(recovery): State<Recovery>, caller: Caller) -> Result<Response, Problem> {
    let MadeCode { code, created_at } = recovery.make(&caller).await?;
    let answer = Json(NewRecoveryCode { code, created_at });
    let answer = created("/v1/users/me/recovery-code", answer);
    Ok(([(CACHE_CONTROL, "no-store")], answer).into_response())
}

/// Get the time when the caller's recovery code was created.
///
/// The code itself is not available: the server stores only its hash.
#[utoipa::path(
    get, path = "/v1/users/me/recovery-code", operation_id = "get_recovery_code",
    tag = "Identity", security(("bearer" = [])),
    responses((status = 200, description = "When the code was created", body = RecoveryCodeAnswer))
)]
async fn show(
    State(recovery): State<Recovery>,
    caller: Caller,
) -> Result<Json<RecoveryCodeAnswer>, Problem> {
    let created_at = recovery.created_at(&caller).await?;
    Ok(Json(RecoveryCodeAnswer { created_at }))
}

/// Sign in again with a recovery code.
///
/// Starts a new session of the code's user. The code stays valid until the user creates another.
/// One code allows ten attempts an hour, and one address a few attempts a minute.
#[utoipa::path(
    post, path = "/v1/users/recover", operation_id = "redeem_recovery_code",
    tag = "Identity", request_body = Redeeming,
    responses(
        (status = 201, description = "The user and an access token of a new session", body = NewUserAnswer,
         headers(("Location" = String, description = "The user, as their token shows them"))),
        (status = 403, description = "`recovery_code_invalid`"),
    )
)]
async fn redeem(
    State(recovery): State<Recovery>,
    Json(Redeeming { code }): Json<Redeeming>,
) -> Result<Response, Problem> {
    let answer = Json(NewUserAnswer::from(recovery.redeem(&code).await?));
    Ok(([(CACHE_CONTROL, "no-store")], created("/v1/users/me", answer)).into_response())
}

impl From<RecoveryError> for Problem {
    fn from(error: RecoveryError) -> Self {
        match error {
            RecoveryError::NoSession => not_renewable(),
            // If an identity provider issues the tokens, no code leads to one.
            RecoveryError::Invalid | RecoveryError::Token(TokenError::NotOurs) => {
                Self::new(ProblemCode::RecoveryCodeInvalid)
            }
            RecoveryError::TooManyAttempts { retry_after } => Self::new(ProblemCode::RateLimited)
                .detail("There were too many attempts at this recovery code.")
                .retry_after(retry_after),
            RecoveryError::Token(TokenError::Generation(_)) => Self::store_unavailable(),
            RecoveryError::NoRandom | RecoveryError::Token(_) => {
                tracing::error!(%error, "creating or redeeming a recovery code failed");
                Self::internal()
            }
            RecoveryError::Store(error) => error.into(),
        }
    }
}
