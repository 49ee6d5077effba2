//! The streams of the seat map and of the statistics.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::events::{Event, Events};
use crate::support::proxy::{Mode, Proxy};
use crate::support::sale::{self, Sale};
use crate::support::shape;
use crate::support::wait::until;
use crate::support::world::{Process, World};

/// A map as a client keeps it: the status of each seat.
type Map = BTreeMap<i64, String>;

fn put(map: &mut Map, seats: &Value) {
    for seat in seats.as_array().expect("seats") {
        let status = seat["status"].as_str().expect("a status").to_owned();
        map.insert(seat["id"].as_i64().expect("an id"), status);
    }
}

/// Fetches the whole map and its version.
async fn fetch_map(client: &Client, schedule: i64) -> (String, Map) {
    let answer = client.get(&format!("/v1/schedules/{schedule}/seats")).await.ok(200);
    let mut map = Map::new();
    put(&mut map, &answer["seats"]);
    (answer["version"].as_str().expect("a version").to_owned(), map)
}

fn stream(sale: &Sale, since: &str) -> String {
    format!("/v1/schedules/{}/seats/stream?since={since}", sale.schedule)
}

fn stats_stream(sale: &Sale) -> String {
    format!("/v1/admin/schedules/{}/stats/stream", sale.schedule)
}

/// Opens the stream of a sale's statistics.
pub async fn console(process: &Process, admin: &Client, sale: &Sale) -> Events {
    let bearer = format!("Bearer {}", admin.token.as_deref().expect("a token"));
    Events::open(process.addr, &stats_stream(sale), &[("authorization", &bearer)]).await
}

async fn block(admin: &Client, sale: &Sale, seats: &[i64], blocked: bool) {
    let path = format!("/v1/admin/schedules/{}/seats", sale.schedule);
    admin.patch(&path, json!({"seat_ids": seats, "blocked": blocked})).await.ok(200);
}

/// Holds two seats and releases them, up to four times, or pays and gets a refund.
async fn trade(process: &Process, sale: &Sale) {
    let buyer = active_buyer(process, sale).await;
    for round in 0..4 {
        let held = buyer.hold(sale.schedule, json!({"quantity": 2})).await;
        if held.status != 201 {
            continue;
        }
        if round % 2 == 0 {
            let path = format!("/v1/holds/{}", held.body["hold_id"].as_str().expect("an id"));
            buyer.delete(&path).await.ok(204);
            continue;
        }
        let paid = buyer.pay(&held.body).await.ok(201);
        let payment = &paid["payments"][0]["id"];
        buyer.keyed().post(&format!("/v1/payments/{payment}/refund"), json!({})).await.ok(200);
        return;
    }
}

#[tokio::test]
async fn an_old_map_plus_the_pushed_changes_equals_the_new_map() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 4, 10, json!({"max_seats_per_user": 10})).await;
    let (start, mut map) = fetch_map(&admin, sale.schedule).await;
    let mut events = Events::open(process.addr, &stream(&sale, &start), &[]).await;
    let first = events.expect("seats").await;
    assert_eq!(first.data, json!({"version": start, "since": start, "seats": []}));

    let idle = active_buyer(&process, &sale).await;
    let held = idle.hold(sale.schedule, json!({"seat_ids": &sale.seats[..3]})).await.ok(201);
    let buyers = (0..6).map(|_| trade(&process, &sale));
    futures_util::future::join_all(buyers).await;
    let expire = "update reservation set expires_at = now() - interval '1 minute',
                 reservation_at = now() - interval '2 minutes' where hold_id::text = $1";
    let hold = held["hold_id"].as_str().expect("an id");
    sqlx::query(expire).bind(hold).execute(&world.pool).await.expect("an update");
    let expired = "select count(*) from reservation where status = 'EXPIRED'";
    until("the hold has expired", async || (world.number(expired).await == 3).then_some(())).await;
    block(&admin, &sale, &[sale.seats[20]], true).await;

    let (mut version, mut steps) = (start, 0);
    let mut follow = async |events: &mut Events, map: &mut Map| {
        let event = events.expect("seats").await;
        assert_eq!(event.data["since"], version, "no version is missing");
        assert_eq!(event.data["version"], event.id);
        put(map, &event.data["seats"]);
        version = event.id;
        steps += 1;
        version.clone()
    };
    let mut seen = follow(&mut events, &mut map).await;
    // The client reconnects.
    let resume = [("last-event-id", seen.as_str())];
    let mut events = Events::open(process.addr, &stream(&sale, "0.0-0"), &resume).await;
    loop {
        let (now, wanted) = fetch_map(&admin, sale.schedule).await;
        let status = |seat: usize| wanted[&sale.seats[seat]].as_str();
        let settled = status(20) == "UNAVAILABLE" && status(0) == "AVAILABLE";
        if seen == now && settled {
            assert_eq!(map, wanted);
            break;
        }
        // The first event after the reconnect may have the known version.
        seen = follow(&mut events, &mut map).await;
    }
    assert!(steps >= 2);
}

