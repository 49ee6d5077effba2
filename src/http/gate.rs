//! What a request must pass before its handler runs: the limits of its address, its body's arrival,
//! and room among those in progress.

use std::error::Error;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONNECTION, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use tokio::sync::Semaphore;

use super::auth::Identity;
use super::changes::Changes;
use super::guard::address::{ClientAddress, Peer, Proxies};
use super::guard::allowance::{Allowance, Callers, Exhausted, Left, Policy, tell};
use super::guard::depth::Depths;
use super::layers::BODY_LIMIT;
use super::problem::Problem;
use crate::telemetry::Metrics;

/// Allowances per second come in bursts of so many seconds.
const BURST_SECONDS: u32 = 5;

/// Something scarce, and what gives it out: an address may ask for it a few times a minute only.
#[derive(Debug, Clone, Copy)]
pub struct Scarce {
    /// As clients are told of the allowance.
    pub name: &'static str,
    /// Methods, and the patterns of their paths.
    pub calls: &'static [(&'static str, &'static str)],
}

/// What one process takes on at a time, and for how long.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Requests whose answer has not begun.
    pub in_flight: usize,
    /// Until a body is there, and again until an answer begins. What changes state goes on after it,
    /// without its client.
    pub timeout: Duration,
    /// Where answers of a route take longer, fewer are taken on at a time.
    pub target: Duration,
    /// Who is believed whom they forward for.
    pub proxies: Proxies,
    /// Requests per second from one address; 0 is no limit.
    pub address_requests: u32,
    /// How often per minute one address may ask for each thing that is scarce; 0 is no limit.
    pub address_scarce: u32,
    /// Requests per second of one user; 0 is no limit.
    pub user_requests: u32,
    /// What is scarce.
    pub scarce: &'static [Scarce],
}

/// Everything a request must pass.
#[derive(Debug)]
pub(super) struct Gate {
    slots: Arc<Semaphore>,
    depths: Depths,
    timeout: Duration,
    identity: Identity,
    proxies: Proxies,
    requests: Option<Allowance<ClientAddress>>,
    scarce: Vec<(Scarce, Allowance<ClientAddress>)>,
    callers: Option<Arc<Allowance<i64>>>,
    changes: Changes,
    metrics: Metrics,
}

/// Why a request is not taken on; its name is the label of the metric.
struct Refusal(&'static str, Problem);

impl Gate {
    pub(super) fn new(
        limits: Limits,
        identity: Identity,
        changes: Changes,
        metrics: Metrics,
    ) -> Self {
        let per_second = |name, each: u32| {
            let window = Duration::from_secs(BURST_SECONDS.into());
            let most = NonZeroU32::new(each.saturating_mul(BURST_SECONDS));
            most.map(|most| Policy { name, most, window })
        };
        let per_minute = |scarce: &Scarce| {
            let most = NonZeroU32::new(limits.address_scarce)?;
            let policy = Policy { name: scarce.name, most, window: Duration::from_mins(1) };
            Some((*scarce, Allowance::new(policy)))
        };
        Self {
            slots: Arc::new(Semaphore::new(limits.in_flight)),
            depths: Depths::new(limits.in_flight, limits.target),
            timeout: limits.timeout,
            identity,
            requests: per_second("requests", limits.address_requests).map(Allowance::new),
            scarce: limits.scarce.iter().filter_map(per_minute).collect(),
            callers: per_second("user", limits.user_requests).map(Allowance::new).map(Arc::new),
            proxies: limits.proxies,
            changes,
            metrics,
        }
    }

    /// Takes the request out of its address's buckets; what is left of the scarce one.
    fn of_address(&self, request: &Request, route: &str) -> Result<Option<Left>, Exhausted> {
        let peer = request.extensions().get::<Peer>();
        let client = peer.and_then(|peer| self.proxies.client(peer.0, request.headers()));
        let Some(client) = client else { return Ok(None) };
        if let Some(requests) = &self.requests {
            requests.take(&client)?;
        }
        let method = request.method().as_str();
        let called = |scarce: &Scarce| scarce.calls.contains(&(method, route));
        let scarce = self.scarce.iter().find(|(scarce, _)| called(scarce));
        scarce.map(|(_, allowance)| allowance.take(&client)).transpose()
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
        let left = self.of_address(&request, route);
        let left = left.map_err(|exhausted| Refusal("address", exhausted.into()))?;

        let mut request = self.arrived(request).await?;
        let overloaded = |reason| Refusal(reason, Problem::overloaded());
        let slot = Arc::clone(&self.slots).try_acquire_owned();
        let slot = slot.map_err(|_| overloaded("in_flight"))?;
        let place = self.depths.enter(route, request.method().as_str());
        let place = place.ok_or_else(|| overloaded("late"))?;

        let callers = self.callers.clone().map(Callers::new);
        let extensions = request.extensions_mut();
        extensions.insert(self.identity.clone());
        if let Some(callers) = &callers {
            extensions.insert(callers.clone());
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
            let mut response = problem.into_response();
            if reason == "body" {
                // What is still to come of it would be taken for another request.
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }
    }
}
