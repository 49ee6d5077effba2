//! The queue as the public board shows it, and as each ticket shows it.

use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::sale;
use crate::support::shape;
use crate::support::wait::until;
use crate::support::world::World;

const BOARD: &str = "phase:text message:text? poll_from_sequence:int server_time:time epoch:int \
     waiting:int active:int admitted_total:int admit_per_second:number? seats_available:int \
     now_serving:int? ranks:list";

#[tokio::test]
async fn a_client_can_work_out_its_position_from_the_public_board() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 5, json!({"capacity": 0, "admit_per_second": 1})).await;
    let mut line = Vec::new();
    for _ in 0..300 {
        let mut buyer = process.buyer().await;
        buyer.join(sale.schedule).await.ok(201);
        line.push(buyer);
    }
    // Buyers who leave make gaps.
    for gone in [250, 100, 7, 0] {
        line.remove(gone).leave().await;
    }
    let path = format!("/v1/schedules/{}/queue", sale.schedule);
    // A board from while they were joining may show the same number, but it still has the first
    // buyer.
    let second = (1u64 << 40) + 2;
    let answer = until("the board shows the queue", async || {
        let answer = process.anonymous().get(&path).await;
        let board = &answer.body;
        (board["waiting"] == 296 && board["now_serving"] == second).then_some(answer)
    })
    .await;
    assert_eq!(answer.header("cache-control"), "public, max-age=1");
    let board = answer.body;
    shape::check(&board, BOARD);
    let points: Vec<(u64, u64)> = serde_json::from_value(board["ranks"].clone()).expect("pairs");
    assert!(points.len() <= 257);
    let mut soon = 0;
    for (ahead, buyer) in line.iter_mut().enumerate() {
        let ticket = buyer.poll().await.ok(200);
        assert_eq!(ticket["ahead"], ahead, "{ticket}");
        assert_eq!(ticket["position"], ahead + 1);
        let sequence = ticket["sequence"].as_u64().expect("a sequence");
        let next = points.partition_point(|(at, _)| *at < sequence);
        let exact = points.get(next).filter(|(at, _)| *at == sequence).map(|(_, before)| *before);
        let low = exact.unwrap_or_else(|| points[next - 1].1 + 1);
        let high = points.get(next).map_or(u64::MAX, |(_, before)| *before);
        let ahead = ahead as u64;
        assert!((low..=high).contains(&ahead), "{ahead} is not in {low}..={high}");
        assert!(high - low <= 1, "the points are close enough");
        if ahead == 0 {
            assert_eq!(board["now_serving"], ticket["sequence"]);
        }
        soon += u64::from(sequence < board["poll_from_sequence"].as_u64().unwrap());
    }
    assert!(soon >= 60, "at 1 admission per second the next 60 poll their ticket, not {soon}");
}

#[tokio::test]
async fn joining_and_polling_show_the_same_ticket() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 5, json!({"capacity": 1})).await;
    let mut active = process.buyer().await;
    let joined = active.join(sale.schedule).await;
    assert_eq!(joined.header("cache-control"), "no-store");
    shape::check(&joined.body, shape::TICKET);
    assert_eq!((&joined.body["status"], joined.status), (&json!("ACTIVE"), 201));
    assert!(joined.body["active_expires_at"].is_string());
    assert!(joined.body["position"].is_null() && joined.body["ahead"].is_null());

    let mut waiting = process.buyer().await;
    let joined = waiting.join(sale.schedule).await;
    shape::check(&joined.body, shape::TICKET);
    assert_eq!(joined.body["status"], "WAITING");
    assert_eq!((&joined.body["position"], &joined.body["ahead"]), (&json!(1), &json!(0)));
    let pause = joined.body["poll_after_ms"].as_u64().expect("a pause");
    assert_eq!(joined.header("retry-after"), pause.div_ceil(1000).to_string());

    let asked = waiting.poll().await;
    let without_token = shape::TICKET.replace("queue_token:text ", "");
    shape::check(&asked.body, &without_token);
    for member in ["ticket_id", "schedule_id", "status", "sequence", "position", "phase"] {
        assert_eq!(asked.body[member], joined.body[member], "{member}");
    }
    let again = waiting.join(sale.schedule).await;
    assert_eq!(again.status, 200);
    shape::check(&again.body, shape::TICKET);
    assert_eq!(again.body["ticket_id"], joined.body["ticket_id"]);

    waiting.leave().await;
    assert_eq!(waiting.delete("/v1/queue/ticket").await.ok(204), Value::Null);
    let left = waiting.poll().await.ok(200);
    assert_eq!(left["status"], "LEFT");
    assert!(left["poll_after_ms"].is_null() && left["position"].is_null());
    // A released slot is free at once: the next buyer who joins is admitted immediately.
    active.leave().await;
    let mut next = process.buyer().await;
    assert_eq!(next.join(sale.schedule).await.ok(201)["status"], "ACTIVE");
    let back = waiting.join(sale.schedule).await.ok(201);
    assert_ne!(back["ticket_id"], left["ticket_id"], "joining again creates a new ticket");
}

