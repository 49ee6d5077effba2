//! Validation of administration requests: each invalid field is named, and the request changes
//! nothing.

use reqwest::Method;
use serde_json::{Value, json};

use crate::http::fields::assert_invalid;
use crate::support::sale;
use crate::support::state;
use crate::support::world::World;

#[tokio::test]
async fn administration_of_concerts_and_times_is_validated() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 2, json!({})).await;
    let before = state::snapshot(&world, &[sale.schedule]).await;
    let concerts = "/v1/admin/concerts".to_owned();
    let concert = format!("/v1/admin/concerts/{}", sale.concert);
    let schedules = format!("{concert}/schedules");
    let schedule = format!("/v1/admin/schedules/{}", sale.schedule);
    let times = |queue: Value| {
        json!({"reservation_available_at": sale::in_seconds(10), "deadline_at": sale::in_seconds(20),
               "concert_at": sale::in_seconds(30), "queue": queue})
    };
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
    ] {
        assert_invalid(&admin, method, path, &body.to_string(), &[pointer]).await;
    }
    assert_eq!(state::snapshot(&world, &[sale.schedule]).await, before);
}

#[tokio::test]
async fn administration_of_queue_settings_is_validated() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 2, json!({})).await;
    let before = state::snapshot(&world, &[sale.schedule]).await;
    let path = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    for (body, pointer) in [
        (json!({"capacity": null}), "/capacity"),
        (json!({"capacity": 4_294_967_296_u64}), "/capacity"),
        (json!({"admit_per_second": 0}), "/admit_per_second"),
        (json!({"active_ttl_seconds": 0}), "/active_ttl_seconds"),
        (json!({"claim_window_seconds": 0}), "/claim_window_seconds"),
        (json!({"presence_window_seconds": 9}), "/presence_window_seconds"),
        (json!({"return_grace_seconds": -1}), "/return_grace_seconds"),
        (json!({"hold_ttl_seconds": 0}), "/hold_ttl_seconds"),
        (json!({"max_seats_per_user": 101}), "/max_seats_per_user"),
        (json!({"queue_opens_at": sale::in_seconds(60)}), "/queue_opens_at"),
        (json!({"paused": "yes"}), "/paused"),
        (json!({"message": "x".repeat(1001)}), "/message"),
        (json!({"message": "a\u{0}"}), "/message"),
        (json!({"speed": 7}), "/speed"),
    ] {
        assert_invalid(&admin, &Method::PATCH, &path, &body.to_string(), &[pointer]).await;
    }
    assert_eq!(state::snapshot(&world, &[sale.schedule]).await, before);
}

#[tokio::test]
async fn administration_of_seats_is_validated() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 2, json!({})).await;
    let before = state::snapshot(&world, &[sale.schedule]).await;
    let path = format!("/v1/admin/schedules/{}/seats", sale.schedule);
    let section = |change: Value| {
        let mut one = json!({"name": "B", "rows": 1, "seats_per_row": 1, "seat_price": 1});
        change.as_object().unwrap().iter().for_each(|(k, v)| one[k] = v.clone());
        json!({ "sections": [section_ok(), one] })
    };
    let seat =
        |number: i64| json!({"seat_number": number, "section": "B", "row": "1", "seat_price": 1});
    let (post, patch) = (Method::POST, Method::PATCH);
    for (method, body, pointer) in [
        (&post, json!({}), ""),
        (&post, json!({"sections": [section_ok()], "seats": [seat(3)]}), ""),
        (&post, json!({"sections": []}), "/sections"),
        (&post, json!({"sections": [["A", 1, 1, 5]]}), "/sections/0"),
        (&post, json!({"seats": [[3, "A", "1", 5]]}), "/seats/0"),
        (&post, section(json!({"name": ""})), "/sections/1/name"),
        (&post, section(json!({"rows": 0})), "/sections/1/rows"),
        (&post, section(json!({"seats_per_row": -1})), "/sections/1/seats_per_row"),
        (&post, section(json!({"seat_price": -1})), "/sections/1/seat_price"),
        (&post, section(json!({"seat_price": 1.5})), "/sections/1/seat_price"),
        (&post, section(json!({"seat_price": 1_000_000_001})), "/sections/1/seat_price"),
        (&post, section(json!({"rows": 1000, "seats_per_row": 101})), "/sections"),
        (&post, json!({"seats": [seat(1)]}), "/seats"),
        (&post, json!({"seats": [seat(3), seat(5)]}), "/seats/1/seat_number"),
        (&post, json!({"seats": [seat(3), seat(3)]}), "/seats/1/seat_number"),
        (&post, json!({"seats": [seat(0)]}), "/seats/0/seat_number"),
        (&patch, json!({"seat_ids": [], "blocked": true}), "/seat_ids"),
        (&patch, json!({"seat_ids": [1], "blocked": 1}), "/blocked"),
        (&patch, json!({"seat_ids": [1, "x"], "blocked": true}), "/seat_ids/1"),
    ] {
        assert_invalid(&admin, method, &path, &body.to_string(), &[pointer]).await;
    }
    assert_eq!(state::snapshot(&world, &[sale.schedule]).await, before);
}

fn section_ok() -> Value {
    json!({"name": "A", "rows": 1, "seats_per_row": 1, "seat_price": 1})
}
