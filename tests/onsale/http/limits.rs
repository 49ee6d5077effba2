//! Rate limits without gaps: every path and method counts towards the limit of its address,
//! whatever the forwarding header has. Exempt requests are listed here.

use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::json;

use crate::http::hostile::{PROXY, assert_rate_limited};
use crate::support::client::{Answer, Client};
use crate::support::sale::{self, Sale};
use crate::support::wait::until;
use crate::support::world::{Process, World};

/// Requests that do not count towards the limit per address: polls with the ticket of a waiting
/// buyer.
const EXEMPT: [(&str, &str); 1] = [("GET", "/v1/queue/ticket")];

/// Requests that are not in the API's description: pages, their files, operations, unknown paths.
const OTHERS: [(&str, &str); 24] = [
    ("GET", "/"),
    ("GET", "/concerts/{id}"),
    ("GET", "/schedules/{id}/wait"),
    ("POST", "/schedules/{id}/wait"),
    ("GET", "/schedules/{id}/seats"),
    ("GET", "/holds/{hold_id}"),
    ("GET", "/continue"),
    ("GET", "/me"),
    ("GET", "/admin"),
    ("POST", "/qr"),
    ("GET", "/theme/x.css"),
    ("GET", "/onsale.js"),
    ("GET", "/assets/x/js/onsale.js"),
    ("GET", "/assets/x/nothing"),
    ("GET", "/docs/"),
    ("GET", "/openapi.json"),
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/nowhere"),
    ("POST", "/v1/nowhere"),
    ("PUT", "/v1/users"),
    ("DELETE", "/livez"),
    ("BREW", "/v1/concerts"),
];

/// Sends a request for an address behind the proxy; reads only the head of the answer.
async fn send(client: &Client, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let mut request = client.request(method, path).header("x-forwarded-for", "203.0.113.9");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.head(request).await
}

/// Sends requests until the address is refused, and checks which limit refused it.
async fn check_limit(client: &Client, method: &str, path: &str, headers: &[(&str, &str)]) {
    let what = format!("{method} {path} {headers:?} is refused");
    let refused = until(&what, async || {
        let answer = send(client, method, path, headers).await;
        (answer.status == 429).then_some(answer)
    })
    .await;
    let operations = ["/livez", "/readyz", "/metrics"].contains(&path);
    let policy = if operations { "\"operations\";q=5;w=5" } else { "\"requests\";q=5;w=5" };
    if method == "HEAD" {
        assert_eq!(refused.header("ratelimit-policy"), policy, "{what}");
    } else {
        assert_rate_limited(&refused, policy);
    }
}

/// A process with a low limit per address behind a trusted proxy, and a sale.
async fn limited(world: &World) -> (Process, Process, Sale) {
    let open = world.start().await;
    let sale = sale::open(&open.admin().await, 1, 9, json!({"capacity": 0})).await;
    let process = world.start_with(&[PROXY, "--address-requests=1"]).await;
    (open, process, sale)
}