/// Polls with the same ticket until its view satisfies `is`; keeps a new ticket of that view.
async fn poll_until(buyer: &mut Client, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let view = until(what, async || {
        let view = buyer.clone().poll().await.ok(200);
        is(&view).then_some(view)
    })
    .await;
    if let Some(token) = view["queue_token"].as_str() {
        buyer.ticket = Some(token.to_owned());
    }
    view
}

#[tokio::test]
async fn a_waiting_buyer_sees_messages_pauses_and_new_times_and_keeps_the_position() {
    let world = World::new().await;
    let (process, second) = (world.start().await, world.start().await);
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 5, json!({"capacity": 0})).await;
    let mut buyer = process.buyer().await;
    let joined = buyer.join(sale.schedule).await.ok(201);
    let mut elsewhere = buyer.at(second.addr);
    let line = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    admin.patch(&line, json!({"message": "The doors are stuck", "paused": true})).await.ok(200);
    for one in [&mut buyer, &mut elsewhere] {
        let seen = poll_until(one, "the message", |t| t["message"] == "The doors are stuck").await;
        assert_eq!(seen["phase"], "PAUSED");
        assert_eq!(seen["position"], 1);
    }
    // While the sale is paused a higher capacity admits nobody.
    admin.patch(&line, json!({"capacity": 10})).await.ok(200);
    let mut late = process.buyer().await;
    assert_eq!(late.join(sale.schedule).await.ok(201)["status"], "WAITING");

    let path = format!("/v1/admin/schedules/{}", sale.schedule);
    let times = json!({"reservation_available_at": sale::in_seconds(600),
        "deadline_at": sale::in_seconds(7200), "concert_at": sale::in_seconds(9000)});
    admin.patch(&path, times).await.ok(200);
    admin.patch(&line, json!({"paused": false, "message": null})).await.ok(200);
    for one in [&mut buyer, &mut elsewhere] {
        let is = |t: &Value| t["phase"] == "UPCOMING" && t["message"].is_null();
        let seen = poll_until(one, "the new opening", is).await;
        assert_eq!(seen["status"], "WAITING");
        assert_eq!(seen["ticket_id"], joined["ticket_id"]);
        assert_eq!(seen["position"], 1, "the position is kept");
    }
    admin.patch(&path, json!({"reservation_available_at": sale::in_seconds(-1)})).await.ok(200);
    for one in [&mut buyer, &mut elsewhere] {
        let seen = poll_until(one, "admission", |t| t["status"] == "ACTIVE").await;
        assert_eq!(seen["ticket_id"], joined["ticket_id"]);
    }
}

#[tokio::test]
async fn a_waiting_buyer_sees_sold_out_and_is_admitted_after_a_refund() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 1, json!({"capacity": 1})).await;
    let buyer = active_buyer(&process, &sale).await;
    let hold = buyer.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    let mut waiting = process.buyer().await;
    waiting.join(sale.schedule).await.ok(201);
    let paid = buyer.pay(&hold).await.ok(201);
    let seen = poll_until(&mut waiting, "sold out", |t| t["phase"] == "SOLD_OUT").await;
    assert_eq!((&seen["status"], &seen["seats_available"]), (&json!("WAITING"), &json!(0)));

    let path = format!("/v1/payments/{}/refund", paid["payments"][0]["id"]);
    buyer.keyed().post(&path, json!({})).await.ok(200);
    let seen = poll_until(&mut waiting, "admission", |t| t["status"] == "ACTIVE").await;
    assert_eq!((&seen["phase"], &seen["seats_available"]), (&json!("OPEN"), &json!(1)));
}
