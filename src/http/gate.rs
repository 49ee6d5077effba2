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

use super::auth::{Identity, bearer};
use super::guard::allowance::{Allowance, CallerKey, Callers, Exhausted, Left, tell};
use super::guard::client::{Client, per_second};
use super::guard::depth::Depths;
use super::layers::BODY_LIMIT;
use super::problem::Problem;
use crate::telemetry::Metrics;

/// What one process takes on at a time, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests whose answer has not begun.
    pub in_flight: usize,
    /// Until a body is there, and again until an answer begins.
    pub timeout: Duration,
    /// Where answers of a route take longer, fewer are taken on at a time.
    pub target: Duration,
    /// Requests per second of one user; 0 is no limit.
    pub user_requests: u32,
}

/// Everything a request must pass.
#[derive(Debug)]
pub(super) struct Gate {
    slots: Semaphore,
    depths: Depths,
    timeout: Duration,
    identity: Identity,
    callers: Option<Arc<Allowance<CallerKey>>>,
    metrics: Metrics,
}

/// Why a request is not taken on; its name is the label of the metric.
struct Refusal(&'static str, Problem);

impl Gate {
    pub(super) fn new(limits: Limits, identity: Identity, metrics: Metrics) -> Self {
        Self {
            slots: Semaphore::new(limits.in_flight),
            depths: Depths::new(limits.in_flight, limits.target),
            timeout: limits.timeout,
            identity,
            callers: per_second("user", limits.user_requests).map(Allowance::new).map(Arc::new),
            metrics,
        }
    }

    /// Takes the request from its user's allowance, where its access token names a user without
    /// asking a store. A user who is not known yet is counted when the handler asks who calls.
    fn take_of_user(&self, callers: &Callers, headers: &HeaderMap) -> Result<(), Exhausted> {
        let key = bearer(headers).and_then(|token| self.identity.0.recognize(token));
        key.map_or(Ok(()), |key| callers.take(key))
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
                let (status, title) = (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large");
                Err(Refusal("body", Problem::new(status, "body_too_large", title)))
            }
            Ok(Err(_)) => {
                let (status, title) = (StatusCode::BAD_REQUEST, "The body could not be read");
                Err(Refusal("body", Problem::new(status, "invalid_json", title)))
            }
            Err(_) => {
                let (status, title) = (StatusCode::REQUEST_TIMEOUT, "The body did not arrive");
                Err(Refusal("body", Problem::new(status, "body_timeout", title)))
            }
        }
    }

    async fn pass(&self, request: Request, next: Next) -> Result<Response, Refusal> {
        let matched = request.extensions().get::<MatchedPath>().cloned();
        let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
        let client = request.extensions().get::<Client>();
        let left =
            client.map_or(Ok(None), |client| client.take_call(request.method().as_str(), route));
        let left = left.map_err(|exhausted| Refusal("address", exhausted.into()))?;
        let callers = self.callers.clone().map(Callers::new);
        let taken = callers
            .as_ref()
            .map_or(Ok(()), |callers| self.take_of_user(callers, request.headers()));
        taken.map_err(|exhausted| Refusal("user", exhausted.into()))?;

        let mut request = self.arrived(request).await?;
        let overloaded = |reason| Refusal(reason, Problem::overloaded());
        let _slot = self.slots.try_acquire().map_err(|_| overloaded("in_flight"))?;
        let place = self.depths.enter(route, request.method().as_str());
        let _place = place.ok_or_else(|| overloaded("late"))?;

        let extensions = request.extensions_mut();
        extensions.insert(self.identity.clone());
        if let Some(callers) = &callers {
            extensions.insert(callers.clone());
        }
        let answer = tokio::time::timeout(self.timeout, next.run(request)).await;
        let mut answer = answer.map_err(|_| {
            tracing::warn!("a request took too long");
            overloaded("timeout")
        })?;
        let user = callers.and_then(|callers| callers.left());
        let lefts: Vec<Left> = left.into_iter().chain(user).collect();
        if !lefts.is_empty() && answer.status() != StatusCode::TOO_MANY_REQUESTS {
            tell(&lefts, answer.headers_mut());
        }
        Ok(answer)
    }
}

/// Lets a request through to its handler, or refuses it: at once where it would only wait. Its room
/// is free again when the head of the answer is there: a stream does not keep it.
pub(super) async fn limit(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    match gate.pass(request, next).await {
        Ok(answer) => answer,
        Err(Refusal(reason, problem)) => {
            gate.metrics.refused(reason);
            problem.into_response()
        }
    }
}
