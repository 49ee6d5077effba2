//! What happens around every request: its id, its span, its metrics and its limits.
//!
//! There are only two layers, because each layer costs every request a few allocations, and nine of
//! ten requests are polls that cost little more than that.

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
use opentelemetry::context::FutureExt as _;
use percent_encoding::percent_decode_str;
use tracing::Instrument;
use uuid::Uuid;

use super::cors::{Cors, Sharing};
use super::state_changes as changes;
use super::state_changes::Changes;
use super::traced_request::{TracedRequest, method_label};
use crate::http::api::auth::Identity;
use crate::http::api::negotiation;
use crate::http::api::problem::Problem;
use crate::http::limit::address_limits::AddressLimits;
use crate::http::limit::gate::{BODY_LIMIT, Gate, Limits, limit};
use crate::telemetry::Metrics;

/// Maximum body size of a list of seats, in bytes.
pub const SEAT_LIST_LIMIT: usize = 16 * 1024 * 1024;

/// Keeps browsers from guessing another content type. On every answer, with or without a route.
pub(super) const NOSNIFF: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));

/// Headers of a page that does not set them itself. The page that shows the API description has
/// inline styles, and images as `data:` URLs.
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

/// Renders a problem as a page, for a browser that asked for a page.
pub trait RenderErrorPage: Send + Sync + 'static {
    /// Renders the error page; `instance` is the request's id.
    fn render(&self, uri: &Uri, headers: &HeaderMap, problem: &Problem, instance: &str)
    -> Response;
}

/// Layer for a route that accepts bodies up to [`SEAT_LIST_LIMIT`].
pub fn seat_list_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(SEAT_LIST_LIMIT)
}

/// Whether a request with this method, target and headers is exempt from the rate limit per
/// address: polls of waiting users that the fast path did not answer.
pub type Exempt = Arc<dyn Fn(&Method, &Uri, &HeaderMap) -> bool + Send + Sync>;

/// What the middleware needs.
pub struct RouterContext {
    /// Renders a problem as a page for a browser.
    pub error_page: Arc<dyn RenderErrorPage>,
    /// Finds the caller of an access token.
    pub identity: Identity,
    /// Rate limits per address.
    pub addresses: Arc<AddressLimits>,
    /// Limits of the process and of each user.
    pub limits: Limits,
    /// The origins whose pages may call.
    pub cors: Cors,
    /// Requests that are exempt from the rate limit per address.
    pub exempt: Exempt,
    /// Runs each change of state to its end.
    pub changes: Changes,
    /// Counts requests and refusals.
    pub metrics: Metrics,
}

/// Puts the middleware around `routes`. The outer layer is the envelope: request id, span, metrics,
/// rendering of problems, CORS, panics and the rate limit of the address. The inner layer holds the
/// other limits.
///
/// Routes in `always` (health checks and metrics) skip the inner layer, so an overloaded process
/// still answers them. Requests that match no route pass the envelope too.
pub fn outer(routes: Router, always: Router, context: RouterContext) -> Router {
    let RouterContext { error_page, identity, addresses, limits, cors, exempt, changes, metrics } =
        context;
    let gate = Gate::new(limits, identity, changes, metrics.clone());
    let outer = OuterLayer { addresses, exempt, cors, error_page, metrics };
    routes
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(Arc::new(gate), limit))
        .merge(always)
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(from_fn_with_state(Arc::new(outer), envelope))
}

struct OuterLayer {
    addresses: Arc<AddressLimits>,
    exempt: Exempt,
    cors: Cors,
    error_page: Arc<dyn RenderErrorPage>,
    metrics: Metrics,
}

/// Gives the request an id, a span in the log and one in traces, counts it, catches a panic, and
/// renders its problem if it ended in one.
///
/// Both spans hold the route's pattern instead of the URL, because query strings carry stream codes.
/// They hold no header.
async fn envelope(State(outer): State<Arc<OuterLayer>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let mut buffer = Uuid::encode_buffer();
    // A client's own id is ignored: a client could make it collide with another request's id.
    let id: &str = Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let pattern = matched.as_ref().map(MatchedPath::as_str);
    let route = pattern.unwrap_or("unmatched");
    let method = method_label(request.method());
    let traced = TracedRequest::of(request.extensions().get().copied(), &request, pattern);
    let server_span = traced.begin(&outer.addresses, started.elapsed());
    let (status, trace_id) = (tracing::field::Empty, tracing::field::Empty);
    let span = tracing::info_span!("request", %method, route, %id, status, trace_id);
    if let Some(trace_id) = server_span.trace_id() {
        span.record("trace_id", tracing::field::display(trace_id));
    }

    let page = wants_page(&request).then(|| (request.uri().clone(), request.headers().clone()));
    let sharing = Sharing::of(&outer.cors, &request);
    let answer = AssertUnwindSafe(outer.answer(&sharing, request, next));
    let answer = answer.catch_unwind().instrument(span.clone());
    let answer = answer.with_context(server_span.context()).await;
    let mut response = answer.unwrap_or_else(|panic| span.in_scope(|| panicked(&*panic)));
    let problem = response.extensions_mut().remove::<Problem>();
    let code = problem.as_ref().map(Problem::code);
    if let Some(problem) = problem {
        match page {
            Some((uri, headers)) => {
                let retry = response.headers_mut().remove(RETRY_AFTER);
                response = outer.error_page.render(&uri, &headers, &problem, id);
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
    let elapsed = started.elapsed();
    span.in_scope(|| tracing::debug!(took_ms = elapsed.as_secs_f64() * 1e3, "answered"));
    outer.metrics.request(route, method, status.as_u16(), elapsed);
    server_span.end(status.as_u16(), code, id);
    response
}

impl OuterLayer {
    /// The answer of a route, unless the request's address has exceeded its rate limit. A preflight
    /// counts like any other request.
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
        // No route has such a path. Routes of other crates would answer it without a code.
        if percent_decode_str(request.uri().path()).decode_utf8().is_err() {
            return Problem::not_found().into_response();
        }
        request.extensions_mut().insert(client);
        next.run(request).await
    }
}

/// Whether a browser asks for a page. Programs do not send `text/html` in `Accept`.
fn wants_page(request: &Request) -> bool {
    negotiation::wants_page(request.headers()) && !request.uri().path().starts_with("/v1/")
}

/// Adds the headers that restrict browsers and caches. Browsers do not guess another content type.
/// Caches store an answer only if its handler allows that and it is not an error. A page runs only
/// its own files, is shown in no frame, and sends no referrer.
fn harden(status: StatusCode, headers: &mut HeaderMap) {
    headers.insert(NOSNIFF.0, NOSNIFF.1);
    let no_store = HeaderValue::from_static("no-store");
    if status.is_client_error() || status.is_server_error() {
        headers.insert(CACHE_CONTROL, no_store);
    } else {
        headers.entry(CACHE_CONTROL).or_insert(no_store);
    }
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if kind.starts_with(b"text/html") {
        for (name, value) in PAGE_HEADERS {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
    }
}

/// Logs the panic as a defect; the client gets `500 internal_error` without its text.
fn panicked(panic: &(dyn Any + Send)) -> Response {
    tracing::error!(panic = changes::text(panic), "a handler panicked");
    Problem::internal().into_response()
}

#[cfg(test)]
mod tests;
