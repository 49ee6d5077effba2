//! Making sales through the administration API.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::client::Client;

/// A schedule and its seats.
pub struct Sale {
    pub concert: i64,
    pub schedule: i64,
    /// Ids in order of seat numbers.
    pub seats: Vec<i64>,
}

/// RFC 3339, so many seconds from now.
pub fn in_seconds(seconds: i64) -> String {
    let at: DateTime<Utc> = Utc::now() + TimeDelta::seconds(seconds);
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// An open sale of `rows` rows of `per_row` seats at 100 points, with `queue` settings over the
/// defaults of a test: much room, a fast line.
pub async fn open(admin: &Client, rows: u32, per_row: u32, queue: Value) -> Sale {
    make(admin, (-1, 3600), rows, per_row, queue).await
}

/// A sale that opens and closes so many seconds from now.
pub async fn make(
    admin: &Client,
    (opens, closes): (i64, i64),
    rows: u32,
    per_row: u32,
    queue: Value,
) -> Sale {
    let concert = json!({"title": "Night", "description": "One night only", "status": "AVAILABLE"});
    let concert = admin.post("/v1/admin/concerts", concert).await.ok(201);
    let concert = concert["id"].as_i64().expect("an id");
    let mut settings = json!({"capacity": 1000, "admit_per_second": 1000});
    for (name, value) in queue.as_object().expect("settings") {
        settings[name] = value.clone();
    }
    let schedule = json!({
        "reservation_available_at": in_seconds(opens), "deadline_at": in_seconds(closes),
        "concert_at": in_seconds(closes + 3600), "queue": settings,
    });
    let path = format!("/v1/admin/concerts/{concert}/schedules");
    let schedule = admin.post(&path, schedule).await.ok(201)["id"].as_i64().expect("an id");
    if rows > 0 {
        let section =
            json!({"name": "A", "rows": rows, "seats_per_row": per_row, "seat_price": 100});
        let path = format!("/v1/admin/schedules/{schedule}/seats");
        admin.post(&path, json!({"sections": [section]})).await.ok(201);
    }
    Sale { concert, schedule, seats: seat_ids(admin, schedule).await }
}

/// The ids of a schedule's seats, in order of their numbers.
pub async fn seat_ids(client: &Client, schedule: i64) -> Vec<i64> {
    let layout = client.get(&format!("/v1/schedules/{schedule}/seats/layout")).await.ok(200);
    let seats = layout["seats"].as_array().expect("seats");
    seats.iter().map(|seat| seat["id"].as_i64().expect("an id")).collect()
}
