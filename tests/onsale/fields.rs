//! What a request may say: each field that is wrong is named, and nothing comes of it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::sale;
use crate::support::state;
use crate::support::world::World;

async fn send(client: &Client, method: &Method, path: &str, body: &str) -> Answer {
    let request = client.keyed().request(method.clone(), path);
    client.send(request.header("content-type", "application/json").body(body.to_owned())).await
}

/// Fails unless the request is refused with exactly these pointers.
async fn wrong(client: &Client, method: &Method, path: &str, body: &str, pointers: &[&str]) {
    let answer = send(client, method, path, body).await;
    answer.refused(422, "invalid_request");
    let errors = answer.body["errors"].as_array().expect("errors");
    let mut told: Vec<&str> = errors.iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    told.sort_unstable();
    assert_eq!(told, pointers, "{method} {path} {body}: {}", answer.text);
    assert!(errors.iter().all(|error| error["detail"].as_str().is_some_and(|d| !d.is_empty())));
}

#[tokio::test]
async fn what_a_hold_asks_for_is_checked_field_by_field() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 5, json!({})).await;
    let mut buyer = process.rich_buyer().await;
    buyer.join(sale.schedule).await.ok(201);
    let path = format!("/v1/schedules/{}/reservations", sale.schedule);
    let (one, two) = (sale.seats[0], sale.seats[1]);
    let before = state::of(&world, &[sale.schedule]).await;
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
        wrong(&buyer, &Method::POST, &path, &body.to_string(), &[pointer]).await;
    }
    for number in ["9223372036854775808", "1e400", "-1e400", "1e3", "1.0", "-0", "1e-1", "\"1.0\""]
    {
        let body = format!(r#"{{"seat_ids": [{one}, {number}]}}"#);
        wrong(&buyer, &Method::POST, &path, &body, &["/seat_ids/1"]).await;
        let body = format!(r#"{{"quantity": 1, "max_price": {number}}}"#);
        wrong(&buyer, &Method::POST, &path, &body, &["/max_price"]).await;
    }
    let body = r#"{"quantity": 0, "section": ""}"#;
    wrong(&buyer, &Method::POST, &path, body, &["/quantity", "/section"]).await;
    for body in ["[]", "7", "null", "\"quantity\""] {
        wrong(&buyer, &Method::POST, &path, body, &[""]).await;
    }
    assert_eq!(state::of(&world, &[sale.schedule]).await, before);
}

#[tokio::test]
async fn a_body_that_is_not_json_or_too_large_or_of_another_type_is_refused() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 1, json!({})).await;
    let before = state::of(&world, &[sale.schedule]).await;
    for body in
        ["", "{", "nonsense", "{'name':'Kim'}", "{\"name\":\"\\ud800\"}", "{\"name\":\"Kim\"} {}"]
    {
        send(&admin, &Method::POST, "/v1/users", body).await.refused(400, "invalid_json");
        send(&admin, &Method::POST, "/v1/points/charges", body).await.refused(400, "invalid_json");
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
    wrong(&admin, &Method::POST, "/v1/users", &fits, &["/name"]).await;
    let seats = format!("/v1/admin/schedules/{}/seats", sale.schedule);
    let large = send(&admin, &Method::POST, &seats, &filler(16 * 1024 * 1024)).await;
    large.refused(413, "body_too_large");
    wrong(&admin, &Method::POST, &seats, &filler(1024 * 1024), &["/name"]).await;
    assert_eq!(state::of(&world, &[sale.schedule]).await, before);
}

