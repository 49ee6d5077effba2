//! Validation of requests: each invalid field is named, and the request changes nothing.

use reqwest::Method;
use serde_json::json;

use crate::support::client::{Answer, Client};
use crate::support::sale;
use crate::support::state;
use crate::support::world::World;

async fn send(client: &Client, method: &Method, path: &str, body: &str) -> Answer {
    let request = client.keyed().request(method.clone(), path);
    client.send(request.header("content-type", "application/json").body(body.to_owned())).await
}

/// Fails unless the request is refused with exactly these pointers.
pub async fn assert_invalid(
    client: &Client,
    method: &Method,
    path: &str,
    body: &str,
    pointers: &[&str],
) {
    let answer = send(client, method, path, body).await;
    answer.refused(422, "invalid_request");
    let errors = answer.body["errors"].as_array().expect("errors");
    let mut listed: Vec<&str> = errors.iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    listed.sort_unstable();
    assert_eq!(listed, pointers, "{method} {path} {body}: {}", answer.text);
    assert!(errors.iter().all(|error| error["detail"].as_str().is_some_and(|d| !d.is_empty())));
}

#[tokio::test]
async fn every_field_of_a_hold_request_is_validated() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 5, json!({})).await;
    let mut buyer = process.rich_buyer().await;
    buyer.join(sale.schedule).await.ok(201);
    let path = format!("/v1/schedules/{}/reservations", sale.schedule);
    let (one, two) = (sale.seats[0], sale.seats[1]);
    let before = state::snapshot(&world, &[sale.schedule]).await;
    let too_many: Vec<i64> = (1..=101).collect();
    for (body, pointer) in [
        (json!({}), "/seat_ids"),
        (json!({"seat_ids": []}), "/seat_ids"),
        (json!({"seat_ids": [one, two, one]}), "/seat_ids"),
        (json!({"seat_ids": too_many}), "/seat_ids"),
        (json!({"seat_ids": "all"}), "/seat_ids"),
        (json!({"seat_ids": [one, "2"]}), "/seat_ids/1"),
        (json!({"seat_ids": [one, 1.5]}), "/seat_ids/1"),
        (json!({"seat_ids": [one, null]}), "/seat_ids/1"),
        (json!({"seat_ids": [one], "quantity": 1}), "/quantity"),
        (json!({"seat_ids": [one], "section": "A"}), "/section"),
        (json!({"seat_ids": [one], "max_price": 5}), "/max_price"),
        (json!({"seat_ids": [one], "colour": "red"}), "/colour"),
        (json!({"quantity": 0}), "/quantity"),
        (json!({"quantity": -1}), "/quantity"),
        (json!({"quantity": 101}), "/quantity"),
        (json!({"quantity": "2"}), "/quantity"),
        (json!({"quantity": true}), "/quantity"),
        (json!({"quantity": 1, "section": ""}), "/section"),
        (json!({"quantity": 1, "section": 7}), "/section"),
        (json!({"quantity": 1, "max_price": -1}), "/max_price"),
        (json!({"quantity": 1, "max_price": "10"}), "/max_price"),
    ] {
        assert_invalid(&buyer, &Method::POST, &path, &body.to_string(), &[pointer]).await;
    }
    for number in ["9223372036854775808", "1e400", "-1e400", "1e3", "1.0", "-0", "1e-1", "\"1.0\""]
    {
        let body = format!(r#"{{"seat_ids": [{one}, {number}]}}"#);
        assert_invalid(&buyer, &Method::POST, &path, &body, &["/seat_ids/1"]).await;
        let body = format!(r#"{{"quantity": 1, "max_price": {number}}}"#);
        assert_invalid(&buyer, &Method::POST, &path, &body, &["/max_price"]).await;
    }
    let body = r#"{"quantity": 0, "section": ""}"#;
    assert_invalid(&buyer, &Method::POST, &path, body, &["/quantity", "/section"]).await;
    let by_place = format!("[[{one}], null, null, null]");
    for body in ["[]", by_place.as_str(), "7", "null", "\"quantity\""] {
        assert_invalid(&buyer, &Method::POST, &path, body, &[""]).await;
    }
    assert_eq!(state::snapshot(&world, &[sale.schedule]).await, before);
}

#[tokio::test]
async fn a_body_that_is_not_json_or_too_large_or_of_another_type_is_refused() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 1, json!({})).await;
    let before = state::snapshot(&world, &[sale.schedule]).await;
    for body in
        ["", "{", "nonsense", "{'name':'Kim'}", "{\"name\":\"\\ud800\"}", "{\"name\":\"Kim\"} {}"]
    {
        send(&admin, &Method::POST, "/v1/users", body).await.refused(400, "invalid_json");
    }
    let bytes = admin.request(Method::POST, "/v1/users").header("content-type", "application/json");
    admin.send(bytes.body(b"{\"name\":\"\xff\"}".to_vec())).await.refused(400, "invalid_json");

    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json", ""] {
        let request = admin.request(Method::POST, "/v1/users").header("content-type", kind);
        let answer = admin.send(request.body(r#"{"name":"Kim"}"#)).await;
        answer.refused(415, "unsupported_media_type");
    }
    let request = admin.request(Method::POST, "/v1/users").body(r#"{"name":"Kim"}"#);
    admin.send(request).await.refused(415, "unsupported_media_type");

    let filler = |size: usize| format!(r#"{{"name":"{}"}}"#, "x".repeat(size));
    send(&admin, &Method::POST, "/v1/users", &filler(64 * 1024))
        .await
        .refused(413, "body_too_large");
    let fits = filler(64 * 1024 - 11);
    assert_eq!(fits.len(), 64 * 1024);
    assert_invalid(&admin, &Method::POST, "/v1/users", &fits, &["/name"]).await;
    let seats = format!("/v1/admin/schedules/{}/seats", sale.schedule);
    let large = send(&admin, &Method::POST, &seats, &filler(16 * 1024 * 1024)).await;
    large.refused(413, "body_too_large");
    assert_invalid(&admin, &Method::POST, &seats, &filler(1024 * 1024), &["/name"]).await;
    assert_eq!(state::snapshot(&world, &[sale.schedule]).await, before);
}

#[tokio::test]
async fn sign_ups_charges_and_payments_are_validated() {
    let world = World::new().await;
    let process = world.start().await;
    let buyer = process.buyer().await;
    let before = state::snapshot(&world, &[]).await;
    let long = "가".repeat(101);
    for (body, pointer) in [
        (json!({}), ""),
        (json!({"name": ""}), "/name"),
        (json!({"name": "   "}), "/name"),
        (json!({"name": long}), "/name"),
        (json!({"name": "a\u{0}b"}), "/name"),
        (json!({"name": "\u{200b}\u{202e}\u{301}\u{3164}"}), "/name"),
        (json!({"name": 7}), "/name"),
        (json!({"name": null}), "/name"),
        (json!({"name": "Kim", "role": "admin"}), "/role"),
        (json!({"name": "Kim", "id": 1}), "/id"),
    ] {
        assert_invalid(&buyer, &Method::POST, "/v1/users", &body.to_string(), &[pointer]).await;
    }
    for amount in ["0", "-1", "10000001", "9223372036854775807", "-9223372036854775808"] {
        let body = format!(r#"{{"amount": {amount}}}"#);
        let answer = send(&buyer, &Method::POST, "/v1/points/charges", &body).await;
        answer.refused(422, "invalid_amount");
    }
    for amount in
        ["9223372036854775808", "1e400", "1.0", "1e2", "-0", "\"5\"", "null", "[]", "true"]
    {
        let body = format!(r#"{{"amount": {amount}}}"#);
        assert_invalid(&buyer, &Method::POST, "/v1/points/charges", &body, &["/amount"]).await;
    }
    for (body, pointer) in [("{}", ""), (r#"{"amount": 5, "user_id": 1}"#, "/user_id")] {
        assert_invalid(&buyer, &Method::POST, "/v1/points/charges", body, &[pointer]).await;
    }
    for (body, pointer) in [
        (json!({"hold_id": 7}), "/hold_id"),
        (json!({"hold_id": "7"}), "/hold_id"),
        (json!({"hold_id": null}), "/hold_id"),
        (json!({"hold_id": uuid::Uuid::nil(), "amount": 0}), "/amount"),
    ] {
        assert_invalid(&buyer, &Method::POST, "/v1/payments", &body.to_string(), &[pointer]).await;
    }
    for key in ["", "a b", "a\tb", &"k".repeat(256)] {
        let answer = buyer.with_key(key).post("/v1/points/charges", json!({"amount": 5})).await;
        answer.refused(422, "invalid_request");
        assert_eq!(answer.body["errors"][0]["pointer"], "/Idempotency-Key");
    }
    assert_eq!(state::snapshot(&world, &[]).await, before);
}

#[tokio::test]
async fn list_queries_are_validated() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let lists = [
        "/v1/concerts",
        "/v1/reservations",
        "/v1/payments",
        "/v1/points/history",
        "/v1/admin/audit",
    ];
    for path in lists {
        for (query, pointer) in [
            ("limit=0", "/limit"),
            ("limit=201", "/limit"),
            ("limit=-1", "/limit"),
            ("limit=x", "/limit"),
            ("limit=", "/limit"),
            ("limit=99999999999999999999", "/limit"),
            ("cursor=", "/cursor"),
            ("cursor=7", "/cursor"),
            ("cursor=%00", "/cursor"),
            ("cursor=AAAAAAAAAAAAAAAAAAAAAAAA", "/cursor"),
        ] {
            assert_invalid(&admin, &Method::GET, &format!("{path}?{query}"), "", &[pointer]).await;
        }
        admin.get(&format!("{path}?limit=1")).await.ok(200);
        admin.get(&format!("{path}?limit=200")).await.ok(200);
    }
    for path in
        ["/v1/concerts?status=available", "/v1/concerts?status=", "/v1/reservations?status=PAID"]
    {
        assert_invalid(&admin, &Method::GET, path, "", &["/status"]).await;
    }
}

#[tokio::test]
async fn unknown_paths_get_404_and_other_methods_get_405() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    for path in [
        "/v1",
        "/v2/concerts",
        "/v1/concerts/",
        "/v1/concerts/x",
        "/v1/concerts/1.0",
        "/v1/concerts/9223372036854775808",
        "/v1/concerts/%00",
        "/v1/holds/7",
        "/v1/reservations/x",
        "/v1/schedules/x/seats",
        "/v1/schedules/x/queue",
        "/.env",
        "/v1/concerts/%ff",
    ] {
        admin.get(path).await.refused(404, "not_found");
    }
    for (method, path) in [
        ("DELETE", "/v1/users"),
        ("PUT", "/v1/concerts"),
        ("POST", "/v1/concerts/1"),
        ("PATCH", "/v1/points"),
        ("POST", "/v1/queue/ticket"),
        ("GET", "/v1/points/charges"),
        ("BREW", "/v1/concerts"),
        ("TRACE", "/v1/concerts"),
        ("POST", "/livez"),
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = admin.send(admin.request(method, path)).await;
        answer.refused(405, "method_not_allowed");
        assert_ne!(answer.header("allow"), "", "{path}");
    }
}

#[tokio::test]
async fn an_unknown_id_gets_the_not_found_code_of_its_kind() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    for id in ["0", "-1", "9223372036854775807", "-9223372036854775808", "999999"] {
        let schedule = |rest: &str| format!("/v1/schedules/{id}{rest}");
        admin.get(&format!("/v1/concerts/{id}")).await.refused(404, "concert_not_found");
        let path = format!("/v1/concerts/{id}/schedules");
        admin.get(&path).await.refused(404, "concert_not_found");
        for rest in ["", "/seats", "/seats/layout", "/seats/status", "/queue", "/queue/draw"] {
            admin.get(&schedule(rest)).await.refused(404, "schedule_not_found");
        }
        let path = format!("/v1/reservations/{id}");
        admin.get(&path).await.refused(404, "reservation_not_found");
    }
    let hold = format!("/v1/holds/{}", uuid::Uuid::now_v7());
    admin.get(&hold).await.refused(404, "hold_not_found");
    admin.delete(&hold).await.refused(404, "hold_not_found");
}
