//! What an operator watches during a sale: who is next, why nobody is admitted, and the stores.

use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::sale::{self, Sale};
use crate::support::shape;
use crate::support::wait::until;
use crate::support::world::World;

const HEALTH: &str = "well:bool stores:list loops:list outbox_waiting:int outbox_parked:int \
     connections:int connections_idle:int drill_allowed:bool version:text server_time:time";

/// Loops that every process runs.
const LOOPS: [&str; 13] = [
    "admission",
    "alerts",
    "archive",
    "auto admission",
    "expiry",
    "generations",
    "history",
    "history rollup",
    "presence",
    "purge",
    "readiness",
    "rejections",
    "relay",
];

async fn next(admin: &Client, sale: &Sale) -> Value {
    let next = admin.get(&format!("/v1/admin/schedules/{}/next", sale.schedule)).await.ok(200);
    let shape = "blocked_by:text? still:text? until:time? room:int next:list server_time:time";
    shape::check(&next, shape);
    next
}

#[tokio::test]
async fn an_operator_sees_who_is_next_and_why_nobody_is_admitted() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 9, json!({"capacity": 1})).await;
    let buyer = active_buyer(&process, &sale).await;
    let (mut one, mut two) = (process.buyer().await, process.buyer().await);
    one.join(sale.schedule).await.ok(201);
    two.join(sale.schedule).await.ok(201);
    let view = next(&admin, &sale).await;
    assert_eq!((&view["blocked_by"], &view["room"]), (&json!("FULL"), &json!(0)));
    assert_eq!(view["still"], view["blocked_by"], "the former name");
    assert!(view["until"].is_string(), "when the slot ends: {view}");
    let entries = view["next"].as_array().expect("entries");
    for one in entries {
        shape::check(one, "sequence:int user:int here:bool back:bool");
    }
    let users: Vec<&Value> = entries.iter().map(|one| &one["user"]).collect();
    assert_eq!(users, [&json!(one.user), &json!(two.user)]);
    assert!(entries.iter().all(|one| one["here"] == true && one["back"] == false));

    let line = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    admin.patch(&line, json!({"paused": true})).await.ok(200);
    let view = next(&admin, &sale).await;
    assert_eq!((&view["blocked_by"], &view["until"]), (&json!("PAUSED"), &Value::Null));
    assert!(buyer.ticket.is_some());
    let unknown = "/v1/admin/schedules/999999/next";
    admin.get(unknown).await.refused(404, "schedule_not_found");
}

