//! Refusals of buyers' requests: the code, the members, and that the request changes nothing.

use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::sale::{self, Sale, Unjoinable};
use crate::support::state;
use crate::support::wait::until;
use crate::support::world::{Process, World};

/// A new buyer with points and an active slot in the sale.
pub async fn active_buyer(process: &Process, sale: &Sale) -> Client {
    let mut buyer = process.rich_buyer().await;
    assert_eq!(buyer.join(sale.schedule).await.ok(201)["status"], "ACTIVE");
    buyer
}

pub fn hold_path(hold: &Value) -> String {
    format!("/v1/holds/{}", hold["hold_id"].as_str().expect("a hold"))
}

fn has_retry_after(answer: &Answer) {
    let seconds: u64 = answer.header("retry-after").parse().expect("Retry-After in seconds");
    assert!(seconds >= 1);
}

#[tokio::test]
async fn nobody_can_join_a_sale_that_is_not_open_closed_sold_out_or_withdrawn() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let Unjoinable { early, over, sold_out, withdrawn } = sale::unjoinable(&admin).await;
    let mut buyer = process.buyer().await;

    let schedules = [early.schedule, over.schedule, sold_out.schedule, withdrawn.schedule];
    let before = state::snapshot(&world, &schedules).await;
    let refused = buyer.join(early.schedule).await;
    refused.refused(409, "queue_not_open");
    let seen = buyer.get(&format!("/v1/schedules/{}", early.schedule)).await.ok(200);
    let at =
        |value: &Value| value.as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert_eq!(at(&refused.body["opens_at"]), at(&seen["queue_opens_at"]));
    buyer.join(over.schedule).await.refused(409, "schedule_closed");
    buyer.join(sold_out.schedule).await.refused(409, "sold_out");
    buyer.join(withdrawn.schedule).await.refused(409, "concert_unavailable");
    buyer.join(999_999).await.refused(404, "schedule_not_found");
    assert_eq!(state::snapshot(&world, &schedules).await, before);
}

#[tokio::test]
async fn holds_that_are_not_allowed_are_refused_and_change_nothing() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 2, 5, json!({"max_seats_per_user": 3})).await;
    let other = sale::open(&admin, 1, 2, json!({})).await;
    let soon = sale::create(&admin, (600, 3600), 1, 2, json!({})).await;
    let full = sale::open(&admin, 1, 2, json!({"capacity": 0})).await;
    let buyer = active_buyer(&process, &sale).await;
    let rival = active_buyer(&process, &sale).await;
    let held = rival.hold(sale.schedule, json!({"seat_ids": &sale.seats[..2]})).await.ok(201);
    let mut waiting = process.buyer().await;
    assert_eq!(waiting.join(full.schedule).await.ok(201)["status"], "WAITING");
    let mut early = process.buyer().await;
    assert_eq!(early.join(soon.schedule).await.ok(201)["status"], "WAITING");
    let all = [sale.schedule, other.schedule, soon.schedule, full.schedule];
    let before = state::snapshot(&world, &all).await;

    let free = json!({"seat_ids": [sale.seats[4]]});
    waiting.hold(full.schedule, json!({"quantity": 1})).await.refused(403, "ticket_not_active");
    buyer.hold(other.schedule, json!({"quantity": 1})).await.refused(403, "ticket_not_active");
    early.hold(soon.schedule, json!({"quantity": 1})).await.refused(409, "schedule_not_open");
    let stolen = buyer.with_ticket(rival.ticket.as_deref().unwrap());
    stolen.hold(sale.schedule, free.clone()).await.refused(403, "ticket_not_yours");
    let ticketless = buyer.without_ticket();
    ticketless.hold(sale.schedule, free.clone()).await.refused(401, "ticket_invalid");
    let path = format!("/v1/schedules/{}/reservations", sale.schedule);
    buyer.post(&path, free.clone()).await.refused(400, "idempotency_key_required");

    let taken = buyer.hold(sale.schedule, json!({"seat_ids": &sale.seats[1..4]})).await;
    taken.refused(409, "seat_taken");
    assert_eq!(taken.body["seat_ids"], json!([sale.seats[1]]), "only the taken seats");
    for wanted in [json!({"quantity": 1, "section": "Z"}), json!({"quantity": 1, "max_price": 99})]
    {
        buyer.hold(sale.schedule, wanted).await.refused(409, "not_enough_seats");
    }
    for wanted in [json!({"quantity": 4}), json!({"seat_ids": &sale.seats[4..8]})] {
        let refused = buyer.hold(sale.schedule, wanted).await;
        refused.refused(422, "seat_limit_exceeded");
        assert_eq!(refused.body["limit"], 3);
    }
    for seat in [other.seats[0], 999_999, -1, i64::MAX] {
        let wanted = json!({"seat_ids": [sale.seats[5], seat]});
        buyer.hold(sale.schedule, wanted).await.refused(404, "seat_not_found");
    }
    for schedule in [999_999, 0, -1, i64::MAX] {
        buyer.hold(schedule, free.clone()).await.refused(404, "schedule_not_found");
    }
    let more = rival.hold(sale.schedule, json!({"seat_ids": &sale.seats[6..8]})).await;
    more.refused(422, "seat_limit_exceeded");
    assert_eq!(more.body["limit"], 3, "seats already held count");
    assert_eq!(state::snapshot(&world, &all).await, before, "{held}");
}