#[tokio::test]
async fn what_people_say_of_themselves_and_of_points_is_checked() {
    let world = World::new().await;
    let process = world.start().await;
    let buyer = process.buyer().await;
    let before = state::of(&world, &[]).await;
    let long = "가".repeat(101);
    for (body, pointer) in [
        (json!({}), ""),
        (json!({"name": ""}), "/name"),
        (json!({"name": "   "}), "/name"),
        (json!({"name": long}), "/name"),
        (json!({"name": "a\u{0}b"}), "/name"),
        (json!({"name": 7}), "/name"),
        (json!({"name": null}), "/name"),
        (json!({"name": "Kim", "role": "admin"}), "/role"),
        (json!({"name": "Kim", "id": 1}), "/id"),
    ] {
        wrong(&buyer, &Method::POST, "/v1/users", &body.to_string(), &[pointer]).await;
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
        wrong(&buyer, &Method::POST, "/v1/points/charges", &body, &["/amount"]).await;
    }
    for (body, pointer) in [("{}", ""), (r#"{"amount": 5, "user_id": 1}"#, "/user_id")] {
        wrong(&buyer, &Method::POST, "/v1/points/charges", body, &[pointer]).await;
    }
    for (body, pointer) in [
        (json!({"hold_id": 7}), "/hold_id"),
        (json!({"hold_id": "7"}), "/hold_id"),
        (json!({"hold_id": null}), "/hold_id"),
        (json!({"hold_id": uuid::Uuid::nil(), "amount": 0}), "/amount"),
    ] {
        wrong(&buyer, &Method::POST, "/v1/payments", &body.to_string(), &[pointer]).await;
    }
    for key in ["", "a b", "a\tb", &"k".repeat(256)] {
        let answer = buyer.with_key(key).post("/v1/points/charges", json!({"amount": 5})).await;
        answer.refused(422, "invalid_request");
        assert_eq!(answer.body["errors"][0]["pointer"], "/Idempotency-Key");
    }
    assert_eq!(state::of(&world, &[]).await, before);
}

#[tokio::test]
async fn what_is_asked_of_lists_and_paths_is_checked() {
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
            wrong(&admin, &Method::GET, &format!("{path}?{query}"), "", &[pointer]).await;
        }
        admin.get(&format!("{path}?limit=1")).await.ok(200);
        admin.get(&format!("{path}?limit=200")).await.ok(200);
    }
    for path in
        ["/v1/concerts?status=available", "/v1/concerts?status=", "/v1/reservations?status=PAID"]
    {
        wrong(&admin, &Method::GET, path, "", &["/status"]).await;
    }
    for path in [
        "/",
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
        "/v1/../v1/users",
        "/v1/concerts/%ff",
    ] {
        admin.get(path).await.refused(404, "not_found");
    }
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
        assert!(answer.header("allow").contains(if path == "/v1/users" { "POST" } else { "" }));
    }
}