#[tokio::test]
async fn the_front_of_a_sale_that_was_over_when_it_was_made_is_closed_and_empty() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let concert = admin.post("/v1/admin/concerts", json!({"title": "Past"})).await.ok(201);
    let path = format!("/v1/admin/concerts/{}/schedules", concert["id"]);
    let times = json!({"reservation_available_at": sale::in_seconds(-9000),
        "deadline_at": sale::in_seconds(-8000), "concert_at": sale::in_seconds(60)});
    let schedule = admin.post(&path, times).await.ok(201)["id"].as_i64().expect("an id");
    let path = format!("/v1/admin/schedules/{schedule}/next");
    let view = admin.get(&path).await.ok(200);
    assert_eq!((&view["blocked_by"], &view["until"]), (&json!("CLOSED"), &Value::Null));
    assert_eq!((&view["room"], &view["next"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn health_shows_which_store_is_down_and_that_the_loops_run() {
    let mut world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let health = async || {
        let health = admin.get("/v1/admin/health").await.ok(200);
        shape::check(&health, HEALTH);
        health
    };
    let well = until("every loop has run", async || {
        let health = health().await;
        let names: Vec<&str> =
            health["loops"].as_array()?.iter().filter_map(|one| one["name"].as_str()).collect();
        (health["well"] == true && LOOPS.iter().all(|name| names.contains(name))).then_some(health)
    })
    .await;
    for one in well["loops"].as_array().expect("loops") {
        shape::check(
            one,
            "name:text every_ms:int last_run_at:time took_ms:number failed:bool late:bool",
        );
    }
    let up = |health: &Value| {
        let stores = health["stores"].as_array().expect("stores").clone();
        for one in &stores {
            shape::check(one, "store:text up:bool answer_ms:number?");
        }
        ["redis", "postgresql"]
            .map(|name| stores.iter().find(|one| one["store"] == name).expect("it")["up"] == true)
    };
    assert_eq!(up(&well), [true, true]);
    world.redis.kill().await.expect("it dies");
    let down = health().await;
    assert_eq!((up(&down), &down["well"]), ([false, true], &json!(false)));
    world.redis.restart().await.expect("it lives");
    until("Redis is up again", async || up(&health().await)[0].then_some(())).await;

    let lost = world.start_with(&["--database-url=postgres://nobody@127.0.0.1:1/none"]).await;
    let down = admin.at(lost.addr).get("/v1/admin/health").await.ok(200);
    assert_eq!(up(&down), [true, false], "it answers while PostgreSQL is down");
}

#[tokio::test]
async fn statistics_show_settings_in_force_answer_times_and_their_age() {
    let mut world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 9, json!({})).await;
    active_buyer(&process, &sale).await;
    let path = format!("/v1/admin/schedules/{}/stats", sale.schedule);
    let line = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    let change = json!({"capacity": 7, "admit_per_second": 3, "paused": true, "message": "soon"});
    let in_force = sale::merged(json!({"admission_mode": "FIXED"}), &change);
    admin.patch(&line, change).await.ok(200);
    let stats = until("the change is in force", async || {
        let stats = admin.get(&path).await.ok(200);
        (stats["in_force"] == in_force).then_some(stats)
    })
    .await;
    assert_eq!(stats["phase"], "PAUSED");
    assert_eq!(stats["seats"]["total"], 9);
    let stats = until("answers were counted", async || {
        let stats = admin.get(&path).await.ok(200);
        stats["answers"][5]["per_second"].is_number().then_some(stats)
    })
    .await;
    let answers = stats["answers"].as_array().expect("answers");
    let calls: Vec<&Value> = answers.iter().map(|one| &one["call"]).collect();
    assert_eq!(calls, ["join", "poll", "seats", "hold", "pay", "other"]);
    for one in answers {
        shape::check(
            one,
            "call:text per_second:number? p99_ms:number? errors_per_second:number? \
             limited_per_second:number?",
        );
    }
    assert!(answers[5]["p99_ms"].as_f64().is_some_and(|ms| ms > 0.0), "{stats}");

    world.redis.kill().await.expect("it dies");
    let as_of = async || admin.get(&path).await.ok(200)["line_as_of"].clone();
    until("the age of the queue's figures stops", async || {
        let before = as_of().await;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        (before == as_of().await).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_audit_can_be_filtered_by_action_subject_and_administrator() {
    let world = World::new().await;
    let process = world.start().await;
    let (admin, other) = (process.admin().await, process.admin().await);
    let sale = sale::open(&admin, 1, 2, json!({})).await;
    let line = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    other.patch(&line, json!({"capacity": 5})).await.ok(200);
    let asked = async |query: &str| {
        let page = admin.get(&format!("/v1/admin/audit?{query}")).await.ok(200);
        let items = page["items"].as_array().expect("items").clone();
        items.iter().map(|one| one["action"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let subject = format!("schedule%20{}", sale.schedule);
    assert_eq!(asked("action=concert.create").await, ["concert.create"]);
    assert_eq!(
        asked(&format!("subject={subject}")).await,
        ["queue.change", "seats.add", "schedule.create"]
    );
    assert_eq!(asked(&format!("admin={}", other.user)).await, ["queue.change"]);
    assert_eq!(
        asked(&format!("admin={}&subject={subject}&limit=1", admin.user)).await,
        ["seats.add"]
    );
    assert_eq!(asked("action=nothing").await, [""; 0]);
    let long = format!("/v1/admin/audit?action={}", "x".repeat(101));
    admin.get(&long).await.refused(422, "invalid_request");
    admin.get("/v1/admin/audit?subject=%00").await.refused(422, "invalid_request");
    admin.get("/v1/admin/audit?admin=x").await.refused(422, "invalid_request");
}

#[tokio::test]
async fn administrators_can_list_the_blocked_seats() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 4, json!({})).await;
    let buyer = active_buyer(&process, &sale).await;
    let hold = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    buyer.pay(&hold).await.ok(201);
    let seats = format!("/v1/admin/schedules/{}/seats", sale.schedule);
    let asked = async || admin.get(&format!("{seats}/blocked")).await.ok(200);
    assert_eq!(asked().await, json!({"seat_ids": []}));
    let block = |blocked| json!({"seat_ids": &sale.seats[2..], "blocked": blocked});
    admin.patch(&seats, block(true)).await.ok(200);
    assert_eq!(asked().await, json!({"seat_ids": &sale.seats[2..]}));
    admin.patch(&seats, block(false)).await.ok(200);
    assert_eq!(asked().await, json!({"seat_ids": []}));
    let unknown = "/v1/admin/schedules/999999/seats/blocked";
    admin.get(unknown).await.refused(404, "schedule_not_found");
}
