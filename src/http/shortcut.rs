//! Answers that need no routing: nine of ten requests in a rush are polls by people who wait, and
//! each is answered from memory. The router, its layers and their allocations would cost more than
//! the answer.
//!
//! A shortcut gives the answer that the router would give, byte for byte, or none: then the router
//! is asked as ever. It waits for nothing, so it needs neither a time limit nor a slot.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use axum::http::header::{ORIGIN, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, Request};
use axum::response::Response;
use uuid::Uuid;

use super::layers::NOSNIFF;
use crate::telemetry::Metrics;

/// Knows the answer to a request by its headers, or does not.
type Known = Arc<dyn Fn(&HeaderMap) -> Option<Response> + Send + Sync>;

/// The shortcut of one path; cheap to clone.
#[derive(Clone)]
pub struct Shortcut {
    path: &'static str,
    known: Known,
    metrics: Metrics,
}

impl Shortcut {
    /// Answers `GET path` by what `known` says.
    #[must_use]
    pub fn new(
        path: &'static str,
        known: impl Fn(&HeaderMap) -> Option<Response> + Send + Sync + 'static,
        metrics: Metrics,
    ) -> Self {
        Self { path, known: Arc::new(known), metrics }
    }

    /// The answer, where it is known. A page on another origin is told more headers by the router.
    pub(super) fn answer<B>(&self, request: &Request<B>) -> Option<Response> {
        let uri = request.uri();
        let mine = request.method() == Method::GET && uri.path() == self.path;
        if !mine || uri.query().is_some() || request.headers().contains_key(ORIGIN) {
            return None;
        }
        let started = Instant::now();
        // A defect is left to the router, which tells it as one.
        let known = catch_unwind(AssertUnwindSafe(|| (self.known)(request.headers())));
        let mut response = known.ok().flatten()?;
        let mut buffer = Uuid::encode_buffer();
        let id: &str = Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("origin"));
        headers.insert("x-request-id", HeaderValue::from_str(id).ok()?);
        headers.insert(NOSNIFF.0, NOSNIFF.1);
        let status = response.status().as_u16();
        self.metrics.request(self.path, "GET", status, started.elapsed());
        Some(response)
    }
}

impl std::fmt::Debug for Shortcut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shortcut").field("path", &self.path).finish_non_exhaustive()
    }
}
