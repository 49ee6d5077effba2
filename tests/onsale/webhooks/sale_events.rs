//! The events of a sale, from the first hold to the deadline.

use serde_json::{Value, json};

use super::{LOCAL, create, wait_for};
use crate::sale::refusals::hold_path;
use crate::support::client::Client;
use crate::support::receiver::{Received, Receiver};
use crate::support::sale;
use crate::support::wait::{sleep_until, until};
use crate::support::world::{Process, World};

/// A rich user who is active in the sale.
async fn active(process: &Process, schedule: i64) -> Client {
    let mut buyer = process.rich_buyer().await;
    buyer.join(schedule).await.ok(201);
    buyer.wait_for_status("ACTIVE").await;
    buyer
}

fn seats(message: &Received) -> Vec<i64> {
    let reservations = message.body["data"]["reservations"].as_array().expect("reservations");
    reservations.iter().filter_map(|one| one["seat_id"].as_i64()).collect()
}

/// Refunds the first seat of a payment: its event comes, and the sale is open again.
async fn refund(buyer: &Client, paid: &Value, receiver: &Receiver) {
    let payment = &paid["payments"][0];
    let path = format!("/v1/payments/{}/refund", payment["id"]);
    buyer.keyed().post(&path, json!({})).await.ok(200);
    let refunded = &wait_for(receiver, &["reservation.refunded"]).await[0];
    assert_eq!(refunded.body["data"]["reservations"][0]["id"], payment["reservation_id"]);
    until("the sale is open again", async || {
        let opened = receiver.accepted().into_iter().filter(|it| it.kind() == "schedule.opened");
        (opened.count() == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn each_change_of_a_sale_sends_its_event() {
    let world = World::new().await;
    let process = world.start_with(&LOCAL).await;
    let admin = process.admin().await;
    let receiver = Receiver::willing().await;
    let webhook = create(&admin, &receiver, &[]).await;
    let secret = webhook["secret"].as_str().unwrap();
    let sale = sale::open(&admin, 1, 3, json!({"hold_ttl_seconds": 300})).await;
    let buyer = active(&process, sale.schedule).await;

    let first = buyer.hold(sale.schedule, json!({"seat_ids": sale.seats[..2]})).await.ok(201);
    assert_eq!(buyer.delete(&hold_path(&first)).await.status, 204);
    let second = buyer.hold(sale.schedule, json!({"seat_ids": sale.seats})).await.ok(201);
    let paid = buyer.pay(&second).await.ok(201);
    let all = wait_for(
        &receiver,
        &[
            "schedule.opened",
            "queue.admitted",
            "reservation.held",
            "reservation.cancelled",
            "reservation.completed",
            "schedule.sold_out",
        ],
    )
    .await;
    for message in &all {
        assert!(message.is_signed_with(secret), "{}", message.raw);
        assert_eq!(message.body["data"]["schedule_id"], sale.schedule, "{}", message.raw);
    }
    let entry = &all[1].body["data"]["entries"][0];
    assert_eq!(entry["user_id"], buyer.user);
    let (held, cancelled, completed) = (&all[2], &all[3], &all[4]);
    assert_eq!(held.body["data"]["hold_id"], first["hold_id"]);
    assert_eq!(held.body["data"]["expires_at"].as_str().unwrap().len(), 27);
    assert_eq!(seats(held), sale.seats[..2]);
    assert_eq!(seats(cancelled), sale.seats[..2]);
    assert_eq!(seats(completed), sale.seats);
    assert_eq!(completed.body["data"]["total_amount"], 300);
    assert_eq!(completed.body["data"]["user_id"], buyer.user);

    refund(&buyer, &paid, &receiver).await;
    let times = json!({"deadline_at": sale::in_seconds(1)});
    admin.patch(&format!("/v1/admin/schedules/{}", sale.schedule), times).await.ok(200);
    wait_for(&receiver, &["schedule.closed"]).await;
}

#[tokio::test]
async fn a_hold_that_is_not_paid_expires_with_an_event_by_the_loop_and_by_a_takeover() {
    let world = World::new().await;
    let process = world.start_with(&LOCAL).await;
    let admin = process.admin().await;
    let receiver = Receiver::willing().await;
    create(&admin, &receiver, &["reservation.expired", "reservation.held"]).await;
    let sale = sale::open(&admin, 1, 2, json!({"hold_ttl_seconds": 1})).await;
    let buyer = active(&process, sale.schedule).await;
    let hold = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    let expired = &wait_for(&receiver, &["reservation.expired"]).await[0];
    assert_eq!(expired.body["data"]["hold_id"], hold["hold_id"]);
    // A buyer may hold their own lapsed seats again before the loop ends the reservations.
    let lapsed = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[1]]})).await.ok(201);
    sleep_until(sale::expires_at(&lapsed)).await;
    // Refused until the relay has applied the hold.
    let again = until("the seat can be held again", async || {
        let again = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[1]]})).await;
        (again.status == 201).then_some(again.body)
    })
    .await;
    let messages = until("both holds of the seat", async || {
        let all = receiver.accepted();
        let about = |hold: &Value| {
            let of = all.iter().filter(|it| it.body["data"]["hold_id"] == hold["hold_id"]);
            of.map(|it| it.kind().to_owned()).collect::<Vec<_>>()
        };
        let (first, second) = (about(&lapsed), about(&again));
        (first.len() == 2 && !second.is_empty()).then_some((first, second))
    })
    .await;
    assert_eq!(messages.0, ["reservation.held", "reservation.expired"]);
    assert_eq!(messages.1[0], "reservation.held");
    let other = "select count(*) from webhook_delivery d join sale_event e on e.id = d.event_id
                 where e.type not in ('reservation.held', 'reservation.expired')";
    assert_eq!(world.number(other).await, 0, "only the types that the endpoint wants");
}

#[tokio::test]
async fn nothing_is_written_while_nobody_wants_events() {
    let world = World::new().await;
    let process = world.start_with(&LOCAL).await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 2, json!({})).await;
    let buyer = active(&process, sale.schedule).await;
    let hold = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    buyer.pay(&hold).await.ok(201);
    let receiver = Receiver::willing().await;
    let webhook = create(&admin, &receiver, &[]).await;
    assert_eq!(world.number("select count(*) from sale_event").await, 0);
    // The control: now they are written, until the only endpoint is deleted.
    let buyer = active(&process, sale.schedule).await;
    let hold = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[1]]})).await.ok(201);
    wait_for(&receiver, &["reservation.held"]).await;
    admin.delete(&super::path(&webhook, "")).await;
    let before = world.number("select count(*) from sale_event").await;
    assert_eq!(buyer.delete(&hold_path(&hold)).await.status, 204);
    assert_eq!(world.number("select count(*) from sale_event").await, before);
}