#[tokio::test]
async fn seats_of_a_withdrawn_concert_or_after_the_deadline_cannot_be_held() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 2, json!({})).await;
    let buyer = active_buyer(&process, &sale).await;
    let free = json!({"seat_ids": [sale.seats[0]]});
    let path = format!("/v1/admin/concerts/{}", sale.concert);
    admin.patch(&path, json!({"status": "UNAVAILABLE"})).await.ok(200);
    buyer.hold(sale.schedule, free.clone()).await.refused(409, "concert_unavailable");
    admin.patch(&path, json!({"status": "AVAILABLE"})).await.ok(200);
    let path = format!("/v1/admin/schedules/{}", sale.schedule);
    let times = json!({"reservation_available_at": sale::in_seconds(-100), "deadline_at": sale::in_seconds(-1)});
    admin.patch(&path, times).await.ok(200);
    buyer.hold(sale.schedule, free).await.refused(409, "schedule_closed");
}

#[tokio::test]
async fn holding_the_same_seat_repeatedly_is_refused() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 3, json!({})).await;
    let buyer = active_buyer(&process, &sale).await;
    let seat = json!({"seat_ids": [sale.seats[0]]});
    for _ in 0..3 {
        let hold = buyer.hold(sale.schedule, seat.clone()).await.ok(201);
        buyer.delete(&hold_path(&hold)).await.ok(204);
        buyer.delete(&hold_path(&hold)).await.ok(204);
    }
    let before = state::snapshot(&world, &[sale.schedule]).await;
    let refused = buyer.hold(sale.schedule, seat).await;
    refused.refused(429, "hold_limit");
    has_retry_after(&refused);
    assert_eq!(state::snapshot(&world, &[sale.schedule]).await, before);
    let other = json!({"seat_ids": [sale.seats[1]]});
    buyer.hold(sale.schedule, other).await.ok(201);
}

