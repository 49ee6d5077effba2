//! A user cannot read or change what belongs to another user. `matrix` tests this for every route.

use serde_json::json;

use crate::sale::refusals::{active_buyer, hold_path};
use crate::support::client::{Answer, Client};
use crate::support::sale;
use crate::support::shape;
use crate::support::state;
use crate::support::world::World;

/// Tries everything that `owner` may do without an access token.
async fn call_anonymously(
    owner: &Client,
    schedule: i64,
    own: &[&str],
    refund: &str,
) -> Vec<Answer> {
    let anonymous = owner.keyed().without_token();
    let mut answers = Vec::new();
    let lists = ["/v1/users/me", "/v1/reservations", "/v1/payments", "/v1/points"];
    for path in lists.iter().chain(&["/v1/points/history"]).chain(own) {
        answers.push(anonymous.get(path).await);
    }
    for path in [own[own.len() - 1], "/v1/queue/ticket"] {
        answers.push(anonymous.delete(path).await);
    }
    let pay = json!({"hold_id": own[own.len() - 1].rsplit('/').next()});
    answers.push(anonymous.post("/v1/payments", pay).await);
    answers.push(anonymous.post(refund, json!({})).await);
    answers.push(anonymous.post("/v1/points/charges", json!({"amount": 5})).await);
    answers.push(anonymous.clone().join(schedule).await);
    answers.push(anonymous.hold(schedule, json!({"quantity": 1})).await);
    answers
}

#[tokio::test]
async fn no_user_can_read_or_change_what_belongs_to_another() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 6, json!({})).await;
    let other = sale::open(&admin, 1, 2, json!({})).await;
    let owner = active_buyer(&process, &sale).await;
    let stranger = active_buyer(&process, &sale).await;
    let elsewhere = active_buyer(&process, &other).await;
    let paid = owner.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    let paid = owner.pay(&paid).await.ok(201);
    // The first payment completed the ticket, so the owner joins again.
    let mut owner = owner;
    owner.join(sale.schedule).await.ok(201);
    let hold = owner.hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    let reservation = format!("/v1/reservations/{}", hold["reservations"][0]["id"]);
    let refund = format!("/v1/payments/{}/refund", paid["payments"][0]["id"]);
    let before = state::snapshot(&world, &[sale.schedule, other.schedule]).await;

    for person in [&stranger, &elsewhere, &admin] {
        person.get(&hold_path(&hold)).await.refused(404, "hold_not_found");
        person.delete(&hold_path(&hold)).await.refused(404, "hold_not_found");
        person.get(&reservation).await.refused(404, "reservation_not_found");
        person.pay(&hold).await.refused(404, "hold_not_found");
        person.keyed().post(&refund, json!({})).await.refused(404, "payment_not_found");
        for list in ["/v1/reservations", "/v1/payments"] {
            assert_eq!(person.get(list).await.ok(200)["items"], json!([]));
        }
        let stolen = person.with_ticket(owner.ticket.as_deref().unwrap());
        stolen.delete("/v1/queue/ticket").await.refused(403, "ticket_not_yours");
        stolen.hold(sale.schedule, json!({"quantity": 1})).await.refused(403, "ticket_not_yours");
    }
    elsewhere.hold(sale.schedule, json!({"quantity": 1})).await.refused(403, "ticket_not_active");
    for answer in
        call_anonymously(&owner, sale.schedule, &[&reservation, &hold_path(&hold)], &refund).await
    {
        answer.refused(401, "unauthenticated");
    }
    assert_eq!(state::snapshot(&world, &[sale.schedule, other.schedule]).await, before);

    let seen = owner.get(&hold_path(&hold)).await.ok(200);
    shape::check(&seen, &format!("status:text {}", shape::HOLD));
    shape::check(&owner.get(&reservation).await.ok(200), shape::RESERVATION);
    shape::check_page(&owner.get("/v1/reservations").await.ok(200), shape::RESERVATION);
    let payments = shape::check_page(&owner.get("/v1/payments").await.ok(200), shape::PAYMENT);
    assert_eq!(json!(payments), paid["payments"]);
    owner.delete(&hold_path(&hold)).await.ok(204);
}
