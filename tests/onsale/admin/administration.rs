//! Creating sales and changing them.

use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::sale;
use crate::support::shape;
use crate::support::state;
use crate::support::wait::{until, until_within};
use crate::support::world::World;

const SCHEDULE: &str = "id:int concert_id:int reservation_available_at:time deadline_at:time \
     concert_at:time queue:object draft:bool removing:bool";

const STATS: &str = "waiting:int active:int parked:int admitted_total:int expired_total:int \
     joined_total:int join_per_second:number? admit_per_second:number? poll_per_second:number? \
     held:int sold:int guests:int revenue:int eta_seconds:int? returned:int phase:text recovering:bool \
     in_force:object rejections:int turned_away:int seats:object answers:list \
     all_answers:list processes:int pace:object line_as_of:time server_time:time";

#[tokio::test]
async fn a_concert_and_a_schedule_are_created_and_changed() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let concert = admin.post("/v1/admin/concerts", json!({"title": "밤"})).await.ok(201);
    shape::check(
        &concert,
        "id:int title:text description:text status:text draft:bool removing:bool",
    );
    assert_eq!((&concert["description"], &concert["status"]), (&json!(""), &json!("AVAILABLE")));
    let path = format!("/v1/admin/concerts/{}", concert["id"]);
    let changed =
        admin.patch(&path, json!({"description": "Long", "status": "UNAVAILABLE"})).await.ok(200);
    assert_eq!(
        changed,
        json!({"id": concert["id"], "title": "밤", "description": "Long", "status": "UNAVAILABLE",
               "draft": false, "removing": false})
    );

    let times = json!({"reservation_available_at": "2030-01-01T18:00:00+09:00",
        "deadline_at": "2030-01-01T10:00:00.5Z", "concert_at": "2030-01-01T10:00:00.5Z"});
    let made = admin.post(&format!("{path}/schedules"), times).await.ok(201);
    shape::check(&made, SCHEDULE);
    shape::check(&made["queue"], shape::SETTINGS);
    assert_eq!(made["reservation_available_at"], "2030-01-01T09:00:00Z");
    assert_eq!(made["deadline_at"], "2030-01-01T10:00:00.500Z");
    assert_eq!(
        made["queue"],
        json!({"capacity": 500, "admit_per_second": 50, "admission_mode": "FIXED",
        "auto_min_per_second": 5, "auto_max_per_second": 200, "auto_p99_ms": 500,
        "auto_error_percent": 2, "auto_slots_percent": 100,
        "active_ttl_seconds": 600, "claim_window_seconds": 60, "presence_window_seconds": 90,
        "return_grace_seconds": 600, "hold_ttl_seconds": 300, "max_seats_per_user": 4,
        "entry_order": "FIFO", "queue_opens_at": "2030-01-01T08:30:00Z", "paused": false,
        "message": null})
    );

    let path = format!("/v1/admin/schedules/{}", made["id"]);
    let moved = admin.patch(&path, json!({"concert_at": "2030-01-02T00:00:00Z"})).await.ok(200);
    shape::check(&moved, SCHEDULE);
    assert_eq!(moved["concert_at"], "2030-01-02T00:00:00Z");
    assert_eq!(moved["deadline_at"], made["deadline_at"]);
}

#[tokio::test]
async fn seats_are_added_singly_or_by_section_and_numbered_consecutively() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 0, 0, json!({})).await;
    let path = format!("/v1/admin/schedules/{}", sale.schedule);
    let seats = json!({"seats": [
        {"seat_number": 2, "section": "A", "row": "2", "seat_price": 7},
        {"seat_number": 1, "section": "A", "row": "1", "seat_price": 0}]});
    let created = admin.post(&format!("{path}/seats"), seats).await.ok(201);
    assert_eq!(created, json!({"created": 2}));
    let section = json!({"name": "B", "rows": 2, "seats_per_row": 2, "seat_price": 5});
    let created =
        admin.post(&format!("{path}/seats"), json!({"sections": [section]})).await.ok(201);
    assert_eq!(created, json!({"created": 4}));
    let layout = admin.get(&format!("/v1/schedules/{}/seats/layout", sale.schedule)).await.ok(200);
    let seats: Vec<(&Value, &Value, &Value)> = layout["seats"]
        .as_array()
        .unwrap()
        .iter()
        .map(|seat| (&seat["seat_number"], &seat["row"], &seat["seat_price"]))
        .collect();
    let (one, two) = (json!("1"), json!("2"));
    let numbers: Vec<Value> = (0..=7).map(|number| json!(number)).collect();
    let expected =
        [(1, &one, 0), (2, &two, 7), (3, &one, 5), (4, &one, 5), (5, &two, 5), (6, &two, 5)];
    let expected: Vec<_> =
        expected.iter().map(|(n, row, price)| (&numbers[*n], *row, &numbers[*price])).collect();
    assert_eq!(seats, expected);
}

