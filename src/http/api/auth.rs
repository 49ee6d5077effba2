//! Extractors for the caller of a request (the access token's user and role) and its queue ticket.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde_json::json;

use super::problem::{Problem, ProblemCode};
use crate::caller::{Caller, Identify, IdentifyError, MAX_TOKEN_BYTES, Role};
use crate::http::limit::user_limit::UserLimit;

macro_rules! staff {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(pub Caller);

        impl<S: Send + Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
                let caller = Caller::from_request_parts(parts, state).await?;
                require(&caller, Role::$name)?;
                Ok(Self(caller))
            }
        }
    )+};
}

staff! {
    /// A caller with the role `viewer` or a higher one; every other caller gets `403 forbidden`.
    Viewer;
    /// A caller with the role `box_office` or a higher one; else `403 forbidden`.
    BoxOffice;
    /// A caller with the role `operator` or a higher one; else `403 forbidden`.
    Operator;
    /// A caller with the role `admin`; else `403 forbidden`.
    Admin;
}

/// The ticket in the `Queue-Token` header, not yet verified; `401 ticket_invalid` without one.
#[derive(Clone, PartialEq, Eq)]
pub struct QueueToken(pub String);

/// Finds the caller of an access token; the middleware puts it into each request's extensions.
#[derive(Clone)]
pub struct Identity(pub Arc<dyn Identify>);

impl std::fmt::Debug for QueueToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QueueToken(..)")
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(..)")
    }
}

/// The token in `Authorization: Bearer`, if there is exactly one such header and it has a token.
pub(in crate::http) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = only(headers, AUTHORIZATION.as_str())?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The value of a header that was sent exactly once. `None` if it was sent twice, is not text, or
/// is longer than [`MAX_TOKEN_BYTES`].
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() || value.len() > MAX_TOKEN_BYTES {
        return None;
    }
    value.to_str().ok()
}

/// The ticket in the `Queue-Token` header, if there is exactly one.
#[must_use]
pub fn queue_token(headers: &HeaderMap) -> Option<&str> {
    only(headers, "queue-token").filter(|ticket| !ticket.is_empty())
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(Identity(identity)) = parts.extensions.get::<Identity>() else {
            tracing::error!("a request has no Identity extension");
            return Err(Problem::internal());
        };
        let token = bearer(&parts.headers).ok_or_else(|| {
            let missing = !parts.headers.contains_key(AUTHORIZATION);
            Problem::unauthenticated().detail(if missing {
                "The access token is missing: send it as `Authorization: Bearer`."
            } else {
                "The Authorization header is not exactly one bearer token."
            })
        })?;
        let caller = identity.identify(token).await.map_err(|error| match error {
            IdentifyError::Refused(reason) => {
                tracing::debug!(%reason, "an access token was refused");
                Problem::unauthenticated()
            }
            IdentifyError::Expired => {
                Problem::unauthenticated().detail("The access token has expired.")
            }
            IdentifyError::Superseded => Problem::unauthenticated().detail(
                "The access token is from before a restore of the database. Sign in again.",
            ),
            IdentifyError::NoKeys => Problem::store_unavailable()
                .detail("The keys of the identity provider are not loaded yet."),
            IdentifyError::Store(error) => error.into(),
        })?;
        if let Some(limit) = parts.extensions.get::<UserLimit>() {
            limit.count_identified(caller.user)?;
        }
        Ok(caller)
    }
}

/// Checks that a caller has the role `least` or a higher one. Every call of staff is decided here,
/// so credentials of another kind, such as API keys with scopes, are checked here too.
fn require(caller: &Caller, least: Role) -> Result<(), Problem> {
    if caller.role >= least {
        return Ok(());
    }
    let higher = if least == Role::Admin { "" } else { " or a higher one" };
    let detail = format!("This call needs a token with the role {}{higher}.", least.as_str());
    Err(Problem::forbidden().detail(detail).with("required_role", json!(least)))
}

impl<S: Send + Sync> FromRequestParts<S> for QueueToken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let refused = || {
            let missing = !parts.headers.contains_key("queue-token");
            Problem::new(ProblemCode::TicketInvalid).detail(if missing {
                "The queue ticket is missing: send it as the header `Queue-Token`."
            } else {
                "The Queue-Token header is not exactly one queue ticket."
            })
        };
        queue_token(&parts.headers).map(|ticket| Self(ticket.to_owned())).ok_or_else(refused)
    }
}

#[cfg(test)]
mod tests;
