//! Charging and paying in one request: it charges exactly what is missing, once, and only if the
//! hold is paid.

use serde_json::{Value, json};

use crate::http::fields::assert_invalid;
use crate::sale::refusals::hold_path;
use crate::support::client::{Answer, Client};
use crate::support::crowd::{create_users, join_at_once, run_all};
use crate::support::faults::assert_consistent;
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::World;

/// Pays under a fresh key, and allows a charge up to an amount.
async fn pay_charging(buyer: &Client, hold: &Value, charge_up_to: i64) -> Answer {
    let body = json!({"hold_id": hold["hold_id"], "charge_up_to": charge_up_to});
    buyer.keyed().post("/v1/payments", body).await
}

/// The changes of a balance as kind and amount, oldest first.
async fn history(buyer: &Client) -> Vec<(String, i64)> {
    let list = buyer.get("/v1/points/history").await.ok(200);
    let change = |item: &Value| {
        (item["kind"].as_str().unwrap().to_owned(), item["amount"].as_i64().unwrap())
    };
    let mut changes: Vec<_> = list["items"].as_array().unwrap().iter().map(change).collect();
    changes.reverse();
    changes
}

fn changes(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected.iter().map(|(kind, amount)| ((*kind).to_owned(), *amount)).collect()
}

#[tokio::test]
async fn a_payment_charges_exactly_what_the_balance_lacks() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 4, json!({})).await;
    let mut buyer = join_at_once(create_users(&world, &[process.addr], 1, 30).await, sale.schedule)
        .await
        .remove(0);
    let one = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    let two = buyer.hold(sale.schedule, json!({"seat_ids": &sale.seats[1..3]})).await.ok(201);

    let body = json!({"hold_id": one["hold_id"], "charge_up_to": 500});
    let keyed = buyer.with_key("one");
    let paid = keyed.post("/v1/payments", body.clone()).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    assert_eq!((&paid.body["charged"], &paid.body["balance"]), (&json!(70), &json!(0)));
    let again = keyed.post("/v1/payments", body).await;
    assert_eq!((again.header("idempotency-replayed"), &again.text), ("true", &paid.text));

    // Nothing is charged if the balance is enough.
    let charge = json!({"amount": 250});
    buyer.with_key("charge").post("/v1/points/charges", charge).await.ok(201);
    let paid = pay_charging(&buyer, &two, 500).await.ok(201);
    assert_eq!((&paid["charged"], &paid["balance"]), (&json!(0), &json!(50)));
    let expected = [("CHARGE", 30), ("CHARGE", 70), ("PAYMENT", -100), ("CHARGE", 250)];
    let expected = [&expected[..], &[("PAYMENT", -200)]].concat();
    assert_eq!(history(&buyer).await, changes(&expected));

    // Without `charge_up_to` the answer has no `charged`.
    buyer.ticket = None;
    buyer.join(sale.schedule).await.ok(201);
    let last = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[3]]})).await.ok(201);
    buyer.pay(&last).await.refused(402, "insufficient_points");
    let charge = json!({"amount": 50});
    buyer.with_key("more").post("/v1/points/charges", charge).await.ok(201);
    let paid = buyer.pay(&last).await.ok(201);
    assert!(paid.get("charged").is_none(), "{paid}");
    assert_consistent(&world).await;
}

#[tokio::test]
async fn a_request_that_does_not_pay_the_hold_charges_nothing() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 4, json!({})).await;
    let brief = sale::open(&admin, 1, 1, json!({"hold_ttl_seconds": 1})).await;
    let crowd = create_users(&world, &[process.addr], 2, 30).await;
    let mut buyer = join_at_once(crowd, sale.schedule).await.remove(0);
    let held = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    let released = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[1]]})).await.ok(201);
    buyer.delete(&hold_path(&released)).await;
    let gift = changes(&[("CHARGE", 30)]);

    // The request allows one point less than the balance lacks.
    let refused = pay_charging(&buyer, &held, 69).await;
    refused.refused(402, "insufficient_points");
    assert_eq!((&refused.body["balance"], &refused.body["required"]), (&json!(30), &json!(100)));
    pay_charging(&buyer, &released, 500).await.refused(409, "hold_expired");
    let stranger = join_at_once(create_users(&world, &[process.addr], 1, 0).await, sale.schedule)
        .await
        .remove(0);
    pay_charging(&stranger, &held, 500).await.refused(404, "hold_not_found");
    buyer.ticket = None;
    buyer.join(brief.schedule).await.ok(201);
    let expired = buyer.hold(brief.schedule, json!({"quantity": 1})).await.ok(201);
    until("the hold expires", async || {
        let hold = buyer.get(&hold_path(&expired)).await.ok(200);
        (hold["status"] == "EXPIRED").then_some(())
    })
    .await;
    pay_charging(&buyer, &expired, 500).await.refused(409, "hold_expired");
    assert_eq!(history(&buyer).await, gift);
    assert_eq!(history(&stranger).await, []);

    pay_charging(&buyer, &held, 70).await.ok(201);
    let paid = history(&buyer).await;
    pay_charging(&buyer, &held, 500).await.refused(409, "already_paid");
    assert_eq!(history(&buyer).await, paid);
    assert_eq!(buyer.get("/v1/points").await.ok(200)["amount"], 0);
    assert_consistent(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tabs_that_charge_and_pay_one_hold_at_once_charge_once() {
    const ROUNDS: usize = 20;
    let world = World::new().await;
    let (one, two) = (world.start().await, world.start().await);
    let queue = json!({"max_seats_per_user": ROUNDS});
    let sale = sale::open(&one.admin().await, 1, 20, queue).await;
    let buyer =
        join_at_once(create_users(&world, &[one.addr], 1, 40).await, sale.schedule).await.remove(0);
    let mut holds = Vec::new();
    for seat in &sale.seats {
        holds.push(buyer.hold(sale.schedule, json!({"seat_ids": [seat]})).await.ok(201));
    }
    for (round, hold) in holds.into_iter().enumerate() {
        // The tabs showed different balances, so they allow different charges.
        let tabs = [(one.addr, 100), (two.addr, 300), (one.addr, 10_000_000), (two.addr, 200)];
        let (tab, paid) = (buyer.clone(), hold.clone());
        let answers = run_all(tabs, move |(at, charge_up_to)| {
            let (tab, hold) = (tab.at(at), paid.clone());
            async move { pay_charging(&tab, &hold, charge_up_to).await }
        })
        .await;
        let paid: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(paid.len(), 1, "round {round}");
        let missing = if round == 0 { 60 } else { 100 };
        assert_eq!(paid[0].body["charged"], missing, "round {round}");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            answer.refused(409, "already_paid");
        }
    }
    let charged = "select sum(amount)::bigint from point_history where kind = 'CHARGE'";
    assert_eq!(world.number(charged).await, 40 + 60 + 19 * 100);
    assert_eq!(buyer.get("/v1/points").await.ok(200)["amount"], 0);
    assert_consistent(&world).await;
}

#[tokio::test]
async fn the_charge_limit_of_a_payment_is_validated() {
    let world = World::new().await;
    let process = world.start().await;
    let buyer = process.buyer().await;
    for amount in ["-1", "10000001", "1.5", "\"5\"", "9223372036854775808"] {
        let body = format!(r#"{{"hold_id": "{}", "charge_up_to": {amount}}}"#, uuid::Uuid::nil());
        let pointers = &["/charge_up_to"];
        assert_invalid(&buyer, &reqwest::Method::POST, "/v1/payments", &body, pointers).await;
    }
}
