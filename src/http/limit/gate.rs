//! What a request must pass before its handler runs, in this order: the limit of joins and sign-ups
//! of its address, the limit of its user, the arrival of its body, and the limits of requests in
//! progress. A caller beyond their own limit therefore takes no room from others.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use tokio::sync::Semaphore;

use super::address_limits::{Client, per_second};
use super::concurrency::Depths;
use super::rate_headers::write_remaining;
use super::user_limit::UserLimit;
use crate::http::api::auth::{Identity, bearer};
use crate::http::api::problem::{Problem, ProblemCode};
use crate::http::server::state_changes::Changes;
use crate::rate_limit::{CallerKey, RateLimitExceeded, RateLimiter, Remaining};
use crate::telemetry::Metrics;

/// The largest body of a route that says nothing else.
pub const BODY_LIMIT: usize = 64 * 1024;

/// What one process takes on at a time, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests whose answer has not begun.
    pub in_flight: usize,
    /// Until a body is there, and again until an answer begins. What changes state goes on after it,
    /// without its client.
    pub timeout: Duration,
    /// Where answers of a route take longer, fewer are taken on at a time.
    pub target: Duration,
    /// Requests per second of one user; 0 is no limit.
    pub user_requests: u32,
}

/// Everything a request must pass.
#[derive(Debug)]
pub(in crate::http) struct Gate {
    slots: Arc<Semaphore>,
    depths: Depths,
    timeout: Duration,
    identity: Identity,
    user_limiter: Option<Arc<RateLimiter<CallerKey>>>,
    changes: Changes,
    metrics: Metrics,
}

/// Why a request is not taken on; its name is the label of the metric.
struct Refusal(&'static str, Problem);

impl Gate {
    pub(in crate::http) fn new(
        limits: Limits,
        identity: Identity,
        changes: Changes,
        metrics: Metrics,
    ) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(limits.in_flight)),
            depths: Depths::new(limits.in_flight, limits.target),
            timeout: limits.timeout,
            identity,
            user_limiter: per_second("user", limits.user_requests)
                .map(RateLimiter::new)
                .map(Arc::new),
            changes,
            metrics,
        }
    }

    /// Counts the request for its user if the access token names the user without a store call.
    /// Otherwise it is counted when the handler identifies its caller.
    fn count_for_user(
        &self,
        limit: &UserLimit,
        headers: &HeaderMap,
    ) -> Result<(), RateLimitExceeded> {
        let key = bearer(headers).and_then(|token| self.identity.0.recognize(token));
        key.map_or(Ok(()), |key| limit.count(key))
    }

    /// The request with its body at hand, so that whoever sends slowly keeps no room meanwhile.
    ///
    /// The long lists of administration are left to the handler, which looks who calls first.
    async fn arrived(&self, request: Request) -> Result<Request, Refusal> {
        if request.body().is_end_stream() || request.uri().path().starts_with("/v1/admin/") {
            return Ok(request);
        }
        let (head, body) = request.into_parts();
        // One byte more than fits: the handler refuses what is too large, after the rest.
        let most = BODY_LIMIT + 1;
        match tokio::time::timeout(self.timeout, to_bytes(body, most)).await {
            Ok(Ok(body)) => Ok(Request::from_parts(head, Body::from(body))),
            Ok(Err(error)) if error.source().is_some_and(<dyn Error>::is::<LengthLimitError>) => {
                Err(Refusal("body", Problem::new(ProblemCode::BodyTooLarge)))
            }
            Ok(Err(_)) => {
                let problem = Problem::new(ProblemCode::InvalidJson);
                Err(Refusal("body", problem.detail("The body could not be read.")))
            }
            Err(_) => Err(Refusal("body", Problem::new(ProblemCode::BodyTimeout))),
        }
    }

    async fn pass(&self, request: Request, next: Next) -> Result<Response, Refusal> {
        let matched = request.extensions().get::<MatchedPath>().cloned();
        let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
        let client = request.extensions().get::<Client>();
        let call_limit =
            client.map_or(Ok(None), |client| client.take_call(request.method().as_str(), route));
        let call_limit = call_limit.map_err(|exceeded| Refusal("address", exceeded.into()))?;
        let user_limit = self.user_limiter.clone().map(UserLimit::new);
        if let Some(limit) = &user_limit {
            self.count_for_user(limit, request.headers())
                .map_err(|exceeded| Refusal("user", exceeded.into()))?;
        }

        let mut request = self.arrived(request).await?;
        let overloaded = |reason| Refusal(reason, Problem::overloaded());
        let slot = Arc::clone(&self.slots).try_acquire_owned();
        let slot = slot.map_err(|_| overloaded("in_flight"))?;
        let place = self.depths.enter(route, request.method().as_str());
        let place = place.ok_or_else(|| overloaded("late"))?;

        let extensions = request.extensions_mut();
        extensions.insert(self.identity.clone());
        if let Some(limit) = &user_limit {
            extensions.insert(limit.clone());
        }
        let changes_state = !request.method().is_safe();
        // The room is taken for as long as the work goes on, not for as long as its client waits.
        let work = async move {
            let answer = next.run(request).await;
            drop((place, slot));
            answer
        };
        // The time limit is for the client. A change that it has run out for goes on: its own limits are
        // those of the stores' calls.
        let answer = if changes_state {
            tokio::time::timeout(self.timeout, self.changes.run(work)).await
        } else {
            tokio::time::timeout(self.timeout, work).await
        };
        let mut answer = answer.map_err(|_| {
            tracing::warn!(goes_on = changes_state, "a request took too long");
            overloaded("timeout")
        })?;
        let user_limit = user_limit.and_then(|limit| limit.remaining());
        let remaining: Vec<Remaining> = call_limit.into_iter().chain(user_limit).collect();
        if !remaining.is_empty() && answer.status() != StatusCode::TOO_MANY_REQUESTS {
            write_remaining(&remaining, answer.headers_mut());
        }
        Ok(answer)
    }
}

/// Lets a request through to its handler, or refuses it: at once where it would only wait. Its room
/// is free again when the head of the answer is there: a stream does not keep it.
pub(in crate::http) async fn limit(
    State(gate): State<Arc<Gate>>,
    request: Request,
    next: Next,
) -> Response {
    match gate.pass(request, next).await {
        Ok(answer) => answer,
        Err(Refusal(reason, problem)) => {
            gate.metrics.refused(reason);
            problem.into_response()
        }
    }
}
