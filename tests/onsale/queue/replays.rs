//! Old tickets that are used again after their entry has ended.

use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::faults::assert_consistent;
use crate::support::sale::{self, Sale};
use crate::support::world::World;

/// Fails unless the ticket is useless: it shows how its entry ended, cannot hold a seat, and gets
/// no new ticket.
async fn check_useless(old: &Client, sale: &Sale, status: &str) {
    let view = old.clone().poll().await.ok(200);
    assert_eq!((&view["status"], &view["position"]), (&json!(status), &Value::Null));
    assert_eq!(view["queue_token"], Value::Null, "no new ticket for an old one");
    old.hold(sale.schedule, json!({"quantity": 1})).await.refused(403, "ticket_not_active");
    old.leave().await;
}

#[tokio::test]
async fn a_ticket_is_useless_after_leaving_paying_or_a_refund() {
    let world = World::new().await;
    let process = world.start().await;
    let other = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 6, json!({})).await;

    let leaver = active_buyer(&process, &sale).await;
    leaver.leave().await;
    let payer = active_buyer(&process, &sale).await;
    let hold = payer.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    let paid = payer.pay(&hold).await.ok(201);
    for at in [process.addr, other.addr] {
        check_useless(&leaver.at(at), &sale, "LEFT").await;
        check_useless(&payer.at(at), &sale, "COMPLETED").await;
    }
    let refund = format!("/v1/payments/{}/refund", paid["payments"][0]["id"]);
    payer.keyed().post(&refund, json!({})).await.ok(200);
    check_useless(&payer, &sale, "COMPLETED").await;

    // A later entry of the same user is separate: the old ticket neither uses nor ends it.
    for (old, status) in [(leaver, "LEFT"), (payer, "COMPLETED")] {
        let mut again = old.clone();
        assert_eq!(again.join(sale.schedule).await.ok(201)["status"], "ACTIVE");
        check_useless(&old, &sale, status).await;
        assert_eq!(again.poll().await.ok(200)["status"], "ACTIVE");
        again.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    }
    assert_consistent(&world).await;
}
