//! The API's description: every operation with every code, and a page that loads nothing from other
//! hosts.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use super::calls as administration;
use crate::box_office::calls as box_office;
use crate::support::world::World;

pub const BODY: &str =
    "invalid_json unsupported_media_type unsupported_encoding body_too_large body_timeout";
pub const KEY: &str = "idempotency_key_required idempotency_key_reused request_in_progress";

/// Every operation of the contract with its refusal codes, except those that all operations have.
const CALLS: [(&str, &str, &[&str]); 39] = [
    ("post", "/v1/users", &["signup_closed", BODY]),
    ("get", "/v1/users/me", &["unauthenticated"]),
    ("post", "/v1/users/me/token", &["unauthenticated session_not_renewable"]),
    ("post", "/v1/users/me/recovery-code", &["unauthenticated session_not_renewable"]),
    ("get", "/v1/users/me/recovery-code", &["unauthenticated"]),
    ("post", "/v1/users/recover", &["recovery_code_invalid", BODY]),
    ("get", "/v1/concerts", &[]),
    ("get", "/v1/concerts/{id}", &["concert_not_found"]),
    ("get", "/v1/concerts/{id}/schedules", &["concert_not_found"]),
    ("get", "/v1/schedules/{id}", &["schedule_not_found"]),
    ("get", "/v1/schedules/{id}/seats", &["schedule_not_found"]),
    ("get", "/v1/schedules/{id}/seats/stream", &["schedule_not_found"]),
    ("get", "/v1/schedules/{id}/seats/layout", &["schedule_not_found"]),
    ("get", "/v1/schedules/{id}/seats/status", &["schedule_not_found"]),
    ("get", "/v1/schedules/{id}/seats/best", &["schedule_not_found"]),
    ("get", "/v1/schedules/{id}/queue", &["schedule_not_found"]),
    ("get", "/v1/schedules/{id}/queue/draw", &["schedule_not_found"]),
    (
        "get",
        "/v1/schedules/{id}/queue/draw/entrants",
        &["schedule_not_found draw_not_frozen entrants_removed"],
    ),
    (
        "post",
        "/v1/schedules/{id}/queue",
        &["unauthenticated schedule_not_found queue_not_open \
        schedule_closed sold_out concert_unavailable rate_limited"],
    ),
    ("get", "/v1/queue/ticket", &["ticket_invalid rate_limited"]),
    ("post", "/v1/queue/ticket/stream-code", &["ticket_invalid"]),
    ("get", "/v1/queue/ticket/stream", &["ticket_invalid rate_limited"]),
    (
        "post",
        "/v1/queue/ticket/handoff",
        &["unauthenticated forbidden ticket_invalid ticket_not_yours schedule_not_found \
        rate_limited"],
    ),
    ("post", "/v1/handoffs", &["handoff_invalid handoff_used", BODY]),
    ("delete", "/v1/queue/ticket", &["unauthenticated ticket_invalid ticket_not_yours"]),
    (
        "post",
        "/v1/schedules/{id}/reservations",
        &[
            "unauthenticated ticket_invalid ticket_not_yours \
        ticket_not_active seat_taken not_enough_seats seat_limit_exceeded hold_limit seat_not_found \
        schedule_not_found schedule_not_open schedule_closed concert_unavailable",
            KEY,
            BODY,
        ],
    ),
    ("get", "/v1/holds/{hold_id}", &["unauthenticated hold_not_found"]),
    ("delete", "/v1/holds/{hold_id}", &["unauthenticated hold_not_found already_paid"]),
    ("get", "/v1/reservations", &["unauthenticated"]),
    ("get", "/v1/reservations/{id}", &["unauthenticated reservation_not_found"]),
    (
        "post",
        "/v1/payments",
        &[
            "unauthenticated insufficient_points hold_expired already_paid \
        hold_not_found",
            KEY,
            BODY,
        ],
    ),
    ("get", "/v1/payments", &["unauthenticated"]),
    (
        "post",
        "/v1/payments/{id}/refund",
        &[
            "unauthenticated refund_closed already_refunded \
        payment_not_found",
            KEY,
        ],
    ),
    ("get", "/v1/points", &["unauthenticated"]),
    ("post", "/v1/points/charges", &["unauthenticated invalid_amount", KEY, BODY]),
    ("get", "/v1/points/history", &["unauthenticated"]),
    ("get", "/v1/events", &["forbidden event_feed_off events_expired"]),
    ("get", "/v1/admin/event-feed", &["forbidden"]),
    ("patch", "/v1/admin/event-feed", &["forbidden", BODY]),
];

/// The refusal codes of every operation.
const ALWAYS: &str = "invalid_request store_unavailable overloaded internal_error";

