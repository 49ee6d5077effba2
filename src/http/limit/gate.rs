//! The checks before a handler runs, in this order: the rate limit of joins and sign-ups of the
//! address, the rate limit of the user, the arrival of the body, and the limits of requests in
//! progress. A caller beyond their own rate limit therefore takes no capacity from others.

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
use super::concurrency::ConcurrencyLimits;
use super::rate_headers::write_remaining;
use super::rehearsals;
use super::user_limit::UserLimit;
use crate::http::api::auth::{Identity, bearer};
use crate::http::api::problem::{Problem, ProblemCode};
use crate::http::server::state_changes::Changes;
use crate::rate_limit::{CallerKey, RateLimitExceeded, RateLimiter, Remaining};
use crate::telemetry::Metrics;

/// Maximum body size in bytes, for every route that sets no other limit.
pub const BODY_LIMIT: usize = 64 * 1024;

/// Limits of one process for requests in progress, and the rate limit of one user.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Maximum number of requests in progress: those whose answer has not begun.
    pub in_flight: usize,
    /// Time limit for the arrival of a body, and again for the start of an answer. A change of
    /// state runs on after it, without its client.
    pub timeout: Duration,
    /// Target latency per route. Requests beyond what a route can answer in this time get
    /// `503 overloaded` at once.
    pub target: Duration,
    /// Requests per second of one user; 0 means no limit.
    pub user_requests: u32,
}

/// Holds the limits, and checks each request against them.
#[derive(Debug)]
pub(in crate::http) struct Gate {
    slots: Arc<Semaphore>,
    concurrency: ConcurrencyLimits,
    timeout: Duration,
    identity: Identity,
    user_limiter: Option<Arc<RateLimiter<CallerKey>>>,
    changes: Changes,
    metrics: Metrics,
}

/// The label of the metric for a refused request, and its problem.
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
            concurrency: ConcurrencyLimits::new(limits.in_flight, limits.target),
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
    /// Otherwise the request is counted when the handler identifies its caller.
    fn count_for_user(
        &self,
        limit: &UserLimit,
        headers: &HeaderMap,
    ) -> Result<(), RateLimitExceeded> {
        let key = bearer(headers).and_then(|token| self.identity.0.recognize(token));
        key.map_or(Ok(()), |key| limit.count(key))
    }

    /// Reads the body into memory before the request takes a slot, so that a slow sender takes no
    /// capacity.
    ///
    /// Bodies of `/v1/admin/` may be large. Their handlers read them, after they check the caller.
    async fn read_body(&self, request: Request) -> Result<Request, Refusal> {
        if request.body().is_end_stream() || request.uri().path().starts_with("/v1/admin/") {
            return Ok(request);
        }
        let (head, body) = request.into_parts();
        // One byte more than the limit: the handler refuses a body that is too large, after its
        // other checks.
        let max = BODY_LIMIT + 1;
        match tokio::time::timeout(self.timeout, to_bytes(body, max)).await {
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

    /// Hides the shadows of rehearsals. A synthetic buyer does not count for its address: the
    /// generator has limits of its own.
    async fn hide_shadows(&self, request: Request) -> Result<Request, Problem> {
        let (mut parts, body) = request.into_parts();
        let rehearsal = rehearsals::rehearsal_of(&self.identity, &parts);
        if rehearsal.is_some() || rehearsals::may_name_shadow(parts.uri.path()) {
            let matched = parts.extensions.get::<MatchedPath>().cloned();
            let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
            rehearsals::check(rehearsal, route, &mut parts).await?;
        }
        if rehearsal.is_some() {
            parts.extensions.remove::<Client>();
        }
        Ok(Request::from_parts(parts, body))
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

        let mut request = self.read_body(request).await?;
        let overloaded = |reason| Refusal(reason, Problem::overloaded());
        let slot = Arc::clone(&self.slots).try_acquire_owned();
        let slot = slot.map_err(|_| overloaded("in_flight"))?;
        let permit = self.concurrency.enter(route, request.method().as_str());
        let permit = permit.ok_or_else(|| overloaded("concurrency"))?;

        let extensions = request.extensions_mut();
        extensions.insert(self.identity.clone());
        if let Some(limit) = &user_limit {
            extensions.insert(limit.clone());
        }
        let changes_state = !request.method().is_safe();
        // The request keeps its slot until the work ends, even if its client has left before.
        let work = async move {
            let answer = next.run(request).await;
            drop((permit, slot));
            answer
        };
        // The time limit ends the client's wait. A change of state runs on: the time limits of its
        // store calls bound it.
        let answer = if changes_state {
            tokio::time::timeout(self.timeout, self.changes.run(work)).await
        } else {
            tokio::time::timeout(self.timeout, work).await
        };
        let mut answer = answer.map_err(|_| {
            tracing::warn!(runs_on = changes_state, "a request exceeded its time limit");
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

/// Middleware that passes a request to its handler or refuses it at once. A request keeps its slot
/// until the head of its answer is ready, so an open event stream holds no slot.
pub(in crate::http) async fn limit(
    State(gate): State<Arc<Gate>>,
    request: Request,
    next: Next,
) -> Response {
    let request = match gate.hide_shadows(request).await {
        Ok(request) => request,
        Err(problem) => return problem.into_response(),
    };
    match gate.pass(request, next).await {
        Ok(answer) => answer,
        Err(Refusal(reason, problem)) => {
            gate.metrics.refused(reason);
            problem.into_response()
        }
    }
}
