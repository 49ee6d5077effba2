//! What happens around every request: its id, its span, its count, its limits.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderValue, Method};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
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
    let gate = Gate { slots: Arc::new(Semaphore::new(limits.in_flight)), timeout: limits.timeout };
    routes
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(axum::Extension(identity))
        .layer(from_fn_with_state(gate, limit))
        .merge(always)
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::new(cors), share))
        .layer(from_fn_with_state(metrics, envelope))
}

#[derive(Clone)]
struct Gate {
    slots: Arc<Semaphore>,
    timeout: Duration,
}

/// Refuses at once what would only wait, and gives up on what takes too long. A slot is free again
/// when the head of the answer is there: a stream does not keep one.
async fn limit(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let Ok(_slot) = gate.slots.try_acquire() else {
        return Problem::overloaded().into_response();
    };
    let answer = tokio::time::timeout(gate.timeout, next.run(request)).await;
    answer.unwrap_or_else(|_| {
        tracing::warn!("a request took too long");
        Problem::overloaded().into_response()
    })
}

/// Gives the request an id and a span, counts it, and renders the problem it may have ended in.
///
/// The span names the route's pattern: paths are fine, but query strings carry stream codes, and
/// no header is recorded at all.
async fn envelope(State(metrics): State<Metrics>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = Uuid::now_v7().to_string();
    // Ours alone: an id from outside could be made to collide with another request's.
    let header = HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("none"));
    request.headers_mut().insert("x-request-id", header.clone());

    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    let method = name(request.method());
    let span = tracing::info_span!("request", %method, route, %id, status = tracing::field::Empty);

    let mut response = next.run(request).instrument(span.clone()).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        *response.body_mut() = problem.render(&id).into();
    }
    response.headers_mut().insert("x-request-id", header);

    let status = response.status();
    span.record("status", status.as_u16());
    let took = started.elapsed();
    span.in_scope(|| tracing::debug!(took_ms = took.as_secs_f64() * 1e3, "answered"));
    metrics.request(route, method, status.as_u16(), took);
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

#[expect(clippy::needless_pass_by_value, reason = "the signature of CatchPanicLayer")]
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("not a text"), "a handler panicked");
    Problem::internal().into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::StatusCode;
    use axum::routing::get;
    use serde_json::Value;
    use tower::ServiceExt;

    use super::super::auth::{Identified, Identify, IdentifyError};
    use super::super::body::Json;
    use super::*;

    struct Nobody;

    impl Identify for Nobody {
        fn identify<'a>(&'a self, _: &'a str) -> Identified<'a> {
            Box::pin(async { Err(IdentifyError::Refused("nobody".into())) })
        }
    }

    async fn forever() {
        tokio::time::sleep(Duration::from_hours(1)).await;
    }

    #[derive(serde::Deserialize, garde::Validate)]
    struct Said {
        #[garde(skip)]
        text: String,
    }

    async fn echo(Json(Said { text }): Json<Said>) -> String {
        text
    }

    #[expect(clippy::panic, reason = "what the layer must catch")]
    async fn panics() {
        panic!("a secret in a panic")
    }

    fn app(in_flight: usize, metrics: &Metrics) -> Router {
        let routes = Router::new()
            .route("/slow", get(forever))
            .route("/panic", get(panics))
            .route("/echo/{id}", get(|| async { "ok" }).post(echo))
            .route("/large", axum::routing::post(echo).layer(seat_list_limit()));
        let always = Router::new().route("/livez", get(|| async { "ok" }));
        let limits = Limits { in_flight, timeout: Duration::from_millis(200) };
        let identity = Identity(Arc::new(Nobody));
        around(routes, always, identity, limits, Cors::default(), metrics.clone())
    }

    async fn call(app: &Router, method: &str, path: &str, body: Body) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", "application/json").body(body).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let id = head.headers["x-request-id"].to_str().unwrap();
        if let Some(instance) = body.get("instance") {
            assert_eq!(instance, id);
            assert_eq!(head.headers["content-type"], "application/problem+json");
        }
        (head.status, body["code"].clone())
    }

    #[tokio::test]
    async fn every_refusal_is_a_problem_with_the_requests_id() {
        let metrics = Metrics::new();
        let app = app(8, &metrics);
        let large = || Body::from(format!(r#"{{"text":"{}"}}"#, "x".repeat(BODY_LIMIT)));
        for (method, path, body, status, code) in [
            ("GET", "/nothing", Body::empty(), 404, "not_found"),
            ("DELETE", "/echo/1", Body::empty(), 405, "method_not_allowed"),
            ("GET", "/panic", Body::empty(), 500, "internal_error"),
            ("GET", "/slow", Body::empty(), 503, "overloaded"),
            ("POST", "/echo/1", Body::from("{"), 400, "invalid_json"),
            ("POST", "/echo/1", large(), 413, "body_too_large"),
        ] {
            let (got, told) = call(&app, method, path, body).await;
            assert_eq!((got.as_u16(), told), (status, code.into()), "{method} {path}");
        }
        assert_eq!(call(&app, "POST", "/large", large()).await.0, StatusCode::OK);

        let text = metrics.render();
        for labels in [
            r#"{route="/echo/{id}",method="POST",status="413"} 1"#,
            r#"{route="unmatched",method="GET",status="404"} 1"#,
        ] {
            assert!(text.contains(labels), "{labels} is not in\n{text}");
        }
    }

    #[tokio::test]
    async fn more_than_fits_is_refused_at_once_and_health_is_still_answered() {
        let app = app(1, &Metrics::new());
        let busy = tokio::spawn({
            let app = app.clone();
            async move { call(&app, "GET", "/slow", Body::empty()).await }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        let started = Instant::now();
        let (status, code) = call(&app, "GET", "/echo/1", Body::empty()).await;
        assert_eq!((status.as_u16(), code), (503, "overloaded".into()));
        assert!(started.elapsed() < Duration::from_millis(100));
        assert_eq!(call(&app, "GET", "/livez", Body::empty()).await.0, StatusCode::OK);
        busy.await.unwrap();
        assert_eq!(call(&app, "GET", "/echo/1", Body::empty()).await.0, StatusCode::OK);
    }
}