#[tokio::test]
async fn a_stream_from_an_unknown_version_asks_to_reload_the_map() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 5, json!({})).await;
    for unknown in ["7.1-1", "nonsense", "1.999-1"] {
        let mut events = Events::open(process.addr, &stream(&sale, unknown), &[]).await;
        let Event { id, data, .. } = events.expect("reload").await;
        assert_eq!(data, json!({"version": id}));
        assert_eq!(id, fetch_map(&admin, sale.schedule).await.0);
        block(&admin, &sale, &sale.seats[..1], true).await;
        let next = events.expect("seats").await;
        assert_eq!(next.data["since"], id, "the stream continues from there");
        block(&admin, &sale, &sale.seats[..1], false).await;
        events.expect("seats").await;
    }
    let path = "/v1/schedules/999999/seats/stream";
    process.anonymous().get(path).await.refused(404, "schedule_not_found");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_disconnected_and_the_others_continue() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 10, 100, json!({})).await;
    let (start, mut map) = fetch_map(&admin, sale.schedule).await;
    let _slow = Events::open_narrow(process.addr, &stream(&sale, &start)).await;
    let mut reading = Events::open(process.addr, &stream(&sale, &start), &[]).await;
    reading.expect("seats").await;
    let dropped = r#"onsale_streams_dropped_total{kind="seats"} 1"#;
    let mut blocked = false;
    until("the client that does not read is disconnected", async || {
        blocked = !blocked;
        block(&admin, &sale, &sale.seats, blocked).await;
        let event = reading.expect("seats").await;
        put(&mut map, &event.data["seats"]);
        let metrics = process.anonymous().get("/metrics").await.text;
        metrics.lines().any(|line| line == dropped).then_some(())
    })
    .await;
    let open = r#"onsale_streams{kind="seats"} 1"#;
    assert!(process.anonymous().get("/metrics").await.text.lines().any(|line| line == open));
    assert_eq!(map, fetch_map(&admin, sale.schedule).await.1);
}

#[tokio::test]
async fn the_statistics_stream_repeats_and_only_administrators_may_follow_it() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 5, json!({})).await;
    let mut consoles =
        [console(&process, &admin, &sale).await, console(&process, &admin, &sale).await];
    let buyer = active_buyer(&process, &sale).await;
    buyer.hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    let stats = admin.get(&format!("/v1/admin/schedules/{}/stats", sale.schedule)).await.ok(200);
    for events in &mut consoles {
        for header in
            ["content-type: text/event-stream", "cache-control: no-store", "x-accel-buffering: no"]
        {
            assert!(events.head.contains(header), "{}", events.head);
        }
        let sent = events.until("stats", |stats| stats["held"] == 2).await;
        let taken_at: DateTime<Utc> = sent.data["server_time"].as_str().unwrap().parse().unwrap();
        assert_eq!(sent.id, taken_at.timestamp_millis().to_string());
        let sent = sent.data;
        let names =
            |of: &Value| of.as_object().expect("statistics").keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&sent), names(&stats));
        events.expect("stats").await;
    }
    shape::check(&json!({"held": stats["held"]}), "held:int");
    let path = stats_stream(&sale);
    process.buyer().await.get(&path).await.refused(403, "forbidden");
    process.anonymous().get(&path).await.refused(401, "unauthenticated");
    let unknown = "/v1/admin/schedules/999999/stats/stream";
    admin.get(unknown).await.refused(404, "schedule_not_found");

    let open = async || {
        let metrics = process.anonymous().get("/metrics").await.text;
        let prefix = r#"onsale_streams{kind="stats"} "#;
        let count = metrics.lines().find_map(|line| line.strip_prefix(prefix)?.parse().ok());
        count.unwrap_or(0_u32)
    };
    assert_eq!(open().await, 2);
    drop(consoles);
    until("closed streams count no longer", async || (open().await == 0).then_some(())).await;
    console(&process, &admin, &sale).await.expect("stats").await;
}

#[tokio::test]
async fn a_console_gets_stale_while_postgresql_is_down_and_figures_after_its_return() {
    let world = World::new().await;
    let (proxy, through) = Proxy::of_url(&world.database_url).await;
    let process = world.start_with(&[&format!("--database-url={through}")]).await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 5, json!({})).await;
    let mut first = console(&process, &admin, &sale).await;
    first.expect("stats").await;

    proxy.set(Mode::Refuse);
    first.until("stale", |data| *data == json!({})).await;
    let mut second = console(&process, &admin, &sale).await;
    let stale = second.expect("stale").await;
    assert_eq!(stale.id, "", "a console that reconnects gets all data again");
    proxy.set(Mode::Pass);
    for events in [&mut first, &mut second] {
        events.expect("stats").await;
    }
}