#[tokio::test]
async fn administration_requests_that_conflict_are_refused_and_change_nothing() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 4, json!({})).await;
    let buyer = active_buyer(&process, &sale).await;
    let paid = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    buyer.pay(&paid).await.ok(201);
    let rival = active_buyer(&process, &sale).await;
    rival.hold(sale.schedule, json!({"seat_ids": [sale.seats[1]]})).await.ok(201);
    world.wait_for_empty_outbox().await;
    let before = state::snapshot(&world, &[sale.schedule]).await;
    let schedules = format!("/v1/admin/concerts/{}/schedules", sale.concert);
    let schedule = format!("/v1/admin/schedules/{}", sale.schedule);
    for (opens, closes, plays) in [(10, 10, 20), (20, 10, 30), (10, 30, 20)] {
        let base = 1_900_000_000;
        let at = |seconds: i64| chrono::DateTime::from_timestamp(base + seconds, 0).unwrap();
        let times = json!({"reservation_available_at": at(opens), "deadline_at": at(closes), "concert_at": at(plays)});
        let refused = admin.post(&schedules, times.clone()).await;
        refused.refused(422, "invalid_times");
        assert!(refused.body["detail"].as_str().unwrap().contains("_at"), "{}", refused.text);
        admin.patch(&schedule, times).await.refused(422, "invalid_times");
    }
    let late = json!({"queue_opens_at": sale::in_seconds(15)});
    let times = json!({"reservation_available_at": sale::in_seconds(10), "deadline_at": sale::in_seconds(20),
        "concert_at": sale::in_seconds(30), "queue": late});
    admin.post(&schedules, times).await.refused(422, "invalid_times");
    let order = json!({"entry_order": "DRAW"});
    admin.patch(&format!("{schedule}/queue"), order).await.refused(409, "line_is_open");

    let seats = format!("{schedule}/seats");
    let block = json!({"seat_ids": sale.seats, "blocked": true});
    let refused = admin.patch(&seats, block).await;
    refused.refused(409, "seat_in_use");
    assert_eq!(refused.body["seat_ids"], json!(&sale.seats[..2]), "only the seats in use");
    let unknown = json!({"seat_ids": [sale.seats[2], 999_999], "blocked": true});
    admin.patch(&seats, unknown).await.refused(404, "seat_not_found");

    assert_eq!(state::snapshot(&world, &[sale.schedule]).await, before);
}

#[tokio::test]
async fn concerts_and_schedules_that_do_not_exist_cannot_be_changed() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let before = state::snapshot(&world, &[]).await;
    let any = json!({"title": "x"});
    admin.patch("/v1/admin/concerts/999999", any).await.refused(404, "concert_not_found");
    let times = json!({"reservation_available_at": sale::in_seconds(10),
        "deadline_at": sale::in_seconds(20), "concert_at": sale::in_seconds(30)});
    let path = "/v1/admin/concerts/999999/schedules";
    admin.post(path, times.clone()).await.refused(404, "concert_not_found");
    let unknown = |rest: &str| format!("/v1/admin/schedules/999999{rest}");
    admin.patch(&unknown(""), times).await.refused(404, "schedule_not_found");
    let section = json!({"name": "B", "rows": 1, "seats_per_row": 1, "seat_price": 5});
    let sections = json!({"sections": [section]});
    admin.post(&unknown("/seats"), sections).await.refused(404, "schedule_not_found");
    let block = json!({"seat_ids": [1], "blocked": true});
    admin.patch(&unknown("/seats"), block).await.refused(404, "schedule_not_found");
    admin.get(&unknown("/queue")).await.refused(404, "schedule_not_found");
    admin.patch(&unknown("/queue"), json!({})).await.refused(404, "schedule_not_found");
    admin.get(&unknown("/stats")).await.refused(404, "schedule_not_found");
    assert_eq!(state::snapshot(&world, &[]).await, before);
}

