//! Tickets that are shown again after what they stood for has ended.

use serde_json::{Value, json};

use crate::refusals::active;
use crate::support::client::Client;
use crate::support::faults::sound;
use crate::support::sale::{self, Sale};
use crate::support::world::World;

/// Fails unless the ticket is worth nothing: it says how its place ended, holds no seat, follows
/// nothing, and opens no way to the place that its owner has taken since.
async fn is_worth_nothing(old: &Client, sale: &Sale, status: &str) {
    let told = old.clone().poll().await.ok(200);
    assert_eq!((&told["status"], &told["position"]), (&json!(status), &Value::Null));
    assert_eq!(told["queue_token"], Value::Null, "no new ticket for an old one");
    old.hold(sale.schedule, json!({"quantity": 1})).await.refused(403, "ticket_not_active");
    old.delete("/v1/queue/ticket").await.ok(204);
}

#[tokio::test]
async fn a_ticket_is_worth_nothing_after_leaving_paying_and_a_refund() {
    let world = World::new().await;
    let process = world.start().await;
    let other = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 6, json!({})).await;

    let leaver = active(&process, &sale).await;
    leaver.delete("/v1/queue/ticket").await.ok(204);
    let payer = active(&process, &sale).await;
    let hold = payer.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    let paid = payer.pay(&hold).await.ok(201);
    for at in [process.addr, other.addr] {
        is_worth_nothing(&leaver.at(at), &sale, "LEFT").await;
        is_worth_nothing(&payer.at(at), &sale, "COMPLETED").await;
    }
    let refund = format!("/v1/payments/{}/refund", paid["payments"][0]["id"]);
    payer.keyed().post(&refund, json!({})).await.ok(200);
    is_worth_nothing(&payer, &sale, "COMPLETED").await;

    // The place taken since is another: the old ticket neither uses nor ends it.
    for (old, status) in [(leaver, "LEFT"), (payer, "COMPLETED")] {
        let mut again = old.clone();
        assert_eq!(again.join(sale.schedule).await.ok(201)["status"], "ACTIVE");
        is_worth_nothing(&old, &sale, status).await;
        assert_eq!(again.poll().await.ok(200)["status"], "ACTIVE");
        again.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    }
    sound(&world).await;
}