#[tokio::test]
async fn every_request_counts_towards_the_address_limit_except_polls_of_waiting_buyers() {
    let world = World::new().await;
    let (open, process, sale) = limited(&world).await;
    let described = open.anonymous().get("/openapi.json").await.ok(200);
    let mut calls: Vec<(String, String)> = Vec::new();
    for (path, item) in described["paths"].as_object().expect("paths") {
        let methods = item.as_object().expect("operations").keys();
        calls.extend(methods.map(|method| (method.to_uppercase(), path.clone())));
        calls.extend(["HEAD", "OPTIONS", "PUT"].map(|method| (method.to_owned(), path.clone())));
    }
    assert!(calls.len() > 150, "{calls:?}");
    calls.extend(OTHERS.map(|(method, path)| (method.to_owned(), path.to_owned())));
    let hold = uuid::Uuid::now_v7().to_string();
    let anybody = process.anonymous();
    for (method, pattern) in &calls {
        let path = pattern.replace("{hold_id}", &hold);
        let path = path.replace("{id}", &sale.schedule.to_string());
        check_limit(&anybody, method, &path, &[]).await;
    }
    let preflight = [("origin", "https://shop.example"), ("access-control-request-method", "POST")];
    check_limit(&anybody, "OPTIONS", "/v1/users", &preflight).await;

    let mut waiting = open.buyer().await;
    waiting.join(sale.schedule).await.ok(201);
    let waiting = waiting.at(process.addr);
    let [(method, path)] = EXEMPT;
    until("the board shows the entry", async || {
        let poll = waiting.request(Method::GET, path).header("x-forwarded-for", "203.0.113.9");
        (waiting.send(poll).await.body["waiting"] == 1).then_some(())
    })
    .await;
    for _ in 0..20 {
        assert_eq!(send(&waiting, method, path, &[]).await.status, 200, "exempt");
    }
    check_limit(&waiting.with_ticket("forged"), method, path, &[]).await;
    check_limit(&waiting.without_ticket(), method, path, &[]).await;
    let elsewhere = [("origin", "https://elsewhere.example")];
    for _ in 0..20 {
        assert_eq!(send(&waiting, method, path, &elsewhere).await.status, 200, "exempt");
    }
    check_limit(&waiting, method, "/v1/queue/ticket?x", &[]).await;
}

#[tokio::test]
async fn seat_maps_answered_from_memory_count_towards_the_address_limit() {
    let world = World::new().await;
    let (open, process, sale) = limited(&world).await;
    let (anybody, other) = (process.anonymous(), open.anonymous());
    for rest in ["", "/status"] {
        let path = format!("/v1/schedules/{}/seats{rest}", sale.schedule);
        let seen = other.get(&path).await;
        let tag = seen.header("etag").to_owned();
        let since = format!("{path}?since={}", seen.body["version"].as_str().expect("a version"));
        check_limit(&anybody, "GET", &path, &[]).await;
        check_limit(&anybody, "GET", &path, &[("if-none-match", &tag)]).await;
        check_limit(&anybody, "GET", &since, &[]).await;
        // Only the limit of the address refuses it.
        let unlimited = anybody.request(Method::GET, &path).header("x-forwarded-for", "192.0.2.7");
        let mut served = vec![anybody.send(unlimited).await.status];
        served.push(other.get(&path).await.status);
        assert_eq!(served, [200, 200], "{path}");
    }
}

#[tokio::test]
async fn an_unreadable_forwarding_header_disables_no_limit() {
    let world = World::new().await;
    let values = [&b"\xff"[..], b"unknown", b"_hidden", b"", b"127.0.0.2", b"1.1.1.1,"];
    for flag in ["--forwarded-header=x-forwarded-for", "--forwarded-header=forwarded"] {
        let process = world.start_with(&[PROXY, "--address-requests=1", flag]).await;
        let anybody = process.anonymous();
        let mut requests = vec![anybody.request(Method::GET, "/v1/concerts")];
        for value in values {
            let forwarded = [b"for=", value].concat();
            let (name, value) = if flag.ends_with("=forwarded") {
                ("forwarded", &forwarded[..])
            } else {
                ("x-forwarded-for", value)
            };
            let value = HeaderValue::from_bytes(value).expect("a value");
            requests.push(anybody.request(Method::GET, "/v1/concerts").header(name, value));
        }
        for request in requests {
            let refused = until(&format!("{request:?} is refused"), async || {
                let answer = anybody.send(request.try_clone().expect("no stream")).await;
                (answer.status == 429).then_some(answer)
            })
            .await;
            assert_rate_limited(&refused, "\"requests\";q=5;w=5");
        }
    }
}

#[tokio::test]
async fn a_flood_behind_a_proxy_does_not_make_its_health_checks_fail() {
    let world = World::new().await;
    let (_open, process, _sale) = limited(&world).await;
    // The proxy's health checks and requests without a client address have the same address.
    let proxy = process.anonymous();
    until("the proxy's limit is used up", async || {
        (proxy.get("/nowhere").await.status == 429).then_some(())
    })
    .await;
    for path in ["/livez", "/readyz"] {
        assert_eq!(proxy.get(path).await.status, 200, "{path}");
    }
}