#[tokio::test]
async fn a_hold_is_paid_once_in_time_and_only_with_enough_points() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 2, 5, json!({"hold_ttl_seconds": 2})).await;
    let rich = active_buyer(&process, &sale).await;
    let mut poor = process.buyer().await;
    poor.join(sale.schedule).await.ok(201);

    let unpaid = poor.hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    let before = state::snapshot(&world, &[sale.schedule]).await;
    rich.pay(&unpaid).await.refused(404, "hold_not_found");
    rich.pay(&json!({"hold_id": uuid::Uuid::now_v7()})).await.refused(404, "hold_not_found");
    poor.post("/v1/payments", json!({"hold_id": unpaid["hold_id"]}))
        .await
        .refused(400, "idempotency_key_required");
    assert_eq!(state::snapshot(&world, &[sale.schedule]).await, before);
    let refused = poor.pay(&unpaid).await;
    refused.refused(402, "insufficient_points");
    assert_eq!((&refused.body["balance"], &refused.body["required"]), (&json!(0), &json!(200)));

    let hold = rich.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    rich.pay(&hold).await.ok(201);
    rich.pay(&hold).await.refused(409, "already_paid");
    rich.delete(&hold_path(&hold)).await.refused(409, "already_paid");
    assert_eq!(world.number("select count(*) from payment").await, 1);
    assert_eq!(rich.get("/v1/points").await.ok(200)["amount"], 999_900);

    until("the hold expires", async || {
        let seen = poor.get(&hold_path(&unpaid)).await.ok(200);
        (seen["status"] == "EXPIRED").then_some(())
    })
    .await;
    poor.pay(&unpaid).await.refused(409, "hold_expired");
    assert_eq!(world.number("select count(*) from payment").await, 1);
}

#[tokio::test]
async fn a_payment_is_refunded_once_and_only_until_the_deadline() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 3, json!({})).await;
    let buyer = active_buyer(&process, &sale).await;
    let hold = buyer.hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    let paid = buyer.pay(&hold).await.ok(201);
    let path = |index: usize| format!("/v1/payments/{}/refund", paid["payments"][index]["id"]);
    let refund = async |path: &str| buyer.keyed().post(path, json!({})).await;

    let before = state::snapshot(&world, &[sale.schedule]).await;
    refund("/v1/payments/999999/refund").await.refused(404, "payment_not_found");
    buyer.post(&path(0), json!({})).await.refused(400, "idempotency_key_required");
    assert_eq!(state::snapshot(&world, &[sale.schedule]).await, before);
    refund(&path(0)).await.ok(200);
    refund(&path(0)).await.refused(409, "already_refunded");

    let times = json!({"reservation_available_at": sale::in_seconds(-100), "deadline_at": sale::in_seconds(-1)});
    admin.patch(&format!("/v1/admin/schedules/{}", sale.schedule), times).await.ok(200);
    refund(&path(1)).await.refused(409, "refund_closed");
    assert_eq!(buyer.get("/v1/points").await.ok(200)["amount"], 999_900);
}

#[tokio::test]
async fn too_many_requests_are_refused_with_retry_after() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 3, json!({})).await;
    let mut buyer = process.buyer().await;
    let refused = loop {
        let answer = buyer.join(sale.schedule).await;
        if answer.status >= 400 {
            break answer;
        }
    };
    refused.refused(429, "rate_limited");
    has_retry_after(&refused);
}

#[tokio::test]
async fn while_redis_is_down_joins_are_refused_and_afterwards_they_work() {
    let mut world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 3, json!({})).await;
    let mut buyer = process.buyer().await;
    world.redis.kill().await.expect("it dies");
    let refused = buyer.join(sale.schedule).await;
    refused.refused(503, "store_unavailable");
    has_retry_after(&refused);
    buyer.get("/v1/points").await.ok(200);
    world.redis.restart().await.expect("it lives");
    until("joining works", async || {
        let answer = buyer.clone().join(sale.schedule).await;
        (answer.status == 201).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_postgresql_requests_that_need_it_are_refused() {
    let world = World::new().await;
    let process = world.start_with(&["--database-url=postgres://nobody@127.0.0.1:1/none"]).await;
    for path in ["/v1/concerts", "/v1/schedules/1", "/v1/schedules/1/seats"] {
        let refused = process.anonymous().get(path).await;
        refused.refused(503, "store_unavailable");
        has_retry_after(&refused);
    }
    let made = process.anonymous().post("/v1/users", json!({"name": "Kim"})).await;
    made.refused(503, "store_unavailable");
}
