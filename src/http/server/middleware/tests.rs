use axum::body::{Body, to_bytes};
use axum::routing::get;
use serde_json::Value;
use tower::ServiceExt;

use std::time::Duration;

use tokio::sync::Notify;

use super::*;
use crate::caller::{Caller, Identified, Identify, IdentifyError, Lifetime, Role};
use crate::config::limits::ForwardedHeader;
use crate::http::api::body::Json;
use crate::http::limit::address_limits::AddressPolicies;
use crate::http::limit::client_address::Proxies;
use crate::rate_limit::CallerKey;
use crate::store::id::UserId;
use crate::telemetry::text_format::TextFormat;

/// Identifies users by tokens that are their ids; takes 50 ms, like a store call.
struct IdentifyById;

impl Identify for IdentifyById {
    fn identify<'a>(&'a self, token: &'a str) -> Identified<'a> {
        Box::pin(async {
            let refused = |_| IdentifyError::Refused("nobody".into());
            let user = UserId(token.parse().map_err(refused)?);
            tokio::time::sleep(Duration::from_millis(50)).await;
            let lifetime = Lifetime { expires_at: chrono::Utc::now(), renew_until: None };
            Ok(Caller { user, role: Role::User, lifetime })
        })
    }

    fn recognize(&self, token: &str) -> Option<CallerKey> {
        token.parse().ok().map(CallerKey::User)
    }
}

struct PlainPage;

impl RenderErrorPage for PlainPage {
    fn render(&self, uri: &Uri, _: &HeaderMap, problem: &Problem, instance: &str) -> Response {
        let text = format!("{} {uri} {instance}", problem.code());
        (problem.status(), [(CONTENT_TYPE, "text/html")], text).into_response()
    }
}

async fn forever() {
    tokio::time::sleep(Duration::from_hours(1)).await;
}

#[derive(serde::Deserialize, garde::Validate, utoipa::ToSchema)]
struct Echo {
    #[garde(skip)]
    text: String,
}

async fn echo(Json(Echo { text }): Json<Echo>) -> String {
    text
}

#[expect(clippy::panic, reason = "what the layer must catch")]
async fn panics() {
    panic!("a secret in a panic")
}

/// A change of state in two steps, with signals for the test.
#[derive(Clone, Default)]
struct Change {
    begun: Arc<Notify>,
    second_step: Arc<Notify>,
    done: Arc<Notify>,
}

impl Change {
    async fn run(self) -> &'static str {
        self.begun.notify_one();
        self.second_step.notified().await;
        self.done.notify_one();
        "changed"
    }

    async fn ends(&self) {
        self.second_step.notify_one();
        let done = tokio::time::timeout(Duration::from_secs(20), self.done.notified()).await;
        done.expect("the change runs to its end");
    }
}

fn app(in_flight: usize, metrics: &Metrics) -> Router {
    app_with(in_flight, 0, metrics, &Change::default())
}

fn app_for_users(in_flight: usize, user_requests: u32, metrics: &Metrics) -> Router {
    app_with(in_flight, user_requests, metrics, &Change::default())
}

fn app_with(in_flight: usize, user_requests: u32, metrics: &Metrics, change: &Change) -> Router {
    let change = change.clone();
    let routes = Router::new()
        .route("/change", axum::routing::post(move || change.clone().run()))
        .route("/slow", get(forever))
        .route("/panic", get(panics))
        .route("/cached", get(|| async { (CACHE_FOR_A_DAY, "cached") }))
        .route("/broken", get(|| async { (StatusCode::BAD_GATEWAY, CACHE_FOR_A_DAY, "broken") }))
        .route("/mine", get(|_: Caller| async { "yours" }))
        .route("/echo/{id}", get(|| async { "ok" }).post(echo))
        .route("/v1/admin/large", axum::routing::post(echo).layer(seat_list_limit()));
    let always = Router::new().route("/livez", get(|| async { "ok" }));
    let limits = Limits {
        in_flight,
        timeout: Duration::from_millis(200),
        target: Duration::from_secs(1),
        user_requests,
    };
    let proxies = Proxies::new(Vec::new(), ForwardedHeader::XForwardedFor);
    let policies = AddressPolicies { requests: 0, scarce_calls: 0, scarce: &[] };
    let surroundings = RouterContext {
        error_page: Arc::new(PlainPage),
        identity: Identity(Arc::new(IdentifyById)),
        addresses: Arc::new(AddressLimits::new(proxies, policies, metrics.clone())),
        limits,
        cors: Cors::default(),
        exempt: Arc::new(|_, _, _| false),
        changes: Changes::default(),
        metrics: metrics.clone(),
    };
    outer(routes, always, surroundings)
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
        let (got_status, got_code) = call(&app, method, path, body).await;
        assert_eq!((got_status.as_u16(), got_code), (status, code.into()), "{method} {path}");
    }
    assert_eq!(call(&app, "POST", "/v1/admin/large", large()).await.0, StatusCode::OK);

    let text = metrics.render(TextFormat::Prometheus);
    for labels in [
        r#"{route="/echo/{id}",method="POST",status="413"} 1"#,
        r#"{route="unmatched",method="GET",status="404"} 1"#,
    ] {
        assert!(text.contains(labels), "{labels} is not in\n{text}");
    }
}