#[tokio::test]
async fn what_an_administrator_makes_is_checked_field_by_field() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 2, json!({})).await;
    let before = state::of(&world, &[sale.schedule]).await;
    let concerts = "/v1/admin/concerts".to_owned();
    let concert = format!("/v1/admin/concerts/{}", sale.concert);
    let schedules = format!("{concert}/schedules");
    let schedule = format!("/v1/admin/schedules/{}", sale.schedule);
    let (seats, queue) = (format!("{schedule}/seats"), format!("{schedule}/queue"));
    let times = |queue: Value| {
        json!({"reservation_available_at": sale::in_seconds(10), "deadline_at": sale::in_seconds(20),
               "concert_at": sale::in_seconds(30), "queue": queue})
    };
    let section = |change: Value| {
        let mut one = json!({"name": "B", "rows": 1, "seats_per_row": 1, "seat_price": 1});
        change.as_object().unwrap().iter().for_each(|(k, v)| one[k] = v.clone());
        json!({ "sections": [section_ok(), one] })
    };
    let seat =
        |number: i64| json!({"seat_number": number, "section": "B", "row": "1", "seat_price": 1});
    let (post, patch) = (Method::POST, Method::PATCH);
    for (method, path, body, pointer) in [
        (&post, &concerts, json!({"title": ""}), "/title"),
        (&post, &concerts, json!({"title": "x".repeat(201)}), "/title"),
        (&post, &concerts, json!({"title": "a\u{0}"}), "/title"),
        (&post, &concerts, json!({"title": 7}), "/title"),
        (
            &post,
            &concerts,
            json!({"title": "x", "description": "x".repeat(10_001)}),
            "/description",
        ),
        (&post, &concerts, json!({"title": "x", "status": "SOON"}), "/status"),
        (&post, &concerts, json!({"title": "x", "id": 7}), "/id"),
        (&patch, &concert, json!({"title": null}), "/title"),
        (&patch, &concert, json!({"status": "available"}), "/status"),
        (&post, &schedules, times(json!({"capacity": -1})), "/queue/capacity"),
        (&post, &schedules, times(json!({"capacity": 1_000_001})), "/queue/capacity"),
        (&post, &schedules, times(json!({"entry_order": "LIFO"})), "/queue/entry_order"),
        (&post, &schedules, times(json!([])), "/queue"),
        (&patch, &schedule, json!({"deadline_at": "tomorrow"}), "/deadline_at"),
        (&patch, &schedule, json!({"deadline_at": "2026-11-22T11:00:00"}), "/deadline_at"),
        (&patch, &schedule, json!({"deadline_at": null}), "/deadline_at"),
        (&patch, &schedule, json!({"concert_at": "9999-01-01T00:00:00Z"}), "/concert_at"),
        (&patch, &queue, json!({"capacity": null}), "/capacity"),
        (&patch, &queue, json!({"capacity": 4_294_967_296_u64}), "/capacity"),
        (&patch, &queue, json!({"admit_per_second": 0}), "/admit_per_second"),
        (&patch, &queue, json!({"active_ttl_seconds": 0}), "/active_ttl_seconds"),
        (&patch, &queue, json!({"claim_window_seconds": 0}), "/claim_window_seconds"),
        (&patch, &queue, json!({"presence_window_seconds": 9}), "/presence_window_seconds"),
        (&patch, &queue, json!({"return_grace_seconds": -1}), "/return_grace_seconds"),
        (&patch, &queue, json!({"hold_ttl_seconds": 0}), "/hold_ttl_seconds"),
        (&patch, &queue, json!({"max_seats_per_user": 101}), "/max_seats_per_user"),
        (&patch, &queue, json!({"queue_opens_at": sale::in_seconds(60)}), "/queue_opens_at"),
        (&patch, &queue, json!({"paused": "yes"}), "/paused"),
        (&patch, &queue, json!({"message": "x".repeat(1001)}), "/message"),
        (&patch, &queue, json!({"message": "a\u{0}"}), "/message"),
        (&patch, &queue, json!({"speed": 7}), "/speed"),
        (&post, &seats, json!({}), ""),
        (&post, &seats, json!({"sections": [section_ok()], "seats": [seat(3)]}), ""),
        (&post, &seats, json!({"sections": []}), "/sections"),
        (&post, &seats, section(json!({"name": ""})), "/sections/1/name"),
        (&post, &seats, section(json!({"rows": 0})), "/sections/1/rows"),
        (&post, &seats, section(json!({"seats_per_row": -1})), "/sections/1/seats_per_row"),
        (&post, &seats, section(json!({"seat_price": -1})), "/sections/1/seat_price"),
        (&post, &seats, section(json!({"seat_price": 1.5})), "/sections/1/seat_price"),
        (&post, &seats, section(json!({"seat_price": 1_000_000_001})), "/sections/1/seat_price"),
        (&post, &seats, section(json!({"rows": 1000, "seats_per_row": 101})), "/sections"),
        (&post, &seats, json!({"seats": [seat(1)]}), "/seats"),
        (&post, &seats, json!({"seats": [seat(3), seat(5)]}), "/seats/1/seat_number"),
        (&post, &seats, json!({"seats": [seat(3), seat(3)]}), "/seats/1/seat_number"),
        (&post, &seats, json!({"seats": [seat(0)]}), "/seats/0/seat_number"),
        (&patch, &seats, json!({"seat_ids": [], "blocked": true}), "/seat_ids"),
        (&patch, &seats, json!({"seat_ids": [1], "blocked": 1}), "/blocked"),
        (&patch, &seats, json!({"seat_ids": [1, "x"], "blocked": true}), "/seat_ids/1"),
    ] {
        wrong(&admin, method, path, &body.to_string(), &[pointer]).await;
    }
    assert_eq!(state::of(&world, &[sale.schedule]).await, before);
}

fn section_ok() -> Value {
    json!({"name": "A", "rows": 1, "seats_per_row": 1, "seat_price": 1})
}
