//! Hides the shadows of rehearsals: a path with the id of a shadow or of a synthetic buyer answers as
//! if there were none,
//! unless the caller is a synthetic buyer of its rehearsal. Such a buyer may call only what buying
//! needs, and nothing of another sale.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::http::api::auth::{Identity, bearer};
use crate::http::api::problem::{Problem, ProblemCode};
use crate::store::id::{RehearsalId, ScheduleId};

/// What a synthetic buyer may call.
const ROUTES: [(&str, &str); 5] = [
    ("POST", "/v1/schedules/{id}/queue"),
    ("GET", "/v1/queue/ticket"),
    ("DELETE", "/v1/queue/ticket"),
    ("POST", "/v1/schedules/{id}/reservations"),
    ("POST", "/v1/payments"),
];

/// What an unknown id gets, by the part of the route that names it.
const HIDDEN: [(&str, ProblemCode); 4] = [
    ("/schedules/{", ProblemCode::ScheduleNotFound),
    ("/concerts/{", ProblemCode::ConcertNotFound),
    ("/users/{", ProblemCode::UserNotFound),
    ("/buyers/{", ProblemCode::UserNotFound),
];

/// The rehearsal of the caller, if it is a synthetic buyer.
pub(super) fn rehearsal_of(identity: &Identity, parts: &Parts) -> Option<RehearsalId> {
    identity.0.rehearsal(bearer(&parts.headers)?)
}

/// Whether a request is from a synthetic buyer.
#[must_use]
pub fn is_synthetic(identity: &Identity, headers: &HeaderMap) -> bool {
    bearer(headers).is_some_and(|token| identity.0.rehearsal(token).is_some())
}

/// Whether a path may name a shadow: an id below zero, or one that is percent-encoded.
pub(super) fn may_name_shadow(path: &str) -> bool {
    path.contains("/-") || path.contains('%')
}

/// Checks the ids in the path of a request that matches `route`. `caller` is the rehearsal of a
/// synthetic buyer.
///
/// # Errors
/// What an unknown id would get, or `401 unauthenticated`.
pub(super) async fn check(
    caller: Option<RehearsalId>,
    route: &str,
    parts: &mut Parts,
) -> Result<(), Problem> {
    let hidden = HIDDEN.iter().find(|(part, _)| route.contains(part)).map(|(_, code)| *code);
    if caller.is_some() && !ROUTES.contains(&(parts.method.as_str(), route)) {
        let detail = "A pass of a rehearsal is valid only for buying in its shadow.";
        return Err(Problem::unauthenticated().detail(detail));
    }
    let Some(hidden) = hidden else {
        return Ok(());
    };
    let Ok(values) = RawPathParams::from_request_parts(parts, &()).await else {
        // Without path parameters.
        return Ok(());
    };
    let ids = values.iter().filter_map(|(_, value)| value.parse::<i64>().ok());
    for id in ids.map(ScheduleId) {
        let own = caller.is_some_and(|rehearsal| rehearsal.schedule() == id);
        if !own && (id.is_shadow() || caller.is_some()) {
            return Err(Problem::new(hidden));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_an_id_below_zero_are_looked_at() {
        for path in ["/v1/schedules/-1", "/v1/schedules/%2D1/seats", "/schedules/-7/wait"] {
            assert!(may_name_shadow(path), "{path}");
        }
        for path in ["/v1/schedules/1/seats", "/v1/queue/ticket", "/v1/holds/0f-1"] {
            assert!(!may_name_shadow(path), "{path}");
        }
    }
}