#[tokio::test]
async fn requests_beyond_the_limit_are_refused_at_once_and_health_is_still_answered() {
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

const CACHE_FOR_A_DAY: [(HeaderName, &str); 1] = [(CACHE_CONTROL, "public, max-age=86400")];

#[tokio::test]
async fn an_error_is_not_cached_even_if_its_handler_allows_it() {
    let app = app(8, &Metrics::new());
    for (path, expected) in [
        ("/cached", "public, max-age=86400"),
        ("/broken", "no-store"),
        ("/nothing", "no-store"),
        ("/livez", "no-store"),
    ] {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let answer = app.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.headers()[CACHE_CONTROL], expected, "{path}");
    }
}

async fn ask_as(app: &Router, user: &str) -> StatusCode {
    let request = Request::builder().uri("/mine").header("authorization", format!("Bearer {user}"));
    app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
}

#[tokio::test]
async fn a_user_beyond_the_rate_limit_takes_no_capacity_from_another_user() {
    let metrics = Metrics::new();
    // Four requests at a time, and one request per second for each user, in bursts of five.
    let app = app_for_users(4, 1, &metrics);
    while ask_as(&app, "1").await == StatusCode::OK {}
    let flood = futures_util::future::join_all((0..40).map(|_| ask_as(&app, "1")));
    let (flood, other) = tokio::join!(flood, ask_as(&app, "2"));
    assert_eq!(other, StatusCode::OK);
    assert!(!flood.contains(&StatusCode::SERVICE_UNAVAILABLE), "{flood:?}");
    assert!(flood.contains(&StatusCode::TOO_MANY_REQUESTS), "{flood:?}");
    let counted = r#"onsale_http_refused_total{reason="user"}"#;
    assert!(
        metrics.render(TextFormat::Prometheus).contains(counted),
        "{}",
        metrics.render(TextFormat::Prometheus)
    );
}

#[tokio::test]
async fn a_change_of_state_runs_on_without_its_client_and_keeps_its_slot_until_it_ends() {
    let change = Change::default();
    let app = app_with(1, 0, &Metrics::new(), &change);
    let client = tokio::spawn({
        let app = app.clone();
        async move { call(&app, "POST", "/change", Body::empty()).await }
    });
    change.begun.notified().await;
    client.abort();
    assert!(client.await.is_err_and(|error| error.is_cancelled()), "the client has disconnected");
    let (status, code) = call(&app, "GET", "/echo/1", Body::empty()).await;
    assert_eq!((status.as_u16(), code), (503, "overloaded".into()), "its slot is still taken");
    change.ends().await;
    while call(&app, "GET", "/echo/1", Body::empty()).await.0 != StatusCode::OK {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_change_of_state_runs_on_after_its_client_got_a_timeout() {
    let change = Change::default();
    let app = app_with(8, 0, &Metrics::new(), &change);
    let (status, code) = call(&app, "POST", "/change", Body::empty()).await;
    assert_eq!((status.as_u16(), code), (503, "overloaded".into()));
    change.ends().await;
}

#[tokio::test]
async fn a_browser_that_asks_for_a_page_gets_an_error_page() {
    let app = app(8, &Metrics::new());
    let ask = async |path: &str, accept: &str| {
        let request = Request::builder().uri(path).header("accept", accept).body(Body::empty());
        let (head, body) = app.clone().oneshot(request.unwrap()).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (head, String::from_utf8(body.to_vec()).unwrap())
    };
    let (head, body) = ask("/slow", "text/html,*/*;q=0.8").await;
    assert_eq!(head.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(head.headers.contains_key("retry-after"));
    assert_eq!(
        body,
        format!("overloaded /slow {}", head.headers["x-request-id"].to_str().unwrap())
    );
    for (path, accept) in [("/slow", "application/json"), ("/slow", "*/*"), ("/v1/a", "text/html")]
    {
        let (head, _) = ask(path, accept).await;
        assert_eq!(head.headers["content-type"], "application/problem+json", "{path} {accept}");
    }
}
