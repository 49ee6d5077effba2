//! Idempotency keys: a request takes effect once and has one answer, however often it is sent.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::sale::refusals::{active_buyer, hold_path};
use crate::support::client::{Answer, Client};
use crate::support::proxy::{Mode, Proxy};
use crate::support::sale;
use crate::support::shape;
use crate::support::state;
use crate::support::wait::until;
use crate::support::world::World;

/// Fails unless `again` is a replay of `first`: the same bytes, and the header that says so.
#[track_caller]
fn replayed(first: &Answer, again: &Answer) {
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(first.header("idempotency-replayed"), "");
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(first.header("content-type"), again.header("content-type"));
    assert_ne!(first.header("x-request-id"), again.header("x-request-id"));
}

/// Checks the buyer's history of points, newest first.
async fn check_history(buyer: &Client) {
    let points = buyer.get("/v1/points").await.ok(200);
    shape::check(&points, "amount:int last_updated_at:time");
    let history = shape::check_page(
        &buyer.get("/v1/points/history").await.ok(200),
        "id:int kind:text amount:int balance_after:int reference:text created_at:time",
    );
    let changes: Vec<(&str, i64)> = history
        .iter()
        .map(|one| (one["kind"].as_str().unwrap(), one["amount"].as_i64().unwrap()))
        .collect();
    assert_eq!(changes, [("REFUND", 100), ("PAYMENT", -200), ("CHARGE", 7), ("CHARGE", 1_000_000)]);
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer_and_has_no_effect() {
    let world = World::new().await;
    let (process, second) = (world.start().await, world.start().await);
    let sale = sale::open(&process.admin().await, 1, 6, json!({})).await;
    let buyer = active_buyer(&process, &sale).await;
    let there = buyer.at(second.addr);
    let holds = format!("/v1/schedules/{}/reservations", sale.schedule);

    let held = buyer.with_key("hold").post(&holds, json!({"quantity": 2})).await;
    shape::check(&held.body, shape::HOLD);
    held.body["reservations"]
        .as_array()
        .unwrap()
        .iter()
        .for_each(|r| shape::check(r, shape::RESERVATION));
    let pay = json!({"hold_id": held.body["hold_id"]});
    let charged = buyer.with_key("charge").post("/v1/points/charges", json!({"amount": 7})).await;
    shape::check(&charged.body, "amount:int balance:int");
    let paid = buyer.with_key("pay").post("/v1/payments", pay.clone()).await;
    shape::check(&paid.body, "payments:list total_amount:int balance:int");
    paid.body["payments"].as_array().unwrap().iter().for_each(|p| shape::check(p, shape::PAYMENT));
    let refund = format!("/v1/payments/{}/refund", paid.body["payments"][0]["id"]);
    let refunded = buyer.with_key("refund").post(&refund, json!({})).await;
    shape::check(&refunded.body, "payment:object balance:int");
    shape::check(&refunded.body["payment"], shape::PAYMENT);
    assert_eq!((held.status, charged.status, paid.status, refunded.status), (201, 201, 201, 200));

    let before = state::snapshot(&world, &[sale.schedule]).await;
    for client in [&buyer, &there] {
        let keyed = |key: &str| client.with_key(key);
        // White space and the order of members do not make a request a different one.
        replayed(&held, &keyed("hold").post(&holds, json!({"section": null, "quantity": 2})).await);
        replayed(&charged, &keyed("charge").post("/v1/points/charges", json!({"amount": 7})).await);
        replayed(&paid, &keyed("pay").post("/v1/payments", pay.clone()).await);
        replayed(&refunded, &keyed("refund").post(&refund, json!({})).await);
        for (key, path, body) in [
            ("hold", holds.as_str(), json!({"quantity": 1})),
            ("hold", "/v1/points/charges", json!({"amount": 7})),
            ("charge", "/v1/points/charges", json!({"amount": 8})),
            ("pay", "/v1/payments", json!({"hold_id": uuid::Uuid::nil()})),
            ("pay", refund.as_str(), json!({})),
        ] {
            keyed(key).post(path, body).await.refused(422, "idempotency_key_reused");
        }
    }
    assert_eq!(state::snapshot(&world, &[sale.schedule]).await, before);
    assert_eq!(buyer.get("/v1/points").await.ok(200)["amount"], 999_907);
    check_history(&buyer).await;
}

#[tokio::test]
async fn idempotency_keys_are_separate_for_each_user() {
    let world = World::new().await;
    let process = world.start().await;
    let (one, two) = (process.buyer().await, process.buyer().await);
    let charge = async |client: &Client, amount: i64| {
        client.with_key("k").post("/v1/points/charges", json!({"amount": amount})).await
    };
    charge(&one, 5).await.ok(201);
    let other = charge(&two, 6).await;
    assert_eq!(other.header("idempotency-replayed"), "");
    assert_eq!(other.ok(201)["balance"], 6);
    assert_eq!(one.get("/v1/points").await.ok(200)["amount"], 5);
}

/// Sends one request 20 times at once; checks that all successful answers are the same. Returns the
/// number of answers by status.
async fn at_once(
    clients: &[Client],
    path: &str,
    body: &Value,
    success: u16,
) -> BTreeMap<u16, usize> {
    let mut sent = tokio::task::JoinSet::new();
    for number in 0..20 {
        let (client, path, body) =
            (clients[number % clients.len()].clone(), path.to_owned(), body.clone());
        sent.spawn(async move { client.post(&path, body).await });
    }
    let (mut counts, mut texts) = (BTreeMap::new(), Vec::new());
    for answer in sent.join_all().await {
        *counts.entry(answer.status).or_default() += 1;
        if answer.status == success {
            texts.push(answer.text);
        } else {
            answer.refused(409, "request_in_progress");
            assert!(!answer.header("retry-after").is_empty());
        }
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "one answer: {texts:?}");
    counts
}

#[tokio::test]
async fn twenty_concurrent_requests_under_one_key_take_effect_once() {
    let world = World::new().await;
    let (process, second) = (world.start().await, world.start().await);
    let sale = sale::open(&process.admin().await, 1, 6, json!({})).await;
    let buyer = active_buyer(&process, &sale).await;
    let clients = |key: &str| [buyer.with_key(key), buyer.with_key(key).at(second.addr)];

    at_once(&clients("charge"), "/v1/points/charges", &json!({"amount": 5}), 201).await;
    assert_eq!(buyer.get("/v1/points").await.ok(200)["amount"], 1_000_005);
    let holds = format!("/v1/schedules/{}/reservations", sale.schedule);
    at_once(&clients("seats"), &holds, &json!({"seat_ids": &sale.seats[..2]}), 201).await;
    assert_eq!(world.number("select count(*) from reservation").await, 2);
    at_once(&clients("best"), &holds, &json!({"quantity": 2}), 201).await;
    assert_eq!(world.number("select count(*) from reservation").await, 4);
    let hold = buyer.with_key("best").post(&holds, json!({"quantity": 2})).await.ok(201);
    let pay = json!({"hold_id": hold["hold_id"]});
    at_once(&clients("pay"), "/v1/payments", &pay, 201).await;
    assert_eq!(world.number("select count(*) from payment").await, 2);
    let payments = buyer.get("/v1/payments").await.ok(200);
    let refund = format!("/v1/payments/{}/refund", payments["items"][0]["id"]);
    at_once(&clients("refund"), &refund, &json!({}), 200).await;
    assert_eq!(buyer.get("/v1/points").await.ok(200)["amount"], 1_000_005 - 200 + 100);
}

#[tokio::test]
async fn a_key_whose_request_is_in_progress_is_refused_at_once() {
    let world = World::new().await;
    let process = world.start().await;
    let buyer = process.buyer().await;
    let before = state::snapshot(&world, &[]).await;
    // The lock that a request in progress holds.
    let mut busy = world.pool.begin().await.expect("a transaction");
    sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(format!("{}:busy", buyer.user))
        .execute(&mut *busy)
        .await
        .expect("the lock");
    let refused = buyer.with_key("busy").post("/v1/points/charges", json!({"amount": 5})).await;
    refused.refused(409, "request_in_progress");
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(state::snapshot(&world, &[]).await, before);
    busy.rollback().await.expect("an end");
    buyer.with_key("busy").post("/v1/points/charges", json!({"amount": 5})).await.ok(201);
}

#[tokio::test]
async fn a_final_refusal_is_stored_and_one_before_any_write_is_not() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 4, json!({})).await;
    let mut poor = process.buyer().await;
    poor.join(sale.schedule).await.ok(201);
    let rival = active_buyer(&process, &sale).await;
    let held = poor.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    let pay = json!({"hold_id": held["hold_id"]});

    let refused = poor.with_key("pay").post("/v1/payments", pay.clone()).await;
    refused.refused(402, "insufficient_points");
    poor.with_key("charge").post("/v1/points/charges", json!({"amount": 500})).await.ok(201);
    let again = poor.with_key("pay").post("/v1/payments", pay.clone()).await;
    again.refused(402, "insufficient_points");
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!((&again.body["balance"], &again.body["required"]), (&json!(0), &json!(100)));
    poor.with_key("pay 2".replace(' ', "-").as_str()).post("/v1/payments", pay).await.ok(201);

    // Not stored: the seat is taken first, and free later.
    let holds = format!("/v1/schedules/{}/reservations", sale.schedule);
    poor.join(sale.schedule).await.ok(201);
    let theirs = rival.hold(sale.schedule, json!({"seat_ids": [sale.seats[1]]})).await.ok(201);
    let mine = poor.with_key("seat");
    let wanted = json!({"seat_ids": [sale.seats[1]]});
    mine.post(&holds, wanted.clone()).await.refused(409, "seat_taken");
    rival.delete(&hold_path(&theirs)).await.ok(204);
    let held = mine.post(&holds, wanted).await;
    assert_eq!((held.status, held.header("idempotency-replayed")), (201, ""), "{}", held.text);
    // 404 and 422 are not stored either.
    let other = poor.with_key("other");
    let unknown = json!({"seat_ids": [999_999]});
    other.post(&holds, unknown).await.refused(404, "seat_not_found");
    other.post(&holds, json!({"quantity": 9})).await.refused(422, "seat_limit_exceeded");
    other.post("/v1/points/charges", json!({"amount": 0})).await.refused(422, "invalid_amount");
    other.post("/v1/points/charges", json!({"amount": 1})).await.ok(201);
}

/// The network loses half of all answers.
#[tokio::test]
async fn requests_whose_answers_are_lost_repeatedly_take_effect_once() {
    let world = World::new().await;
    let process = world.start().await;
    let buyer = process.buyer().await;
    let proxy = Proxy::before(process.addr).await;
    proxy.set(Mode::Lose(50));
    let through = buyer.at(proxy.addr);
    for number in 0..20 {
        let charging = through.with_key(&format!("charge-{number}"));
        let charged = until("an answer arrives", async || {
            let request = charging.request(reqwest::Method::POST, "/v1/points/charges");
            request.json(&json!({"amount": 10})).send().await.ok()
        })
        .await;
        let status = charged.status();
        assert_eq!(status, 201, "{:?}", charged.text().await);
    }
    assert!(proxy.cuts() > 0, "answers were lost");
    assert_eq!(buyer.get("/v1/points").await.ok(200)["amount"], 200);
}
