//! Answers that need no routing: nine of ten requests in a rush are polls by people who wait, and
//! looks at a seat map, each answered from memory. The router, its layers and their allocations
//! would cost more than the answer.
//!
//! A shortcut gives the answer that the router would give, byte for byte, or none: then the router
//! is asked as ever. It waits for nothing, so it needs neither a time limit nor a slot.
//!
//! Polls count for no address, since a ticket that verifies names their sender, and thousands may
//! wait behind one address. Every other answer here counts for its address as the router's do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Uri};
use axum::response::Response;
use uuid::Uuid;

use super::middleware::NOSNIFF;
use crate::http::limit::address_limits::AddressLimits;
use crate::http::limit::client_address::Peer;
use crate::telemetry::Metrics;

/// A `GET` that is answered: the pattern of its route, and the answer.
pub type Known = (&'static str, Response);

/// Knows the answer to a `GET` by its target and its headers, or does not.
pub type Shortcut = Box<dyn Fn(&Uri, &HeaderMap) -> Option<Known> + Send + Sync>;

/// All shortcuts, asked one after the other; cheap to clone.
#[derive(Clone)]
pub struct Shortcuts {
    all: Arc<All>,
    metrics: Metrics,
}

struct All {
    /// Polls, which are exempt from the limits per address.
    polls: Vec<Shortcut>,
    /// What counts for its address.
    limited: Vec<Shortcut>,
    addresses: Arc<AddressLimits>,
}

impl Shortcuts {
    /// These, whose answers are counted as the router's are. `polls` answer only requests with a
    /// ticket that verifies; `limited` take from the allowances in `addresses`.
    #[must_use]
    pub fn new(
        polls: Vec<Shortcut>,
        limited: Vec<Shortcut>,
        addresses: Arc<AddressLimits>,
        metrics: Metrics,
    ) -> Self {
        Self { all: Arc::new(All { polls, limited, addresses }), metrics }
    }

    /// The answer, where it is known and within the limits: what exceeds them is refused by the
    /// router. A page on another origin is told more headers by the router.
    pub(super) fn answer<B>(&self, peer: Peer, request: &Request<B>) -> Option<Response> {
        let (uri, headers) = (request.uri(), request.headers());
        if request.method() != Method::GET || headers.contains_key(ORIGIN) {
            return None;
        }
        let started = Instant::now();
        let ask = || {
            let polled = self.all.polls.iter().find_map(|shortcut| shortcut(uri, headers));
            polled.or_else(|| {
                let known = self.all.limited.iter().find_map(|shortcut| shortcut(uri, headers));
                known.filter(|_| self.all.addresses.admits(peer, headers))
            })
        };
        // A defect is left to the router, which tells it as one.
        let (route, mut response) = catch_unwind(AssertUnwindSafe(ask)).ok().flatten()?;
        let mut buffer = Uuid::encode_buffer();
        let id: &str = Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
        let headers = response.headers_mut();
        headers.insert("x-request-id", HeaderValue::from_str(id).ok()?);
        headers.insert(NOSNIFF.0, NOSNIFF.1);
        self.metrics.request(route, "GET", response.status().as_u16(), started.elapsed());
        Some(response)
    }
}

impl std::fmt::Debug for Shortcuts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shortcuts").finish_non_exhaustive()
    }
}
