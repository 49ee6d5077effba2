//! What happens around every request: its id, its span, its count, its limits.
//!
//! Two layers in all, since each costs every request a few allocations: nine of ten requests are
//! polls that cost little more.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tracing::Instrument;
use uuid::Uuid;

use super::cors::{Cors, Sharing};
use super::state_changes as changes;
use super::state_changes::Changes;
use crate::http::api::auth::Identity;
use crate::http::api::negotiation;
use crate::http::api::problem::Problem;
use crate::http::limit::address_limits::AddressLimits;
use crate::http::limit::gate::{BODY_LIMIT, Gate, Limits, limit};
use crate::telemetry::Metrics;

/// The largest list of seats.
pub const SEAT_LIST_LIMIT: usize = 16 * 1024 * 1024;

/// An answer is of the kind that it says. On every one, those that are not routed too.
pub(super) const NOSNIFF: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));

/// What a page may do that says nothing of it itself. The page to read the API has its styles in the
/// text; images of its own are data.
const PAGE_HEADERS: [(&str, &str); 3] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
         img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
];

/// Makes a page of a refusal, for a browser that asked for a page.
pub trait Dress: Send + Sync + 'static {
    /// The page; `instance` is the request's id.
    fn dress(&self, uri: &Uri, headers: &HeaderMap, problem: &Problem, instance: &str) -> Response;
}

/// Lets a route take bodies up to [`SEAT_LIST_LIMIT`].
pub fn seat_list_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(SEAT_LIST_LIMIT)
}

/// Tells whether a request with this method, target and headers counts for no address: polls of those
/// who wait, where they are not answered ahead of routing.
pub type Exempt = Arc<dyn Fn(&Method, &Uri, &HeaderMap) -> bool + Send + Sync>;

/// What is around every route.
pub struct Surroundings {
    /// Makes a page of a refusal for a browser.
    pub dress: Arc<dyn Dress>,
    /// Says whose access token a token is.
    pub identity: Identity,
    /// What one address may ask for.
    pub addresses: Arc<AddressLimits>,
    /// What the process takes on.
    pub limits: Limits,
    /// The origins whose pages may call.
    pub cors: Cors,
    /// Requests that count for no address.
    pub exempt: Exempt,
    /// Where changes of state run to their end.
    pub changes: Changes,
    /// Counts requests and refusals.
    pub metrics: Metrics,
}

/// Puts everything around `routes` that every request passes, outermost first: the envelope (id,
/// span, count, problems rendered, CORS, panics, the limit of requests of its address), then the
/// other limits. Health checks and metrics go into `always`: they are answered also when the
/// process takes on nothing more. What changes state runs to its end among `changes`. Paths and methods that no route has pass the envelope too.
pub fn around((routes, always): (Router, Router), surroundings: Surroundings) -> Router {
    let Surroundings { dress, identity, addresses, limits, cors, exempt, changes, metrics } =
        surroundings;
    let gate = Gate::new(limits, identity, changes, metrics.clone());
    let around = Around { addresses, exempt, cors, dress, metrics };
    routes
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(Arc::new(gate), limit))
        .merge(always)
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(from_fn_with_state(Arc::new(around), envelope))
}

struct Around {
    addresses: Arc<AddressLimits>,
    exempt: Exempt,
    cors: Cors,
    dress: Arc<dyn Dress>,
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

    let page = wants_page(&request).then(|| (request.uri().clone(), request.headers().clone()));
    let sharing = Sharing::of(&around.cors, &request);
    let answer = AssertUnwindSafe(around.answer(&sharing, request, next));
    let answer = answer.catch_unwind().instrument(span.clone()).await;
    let mut response = answer.unwrap_or_else(|panic| span.in_scope(|| panicked(&*panic)));
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        match page {
            Some((uri, headers)) => {
                let retry = response.headers_mut().remove(RETRY_AFTER);
                response = around.dress.dress(&uri, &headers, &problem, id);
                response.headers_mut().extend(retry.map(|retry| (RETRY_AFTER, retry)));
            }
            None => *response.body_mut() = problem.render(id).into(),
        }
    }
    let header = HeaderValue::from_str(id).unwrap_or(HeaderValue::from_static("none"));
    response.headers_mut().insert("x-request-id", header);
    sharing.add_headers(response.headers_mut());
    let status = response.status();
    harden(status, response.headers_mut());

    span.record("status", status.as_u16());
    let took = started.elapsed();
    span.in_scope(|| tracing::debug!(took_ms = took.as_secs_f64() * 1e3, "answered"));
    around.metrics.request(route, method, status.as_u16(), took);
    response
}

impl Around {
    /// The answer of a route, unless the request's address has used up its allowance. A preflight
    /// counts as any request.
    async fn answer(&self, sharing: &Sharing, mut request: Request, next: Next) -> Response {
        let client = self.addresses.client(request.extensions(), request.headers());
        let exempt = (self.exempt)(request.method(), request.uri(), request.headers());
        if !exempt && let Err(exceeded) = client.take_request(request.uri().path()) {
            self.metrics.refused("address");
            return Problem::from(exceeded).into_response();
        }
        if let Some(response) = sharing.preflight() {
            return response;
        }
        request.extensions_mut().insert(client);
        next.run(request).await
    }
}

/// Whether it is somebody's browser that asks for something to read. Programs say nothing of HTML.
fn wants_page(request: &Request) -> bool {
    negotiation::wants_page(request.headers()) && !request.uri().path().starts_with("/v1/")
}

/// What keeps browsers and caches from doing more with an answer than it is for: it is of the kind
/// that it says; nobody keeps it, unless it says so and is no error; and a page runs nothing but its
/// own files, is shown in no frame, and tells other sites nothing.
fn harden(status: StatusCode, headers: &mut HeaderMap) {
    headers.insert(NOSNIFF.0, NOSNIFF.1);
    let unkept = HeaderValue::from_static("no-store");
    if status.is_client_error() || status.is_server_error() {
        headers.insert(CACHE_CONTROL, unkept);
    } else {
        headers.entry(CACHE_CONTROL).or_insert(unkept);
    }
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if kind.starts_with(b"text/html") {
        for (name, value) in PAGE_HEADERS {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
    }
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
    tracing::error!(panic = changes::text(panic), "a handler panicked");
    Problem::internal().into_response()
}

#[cfg(test)]
mod tests;
