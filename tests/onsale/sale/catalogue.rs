//! The public catalogue: concerts, schedules, phases, and pages of lists.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::sale;
use crate::support::shape;
use crate::support::wait::until;
use crate::support::world::World;

#[tokio::test]
async fn concerts_and_schedules_are_public_and_have_the_documented_shape() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 2, 3, json!({"message": "welcome"})).await;
    let anybody = process.anonymous();

    let list = anybody.get("/v1/concerts").await;
    assert_eq!(list.header("content-type"), "application/json");
    let items = shape::check_page(&list.ok(200), "id:int title:text description:text status:text");
    let one = anybody.get(&format!("/v1/concerts/{}", sale.concert)).await.ok(200);
    assert_eq!(json!(items), json!([one]));
    assert_eq!(
        one,
        json!({"id": sale.concert, "title": "Night",
        "description": "One night only", "status": "AVAILABLE"})
    );

    let path = format!("/v1/schedules/{}", sale.schedule);
    until("the board shows the seats", async || {
        (anybody.get(&path).await.ok(200)["seats"]["available"] == 6).then_some(())
    })
    .await;
    let schedule = anybody.get(&path).await.ok(200);
    shape::check(&schedule, shape::SCHEDULE);
    shape::check(&schedule["seats"], "total:int available:int held:int sold:int blocked:int");
    assert_eq!(schedule["prices"], json!([{"section": "A", "seat_price": 100, "available": 6}]));
    assert_eq!(schedule["entry_order"], "FIFO");
    assert_eq!(schedule["max_seats_per_user"], 4);
    assert_eq!((&schedule["message"], &schedule["phase"]), (&json!("welcome"), &json!("OPEN")));
    let path = format!("/v1/concerts/{}/schedules", sale.concert);
    let items = shape::check_page(&anybody.get(&path).await.ok(200), shape::SCHEDULE);
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["id"], sale.schedule);

    let path = format!("/v1/schedules/{}/queue/draw", sale.schedule);
    let draw = anybody.get(&path).await.ok(200);
    let commitment = draw["commitment"].as_str().expect("a commitment");
    assert_eq!(hex::decode(commitment).expect("hex").len(), 32);
    assert!(draw.get("secret").is_none(), "{draw}");
}

#[tokio::test]
async fn seats_are_counted_by_status() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 6, json!({})).await;
    let seats = format!("/v1/admin/schedules/{}/seats", sale.schedule);
    let more = json!({"name": "B", "rows": 1, "seats_per_row": 2, "seat_price": 50});
    admin.post(&seats, json!({"sections": [more]})).await.ok(201);
    let ids = sale::seat_ids(&admin, sale.schedule).await;
    admin.patch(&seats, json!({"seat_ids": [ids[7]], "blocked": true})).await.ok(200);
    let buyer = active_buyer(&process, &sale).await;
    let hold = buyer.hold(sale.schedule, json!({"seat_ids": &ids[..2]})).await.ok(201);
    buyer.pay(&hold).await.ok(201);
    let rival = active_buyer(&process, &sale).await;
    rival.hold(sale.schedule, json!({"seat_ids": [ids[2]]})).await.ok(201);

    let counts = json!({"total": 8, "available": 4, "held": 1, "sold": 2, "blocked": 1});
    let path = format!("/v1/schedules/{}", sale.schedule);
    let seen = until("every seat is counted", async || {
        let seen = process.anonymous().get(&path).await.ok(200);
        (seen["seats"] == counts).then_some(seen)
    })
    .await;
    assert_eq!(
        seen["prices"],
        json!([
        {"section": "A", "seat_price": 100, "available": 3},
        {"section": "B", "seat_price": 50, "available": 1}])
    );
}