/// The words in backticks in the descriptions of an operation's refusals; follows references.
fn codes(api: &Value, operation: &Value) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for (status, answer) in operation["responses"].as_object().expect("responses") {
        let reference = answer["$ref"].as_str().map(|reference| &reference[1..]);
        let answer = reference.map_or(answer, |pointer| api.pointer(pointer).expect("a component"));
        if !status.starts_with(['4', '5']) {
            assert_ne!(status, "default", "every refusal has its own status");
            continue;
        }
        assert!(answer["content"]["application/problem+json"]["schema"].is_object(), "{answer}");
        let text = answer["description"].as_str().expect("a description");
        codes.extend(text.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    codes
}

#[tokio::test]
async fn every_operation_is_described_with_all_its_codes_and_is_served() {
    let world = World::new().await;
    let process = world.start().await;
    let answer = process.anonymous().get("/openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    let api = answer.ok(200);
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1."));
    for (method, path, expected) in
        CALLS.into_iter().chain(administration::CALLS).chain(box_office::CALLS)
    {
        let operation = &api["paths"][path][method];
        assert!(operation.is_object(), "{method} {path} is not described");
        let described = codes(&api, operation);
        let expected = expected.iter().copied().chain([ALWAYS]).flat_map(str::split_whitespace);
        for code in expected {
            assert!(described.contains(code), "{method} {path}: {code} is not in {described:?}");
        }
    }
    for (path, item) in api["paths"].as_object().unwrap() {
        let path =
            path.replace("{hold_id}", "0").replace("{id}", "0").replace("{schedule_id}", "0");
        let path = path.replace("{code}", "seat_taken");
        for method in item.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).unwrap();
            let request = process.anonymous().request(method.clone(), &path).json(&json!({}));
            let answer = process.anonymous().send(request).await;
            assert_ne!(answer.code(), "method_not_allowed", "{method} {path}");
            // Our routes say which kind is missing; only a path without a route gets `not_found`.
            assert!(answer.code() != "not_found" || path.contains("holds"), "{method} {path}");
        }
    }
}

/// Every operation, by id.
pub fn operations(api: &Value) -> BTreeMap<&str, &Value> {
    let items = api["paths"].as_object().expect("paths").values();
    let all: Vec<_> =
        items.flat_map(|item| item.as_object().expect("operations").values()).collect();
    let named = all.iter().map(|one| (one["operationId"].as_str().expect("an id"), *one));
    let named: BTreeMap<_, _> = named.collect();
    assert_eq!(named.len(), all.len(), "two operations have one id");
    named
}

#[tokio::test]
async fn operations_have_unique_ids_and_links_point_to_existing_operations() {
    let world = World::new().await;
    let process = world.start().await;
    let api = process.anonymous().get("/openapi.json").await.ok(200);
    let operations = operations(&api);
    let mut links = 0;
    for operation in operations.values() {
        for answer in operation["responses"].as_object().expect("responses").values() {
            for link in answer["links"].as_object().into_iter().flat_map(|them| them.values()) {
                let to = operations[link["operationId"].as_str().expect("an operation")];
                for name in link["parameters"].as_object().into_iter().flat_map(|them| them.keys())
                {
                    let takes = to["parameters"].as_array().expect("parameters");
                    assert!(takes.iter().any(|one| one["name"] == **name), "{link}");
                }
                assert!(link["requestBody"].is_null() || to["requestBody"].is_object(), "{link}");
                links += 1;
            }
        }
    }
    assert_eq!(links, 25);
}

#[tokio::test]
async fn the_api_docs_page_loads_nothing_from_another_host() {
    let world = World::new().await;
    let process = world.start().await;
    let anybody = process.anonymous();
    assert_eq!(anybody.get("/docs").await.status, 200, "also without the slash");
    let page = anybody.get("/docs/").await;
    assert!(page.header("content-type").starts_with("text/html"));
    let mut fetched = 0;
    for attribute in ["src=\"", "href=\""] {
        for rest in page.text.split(attribute).skip(1) {
            let link = rest.split('"').next().unwrap();
            assert!(!link.contains("//"), "{link}");
            if link.starts_with("data:") {
                continue;
            }
            let file = link.trim_start_matches("./").trim_start_matches("/docs/");
            let answer = anybody.get(&format!("/docs/{file}")).await;
            assert_eq!(answer.status, 200, "{link}");
            let styles = answer.header("content-type").starts_with("text/css");
            for outside in ["url(http", "url(\"http", "url(//", "@import"] {
                assert!(!styles || !answer.text.contains(outside), "{link}: {outside}");
            }
            if file.ends_with("initializer.js") {
                assert!(answer.text.contains("/openapi.json"), "{}", answer.text);
                assert!(!answer.text.contains("http://") && !answer.text.contains("https://"));
            }
            fetched += 1;
        }
    }
    assert!(fetched >= 3, "scripts and styles: {fetched}");
}
