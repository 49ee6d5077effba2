//! The HTTP routes of users: sign-up, the caller's own user, and token renewal.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{User, tidy_name};
use super::service::{SignUpError, SignedUp, Users};
use super::token::Minted;
use super::token_error::TokenError;
use crate::caller::{Caller, Role};
use crate::http::api::body::{Json, created};
use crate::http::api::problem::{Problem, ProblemCode};
use crate::store::id::UserId;

/// The routes of users.
pub fn routes(users: Arc<Users>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(sign_up))
        .routes(routes!(me))
        .routes(routes!(renew))
        .with_state(users)
}

#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    /// Name, 1 to 100 characters. Spaces around it are removed.
    #[garde(custom(is_name))]
    #[schema(min_length = 1, max_length = 100)]
    name: String,
}

/// A user, and the first access token of a new session.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NewUserAnswer {
    id: UserId,
    name: String,
    /// Access token (a JWT). Send it as `Authorization: Bearer`.
    access_token: String,
    expires_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
struct RenewedAnswer {
    /// New access token (a JWT), to use instead of the one that was sent.
    access_token: String,
    expires_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
struct UserAnswer {
    id: UserId,
    name: String,
    /// Role of the token: `user`, or a role of staff.
    role: Role,
}

/// Sign up.
///
/// Creates a user and an access token that lasts 24 hours. Closed if an identity provider issues
/// the tokens.
#[utoipa::path(
    post, path = "/v1/users", tag = "Identity", request_body = NewUser,
    responses(
        (status = 201, description = "The user and an access token", body = NewUserAnswer,
         headers(("Location" = String, description = "The user, as their token shows them"))),
        (status = 403, description = "`signup_closed`"),
    )
)]
async fn sign_up(
    State(users): State<Arc<Users>>,
    Json(new): Json<NewUser>,
) -> Result<Response, Problem> {
    let name = tidy_name(&new.name).unwrap_or_default();
    let answer = NewUserAnswer::from(users.sign_up(name).await?);
    Ok(created("/v1/users/me", Json(answer)))
}

impl From<SignedUp> for NewUserAnswer {
    fn from(SignedUp { user, token }: SignedUp) -> Self {
        let Minted { access_token, expires_at } = token;
        Self { id: user.id, name: user.name, access_token, expires_at }
    }
}

/// Renew the access token.
///
/// The new token lasts 24 hours, but not beyond 7 days after the session began with a sign-up or a
/// recovery code. Renewing never moves the end of a session. The token that was sent stays valid.
#[utoipa::path(
    post, path = "/v1/users/me/token", operation_id = "renew_token",
    tag = "Identity", security(("bearer" = [])),
    responses(
        (status = 201, description = "A new access token of the same session", body = RenewedAnswer,
         headers(("Location" = String, description = "The user, as their token shows them"))),
        (status = 403, description = "`session_not_renewable`: the token has no session of a buyer \
                                      who signed up here"),
    )
)]
async fn renew(State(users): State<Arc<Users>>, caller: Caller) -> Result<Response, Problem> {
    let Minted { access_token, expires_at } = match users.renew(&caller).await {
        // A valid token may name a user that this database does not have.
        Err(SignUpError::Unknown(_)) => return Err(Problem::unauthenticated()),
        renewed => renewed?,
    };
    let answer = created("/v1/users/me", Json(RenewedAnswer { access_token, expires_at }));
    Ok(([(CACHE_CONTROL, "no-store")], answer).into_response())
}

/// Builds `403 session_not_renewable`.
pub(super) fn not_renewable() -> Problem {
    Problem::new(ProblemCode::SessionNotRenewable)
}

/// Get the user of the access token.
///
/// The simplest way to check a token.
#[utoipa::path(
    get, path = "/v1/users/me", tag = "Identity", security(("bearer" = [])),
    responses((status = 200, description = "The user", body = UserAnswer))
)]
async fn me(State(users): State<Arc<Users>>, caller: Caller) -> Result<Json<UserAnswer>, Problem> {
    // A valid token may name a user that this database does not have.
    let User { id, name } = users.find(caller.user).await?.ok_or_else(Problem::unauthenticated)?;
    Ok(Json(UserAnswer { id, name, role: caller.role }))
}

impl From<SignUpError> for Problem {
    fn from(error: SignUpError) -> Self {
        match error {
            SignUpError::Closed => Self::new(ProblemCode::SignupClosed),
            SignUpError::Unknown(_) => Self::not_found(),
            SignUpError::NotRenewable => not_renewable(),
            SignUpError::Token(TokenError::Generation(_)) => Self::store_unavailable(),
            SignUpError::Token(error) => {
                tracing::error!(%error, "creating an access token failed");
                Self::internal()
            }
            SignUpError::Store(error) => error.into(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that garde calls")]
fn is_name(name: &str, (): &()) -> garde::Result {
    match tidy_name(name) {
        Some(_) => Ok(()),
        None => Err(garde::Error::new("must have 1 to 100 characters, one of them visible")),
    }
}