#[tokio::test]
async fn paging_through_a_list_returns_every_item_exactly_once() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 7, json!({"max_seats_per_user": 7})).await;
    let again = json!({"reservation_available_at": sale::in_seconds(60),
        "deadline_at": sale::in_seconds(90), "concert_at": sale::in_seconds(120)});
    let schedules = format!("/v1/admin/concerts/{}/schedules", sale.concert);
    for _ in 0..4 {
        admin.post("/v1/admin/concerts", json!({"title": "x"})).await.ok(201);
        admin.post(&schedules, again.clone()).await.ok(201);
    }
    admin.post("/v1/admin/concerts", json!({"title": "x", "status": "UNAVAILABLE"})).await.ok(201);
    let buyer = active_buyer(&process, &sale).await;
    let stranger = active_buyer(&process, &sale).await;
    let all = buyer.hold(sale.schedule, json!({"quantity": 5})).await.ok(201);
    stranger.hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    buyer.pay(&all).await.ok(201);

    let sorted = |mut ids: Vec<i64>, newest_first: bool| {
        let count = ids.iter().collect::<BTreeSet<_>>().len();
        assert_eq!(count, ids.len(), "each once: {ids:?}");
        let listed = ids.clone();
        ids.sort_unstable();
        if newest_first {
            ids.reverse();
        }
        assert_eq!(listed, ids);
        listed.len()
    };
    assert_eq!(sorted(admin.list_ids("/v1/concerts?").await, false), 6);
    assert_eq!(sorted(admin.list_ids("/v1/concerts?status=AVAILABLE").await, false), 5);
    assert_eq!(sorted(admin.list_ids("/v1/concerts?status=UNAVAILABLE").await, false), 1);
    let path = format!("/v1/concerts/{}/schedules?", sale.concert);
    assert_eq!(sorted(admin.list_ids(&path).await, false), 5);
    assert_eq!(sorted(buyer.list_ids("/v1/reservations?").await, true), 5);
    assert_eq!(sorted(buyer.list_ids("/v1/reservations?status=COMPLETE").await, true), 5);
    assert_eq!(buyer.list_ids("/v1/reservations?status=EXPIRED").await, [0; 0]);
    assert_eq!(sorted(buyer.list_ids("/v1/payments?").await, true), 5);
    assert_eq!(sorted(buyer.list_ids("/v1/points/history?").await, true), 2);
    assert_eq!(stranger.list_ids("/v1/payments?").await, [0; 0]);
    let entries = world.number("select count(*) from audit").await;
    let listed = sorted(admin.list_ids("/v1/admin/audit?").await, true);
    assert_eq!(i64::try_from(listed).unwrap(), entries);
}

#[tokio::test]
async fn a_sale_is_in_the_first_phase_that_applies() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let empty = sale::open(&admin, 0, 0, json!({})).await;
    let early = sale::create(&admin, (600, 3600), 1, 1, json!({"paused": true})).await;
    let sale = sale::open(&admin, 1, 2, json!({})).await;
    let (line, seats) = (
        format!("/v1/admin/schedules/{}/queue", sale.schedule),
        format!("/v1/admin/schedules/{}/seats", sale.schedule),
    );
    let phase = async |schedule: i64, wanted: &str| {
        until(wanted, async || {
            let seen = process.anonymous().get(&format!("/v1/schedules/{schedule}")).await.ok(200);
            let path = format!("/v1/schedules/{schedule}/queue");
            let board = process.anonymous().get(&path).await.ok(200);
            (seen["phase"] == wanted && board["phase"] == wanted).then_some(())
        })
        .await;
    };
    phase(empty.schedule, "UPCOMING").await;
    phase(early.schedule, "UPCOMING").await;
    phase(sale.schedule, "OPEN").await;
    let block = |blocked: bool| json!({"seat_ids": sale.seats, "blocked": blocked});
    admin.patch(&seats, block(true)).await.ok(200);
    phase(sale.schedule, "SOLD_OUT").await;
    admin.patch(&line, json!({"paused": true})).await.ok(200);
    phase(sale.schedule, "PAUSED").await;
    let times = |opens: i64, closes: i64| -> Value {
        json!({"reservation_available_at": sale::in_seconds(opens),
               "deadline_at": sale::in_seconds(closes), "concert_at": sale::in_seconds(closes)})
    };
    let path = format!("/v1/admin/schedules/{}", sale.schedule);
    admin.patch(&path, times(60, 600)).await.ok(200);
    phase(sale.schedule, "UPCOMING").await;
    admin.patch(&path, times(-60, -30)).await.ok(200);
    phase(sale.schedule, "CLOSED").await;
    admin.patch(&path, times(-60, 600)).await.ok(200);
    admin.patch(&line, json!({"paused": false})).await.ok(200);
    admin.patch(&seats, block(false)).await.ok(200);
    phase(sale.schedule, "OPEN").await;
}
