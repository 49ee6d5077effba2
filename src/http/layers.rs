//! What happens around every request: its id, its span, its count, its limits.
//!
//! Two layers in all, since each costs every request a few allocations: nine of ten requests are
//! polls that cost little more.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderValue, Method};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tracing::Instrument;
use uuid::Uuid;

use super::auth::Identity;
use super::cors::{Cors, share};
use super::problem::Problem;
use crate::telemetry::Metrics;

/// The largest body of a route that says nothing else.
pub const BODY_LIMIT: usize = 64 * 1024;

/// The largest list of seats.
pub const SEAT_LIST_LIMIT: usize = 16 * 1024 * 1024;

/// What one process takes on at a time, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests whose answer has not begun.
    pub in_flight: usize,
    /// Until an answer begins; past it, `503 overloaded`.
    pub timeout: Duration,
}

/// Lets a route take bodies up to [`SEAT_LIST_LIMIT`].
pub fn seat_list_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(SEAT_LIST_LIMIT)
}

/// Puts everything around `routes` that every request passes, outermost first: the envelope (id,
/// span, count, problems rendered), CORS, panics, limits. Health checks and metrics go into
/// `always`: they are answered also when the process takes on nothing more.
pub fn around(
    routes: Router,
    always: Router,
    identity: Identity,
    limits: Limits,
    cors: Cors,
    metrics: Metrics,
) -> Router {
    let slots = Semaphore::new(limits.in_flight);
    let gate = Gate { slots, timeout: limits.timeout, identity };
    let around = Around { cors: Arc::new(cors), metrics };
    routes
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(Arc::new(gate), limit))
        .merge(always)
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(from_fn_with_state(Arc::new(around), envelope))
}

struct Gate {
    slots: Semaphore,
    timeout: Duration,
    identity: Identity,
}

/// Refuses at once what would only wait, and gives up on what takes too long. A slot is free again
/// when the head of the answer is there: a stream does not keep one.
async fn limit(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let Ok(_slot) = gate.slots.try_acquire() else {
        return Problem::overloaded().into_response();
    };
    request.extensions_mut().insert(gate.identity.clone());
    let answer = tokio::time::timeout(gate.timeout, next.run(request)).await;
    answer.unwrap_or_else(|_| {
        tracing::warn!("a request took too long");
        Problem::overloaded().into_response()
    })
}

struct Around {
    cors: Arc<Cors>,
    metrics: Metrics,
}

/// Gives the request an id and a span, counts it, catches its panic, and renders the problem it may
/// have ended in.
///
/// The span names the route's pattern: paths are fine, but query strings carry stream codes, and
/// no header is recorded at all.
async fn envelope(State(around): State<Arc<Around>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let mut buffer = Uuid::encode_buffer();
    // Ours alone: an id from outside could be made to collide with another request's.
    let id: &str = Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    let method = name(request.method());
    let status = tracing::field::Empty;
    let span = tracing::info_span!("request", %method, route, %id, status);

    let answer = share(State(Arc::clone(&around.cors)), request, next);
    let answer = AssertUnwindSafe(answer).catch_unwind().instrument(span.clone()).await;
    let mut response = answer.unwrap_or_else(|panic| span.in_scope(|| panicked(&*panic)));
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        *response.body_mut() = problem.render(id).into();
    }
    let header = HeaderValue::from_str(id).unwrap_or(HeaderValue::from_static("none"));
    response.headers_mut().insert("x-request-id", header);

    let status = response.status();
    span.record("status", status.as_u16());
    let took = started.elapsed();
    span.in_scope(|| tracing::debug!(took_ms = took.as_secs_f64() * 1e3, "answered"));
    around.metrics.request(route, method, status.as_u16(), took);
    response
}

/// A method as a label: those that clients make up are one.
fn name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

/// A defect: told in the log, and to the client only as such.
fn panicked(panic: &(dyn Any + Send)) -> Response {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("not a text"), "a handler panicked");
    Problem::internal().into_response()
}

#[cfg(test)]
mod tests;