#[tokio::test]
async fn settings_are_in_force_in_every_process_within_a_second() {
    let world = World::new().await;
    let (process, second) = (world.start().await, world.start().await);
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 9, json!({})).await;
    let mut buyer = process.rich_buyer().await;
    buyer.join(sale.schedule).await.ok(201);
    // The second process has loaded the old settings.
    let buyer_at_second = buyer.at(second.addr);
    let path = format!("/v1/schedules/{}", sale.schedule);
    assert_eq!(buyer_at_second.get(&path).await.ok(200)["max_seats_per_user"], 4);
    let line = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    let change = json!({"max_seats_per_user": 6, "capacity": 0, "hold_ttl_seconds": 77});
    let settings = admin.patch(&line, change).await.ok(200);
    let changed = std::time::Instant::now();
    shape::check(&settings, shape::SETTINGS);
    let second_long = std::time::Duration::from_secs(1).saturating_sub(changed.elapsed());
    until_within(second_long, "the new limit in the second process", async || {
        (buyer_at_second.get(&path).await.ok(200)["max_seats_per_user"] == 6).then_some(())
    })
    .await;
    assert_eq!(admin.at(second.addr).get(&line).await.ok(200), settings);
    let hold = buyer_at_second.hold(sale.schedule, json!({"quantity": 6})).await.ok(201);
    let at =
        |name: &str| hold[name].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let left = at("expires_at") - at("server_time");
    assert_eq!(left.num_seconds(), 77);
    let mut late = second.buyer().await;
    assert_eq!(late.join(sale.schedule).await.ok(201)["status"], "WAITING", "the capacity is 0");
}

#[tokio::test]
async fn statistics_and_the_audit_show_what_happened() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 9, json!({"capacity": 2})).await;
    let buyer = active_buyer(&process, &sale).await;
    let bought = buyer.hold(sale.schedule, json!({"quantity": 3})).await.ok(201);
    buyer.pay(&bought).await.ok(201);
    let (one, two) = (active_buyer(&process, &sale).await, active_buyer(&process, &sale).await);
    one.hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    let mut waiting = process.buyer().await;
    assert_eq!(waiting.join(sale.schedule).await.ok(201)["status"], "WAITING");
    assert!(two.ticket.is_some());
    let path = format!("/v1/admin/schedules/{}/stats", sale.schedule);
    let stats = until("the statistics", async || {
        let stats = admin.get(&path).await.ok(200);
        (stats["waiting"] == 1 && stats["active"] == 2).then_some(stats)
    })
    .await;
    shape::check(&stats, STATS);
    let counts =
        ["parked", "admitted_total", "expired_total", "joined_total", "held", "sold", "revenue"];
    let counts: Vec<i64> = counts.iter().map(|name| stats[name].as_i64().unwrap()).collect();
    assert_eq!(counts, [0, 3, 0, 4, 2, 3, 300]);

    let seats = format!("/v1/admin/schedules/{}/seats", sale.schedule);
    let block = json!({"seat_ids": &sale.seats[7..], "blocked": true});
    assert_eq!(admin.patch(&seats, block.clone()).await.ok(200), json!({"changed": 2}));
    assert_eq!(admin.patch(&seats, block).await.ok(200), json!({"changed": 0}));
    let line = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    admin.patch(&line, json!({"paused": true})).await.ok(200);
    let entries = shape::check_page(
        &admin.get("/v1/admin/audit").await.ok(200),
        "id:int admin:int admin_name:text action:text subject:text before:object? after:object? \
         created_at:time",
    );
    let actions: Vec<&str> =
        entries.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        ["queue.change", "seats.block", "seats.add", "schedule.create", "concert.create"]
    );
    assert!(entries.iter().all(|entry| entry["admin"] == admin.user));
    let (before, after) = (&entries[0]["before"], &entries[0]["after"]);
    assert_eq!(
        (&before["queue"]["paused"], &after["queue"]["paused"]),
        (&json!(false), &json!(true))
    );
}
