//! A whole sale, from joining the queue to owning seats.

use serde_json::json;

use crate::support::sale;
use crate::support::world::World;

#[tokio::test]
async fn a_buyer_joins_holds_pays_and_owns_the_seats() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 5, 10, json!({})).await;
    let mut buyer = process.rich_buyer().await;

    let ticket = buyer.join(sale.schedule).await.ok(201);
    assert_eq!(ticket["status"], "ACTIVE");
    assert_eq!(ticket["phase"], "OPEN");
    let again = buyer.clone().join(sale.schedule).await.ok(200);
    assert_eq!(again["ticket_id"], ticket["ticket_id"]);

    let hold = buyer.hold(sale.schedule, json!({"quantity": 3})).await.ok(201);
    assert_eq!(hold["total_amount"], 300);
    let numbers: Vec<i64> = hold["reservations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["seat_number"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, [1, 2, 3], "the best seats, side by side");

    let paid = buyer.pay(&hold).await.ok(201);
    assert_eq!((&paid["total_amount"], &paid["balance"]), (&json!(300), &json!(999_700)));
    let mine = buyer.get("/v1/reservations?status=COMPLETE").await.ok(200);
    assert_eq!(mine["items"].as_array().unwrap().len(), 3);
    let path = format!("/v1/holds/{}", hold["hold_id"].as_str().unwrap());
    assert_eq!(buyer.get(&path).await.ok(200)["status"], "COMPLETE");

    assert_eq!(buyer.poll().await.ok(200)["status"], "COMPLETED", "the slot was released");
    assert_eq!(world.number("select count(*) from seat where status = 'UNAVAILABLE'").await, 3);
    assert_eq!(world.number("select sum(amount)::bigint from payment").await, 300);
}
