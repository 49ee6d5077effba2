//! Creating sales through the administration API.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::client::Client;
use super::world::World;

/// A schedule and its seats.
pub struct Sale {
    pub concert: i64,
    pub schedule: i64,
    /// Seat ids, by seat number.
    pub seats: Vec<i64>,
}

/// The time `seconds` from now, in RFC 3339.
pub fn in_seconds(seconds: i64) -> String {
    let at: DateTime<Utc> = Utc::now() + TimeDelta::seconds(seconds);
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// `expires_at` of an answer: the end of a hold or of an access token.
pub fn expires_at(answer: &Value) -> DateTime<Utc> {
    answer["expires_at"].as_str().expect("a time").parse().expect("a time")
}

/// `base` with the members of `over` in it, which replace those of the same name.
pub fn merged(mut base: Value, over: &Value) -> Value {
    for (name, value) in over.as_object().expect("an object") {
        base[name] = value.clone();
    }
    base
}

/// An open sale of `rows` rows of `per_row` seats at 100 points. `queue` overrides the queue
/// settings of tests: a capacity of 1000, and 1000 admissions per second.
pub async fn open(admin: &Client, rows: u32, per_row: u32, queue: Value) -> Sale {
    create(admin, (-1, 3600), rows, per_row, queue).await
}

/// As [`open`], for a sale that opens and closes at these numbers of seconds from now.
pub async fn create(
    admin: &Client,
    (opens, closes): (i64, i64),
    rows: u32,
    per_row: u32,
    queue: Value,
) -> Sale {
    let concert = json!({"title": "Night", "description": "One night only", "status": "AVAILABLE"});
    let concert = admin.post_with_retries("/v1/admin/concerts", concert).await.ok(201);
    let concert = concert["id"].as_i64().expect("an id");
    let settings = merged(json!({"capacity": 1000, "admit_per_second": 1000}), &queue);
    let schedule = json!({
        "reservation_available_at": in_seconds(opens), "deadline_at": in_seconds(closes),
        "concert_at": in_seconds(closes + 3600), "queue": settings,
    });
    let path = format!("/v1/admin/concerts/{concert}/schedules");
    let schedule = admin.post_with_retries(&path, schedule).await.ok(201);
    let schedule = schedule["id"].as_i64().expect("an id");
    if rows > 0 {
        let section =
            json!({"name": "A", "rows": rows, "seats_per_row": per_row, "seat_price": 100});
        let path = format!("/v1/admin/schedules/{schedule}/seats");
        admin.post_with_retries(&path, json!({"sections": [section]})).await.ok(201);
    }
    Sale { concert, schedule, seats: seat_ids(admin, schedule).await }
}

/// The ids of a schedule's seats, by seat number.
pub async fn seat_ids(client: &Client, schedule: i64) -> Vec<i64> {
    let layout = client.get(&format!("/v1/schedules/{schedule}/seats/layout")).await.ok(200);
    let seats = layout["seats"].as_array().expect("seats");
    seats.iter().map(|seat| seat["id"].as_i64().expect("an id")).collect()
}

/// Sets the presence window of all schedules to 1 s. The API and SQL allow no less than 10 s, which
/// would make tests slow.
pub async fn shorten_presence_window(world: &World) {
    let check = "concert_schedule_presence_window_seconds_check";
    for statement in [
        format!("alter table concert_schedule drop constraint if exists {check}"),
        "update concert_schedule set presence_window_seconds = 1".to_owned(),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&world.pool).await.expect("a window");
    }
}

/// Sales that nobody can join, each for another reason.
pub struct Unjoinable {
    /// Its queue has not opened.
    pub early: Sale,
    /// Its deadline has passed.
    pub over: Sale,
    /// All its seats are blocked.
    pub sold_out: Sale,
    /// Its concert is withdrawn.
    pub withdrawn: Sale,
}

/// Creates a sale for each reason not to join.
pub async fn unjoinable(admin: &Client) -> Unjoinable {
    let early = create(admin, (7200, 10_800), 1, 2, json!({})).await;
    let over = create(admin, (-60, -30), 1, 2, json!({})).await;
    let sold_out = open(admin, 1, 2, json!({})).await;
    let withdrawn = open(admin, 1, 2, json!({})).await;
    let path = format!("/v1/admin/schedules/{}/seats", sold_out.schedule);
    admin.patch(&path, json!({"seat_ids": sold_out.seats, "blocked": true})).await.ok(200);
    let path = format!("/v1/admin/concerts/{}", withdrawn.concert);
    admin.patch(&path, json!({"status": "UNAVAILABLE"})).await.ok(200);
    Unjoinable { early, over, sold_out, withdrawn }
}
