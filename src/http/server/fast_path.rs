//! The fast path: answers from memory, ahead of the router. Nine of ten requests in a rush are
//! polls of waiting users and reads of a seat map. The router, its layers and their allocations
//! would cost more than such an answer.
//!
//! A fast path gives the answer that the router would give, byte for byte, or `None`. After `None`
//! the router handles the request. A fast path never waits, so it needs no time limit and no slot.
//!
//! Polls are exempt from the rate limit per address: a valid ticket names their sender, and
//! thousands of users may wait behind one address. Every other answer here counts for its address,
//! as the router's answers do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Uri};
use axum::response::Response;
use uuid::Uuid;

use super::middleware::NOSNIFF;
use super::traced_request::TracedRequest;
use crate::http::limit::address_limits::AddressLimits;
use crate::http::limit::client_address::Peer;
use crate::telemetry::Metrics;

/// The pattern of a request's route, and the answer.
pub type RoutedResponse = (&'static str, Response);

/// Answers a `GET` by its target and its headers, or returns `None`.
pub type FastPath = Box<dyn Fn(&Uri, &HeaderMap) -> Option<RoutedResponse> + Send + Sync>;

/// All fast paths, tried in order; cheap to clone.
#[derive(Clone)]
pub struct FastPaths {
    all: Arc<All>,
    metrics: Metrics,
}

struct All {
    /// Polls, which are exempt from the limits per address.
    polls: Vec<FastPath>,
    /// Fast paths whose answers count for the client's address.
    limited: Vec<FastPath>,
    addresses: Arc<AddressLimits>,
}

impl FastPaths {
    /// Combines the fast paths; their answers are counted in `metrics` like the router's. `polls`
    /// answer only requests with a valid ticket. `limited` count against the rate limits in
    /// `addresses`.
    #[must_use]
    pub fn new(
        polls: Vec<FastPath>,
        limited: Vec<FastPath>,
        addresses: Arc<AddressLimits>,
        metrics: Metrics,
    ) -> Self {
        Self { all: Arc::new(All { polls, limited, addresses }), metrics }
    }

    /// Answers `request` if a fast path can and the rate limit allows it; otherwise `None`, and the
    /// router answers or refuses. Requests with an `Origin` also go to the router, which adds the
    /// CORS headers.
    pub(super) fn answer<B>(&self, peer: Peer, request: &Request<B>) -> Option<Response> {
        let (uri, headers) = (request.uri(), request.headers());
        if request.method() != Method::GET || headers.contains_key(ORIGIN) {
            return None;
        }
        let started = Instant::now();
        let try_all = || {
            let poll = self.all.polls.iter().find_map(|path| path(uri, headers));
            poll.or_else(|| {
                let answer = self.all.limited.iter().find_map(|path| path(uri, headers));
                answer.filter(|_| self.all.addresses.admits(peer, headers))
            })
        };
        // After a panic the router handles the request, and reports the same defect.
        let (route, mut response) = catch_unwind(AssertUnwindSafe(try_all)).ok().flatten()?;
        let mut buffer = Uuid::encode_buffer();
        let id: &str = Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
        let headers = response.headers_mut();
        headers.insert("x-request-id", HeaderValue::from_str(id).ok()?);
        headers.insert(NOSNIFF.0, NOSNIFF.1);
        let status = response.status().as_u16();
        self.metrics.request(route, "GET", status, started.elapsed());
        let traced = TracedRequest::of(Some(peer), request, Some(route));
        traced.begin(&self.all.addresses, started.elapsed()).end(status, None, id);
        Some(response)
    }
}

impl std::fmt::Debug for FastPaths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FastPaths").finish_non_exhaustive()
    }
}
