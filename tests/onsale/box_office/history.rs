//! What happened to a buyer and to a seat, in order, page by page.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::scene::Scene;
use crate::sale::refusals::{active_buyer, hold_path};
use crate::support::client::Client;
use crate::support::shape;
use crate::support::wait::until;

const EVENT: &str = "at:time kind:text user:object? schedule_id:int? seat:object? to_seat:object? \
     ticket_id:uuid? sequence:int? hold_id:uuid? reservation_id:int? payment_id:int? amount:int? \
     balance_after:int? admin:object? reason:text? detail:object?";

/// All events of a history, read in pages of two.
async fn events(scene: &Scene, path: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = scene.get(&format!("{path}/history?limit=2{cursor}")).await;
        all.extend(shape::check_page(&page, EVENT));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["kind"].as_str().expect("a kind")).collect()
}

/// A buyer who gives a seat back, buys another, is moved and refunded, and gets a new code.
async fn live_through_everything(scene: &Scene) -> Client {
    let seats = &scene.sale.seats;
    let buyer = active_buyer(&scene.process, &scene.sale).await;
    let given_up = buyer.hold(scene.sale.schedule, json!({"seat_ids": [seats[3]]})).await.ok(201);
    buyer.delete(&hold_path(&given_up)).await.ok(204);
    let hold = buyer.hold(scene.sale.schedule, json!({"seat_ids": [seats[0]]})).await.ok(201);
    let paid = buyer.pay(&hold).await.ok(201);
    let moved = format!("/reservations/{}/move", hold["reservations"][0]["id"]);
    scene.post(&moved, json!({"seat_id": seats[2], "reason": "A pillar"})).await.ok(200);
    let refund = format!("/payments/{}/refund", paid["payments"][0]["id"]);
    scene.post(&refund, json!({"reason": "Ill"})).await.ok(200);
    let code = format!("/buyers/{}/recovery-code", buyer.user);
    scene.post(&code, json!({"reason": "Lost the telephone"})).await.ok(201);
    buyer
}

#[tokio::test]
async fn everything_that_happened_to_a_buyer_is_listed_in_order() {
    let scene = Scene::new(4).await;
    let buyer = live_through_everything(&scene).await;
    let base = format!("/buyers/{}", buyer.user);
    until("the archive", async || {
        kinds(&events(&scene, &base).await).contains(&"ENTRY_COMPLETED").then_some(())
    })
    .await;
    // Read anew: the entry may have been written between two pages.
    let all = events(&scene, &base).await;
    // Points, queue and reservations are recorded by different clocks' reads within one call.
    let at = |kind: &str| {
        let found = kinds(&all).iter().position(|one| *one == kind);
        found.unwrap_or_else(|| panic!("no {kind}: {:?}", kinds(&all)))
    };
    let order = [
        "CHARGED",
        "JOINED",
        "HELD",
        "RELEASED",
        "PAID",
        "MOVED",
        "BOX_OFFICE_REFUND",
        "CODE_REISSUED",
    ];
    assert!(order.map(at).is_sorted(), "{:?}", kinds(&all));
    for kind in ["ADMITTED", "POINTS_TAKEN", "REFUNDED", "POINTS_RETURNED"] {
        at(kind);
    }
    let time = |event: &Value| event["at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    let times: Vec<DateTime<Utc>> = all.iter().map(time).collect();
    assert!(times.is_sorted(), "{times:?}");
    // Before the move the buyer had the first seat, afterwards the third.
    let seat = |kind: &str| all[at(kind)]["seat"]["seat_number"].clone();
    assert_eq!((seat("PAID"), seat("REFUNDED")), (json!(1), json!(3)));
    let event = &all[at("MOVED")];
    assert_eq!(
        (&event["seat"]["seat_number"], &event["to_seat"]["seat_number"]),
        (&json!(1), &json!(3))
    );
    assert_eq!(
        (&event["admin"]["id"], &event["reason"]),
        (&json!(scene.staff.user), &json!("A pillar"))
    );
}

#[tokio::test]
async fn everything_that_happened_to_a_seat_is_listed_in_order() {
    let scene = Scene::new(3).await;
    let seats = &scene.sale.seats;
    let first = scene.buy(&[0]).await;
    first.refund(0).await.ok(200);
    let second = scene.buy(&[0]).await;
    let moved = format!("/reservations/{}/move", second.reservation(0));
    scene.post(&moved, json!({"seat_id": seats[1], "reason": "A pillar"})).await.ok(200);
    let block = format!("/v1/admin/schedules/{}/seats", scene.sale.schedule);
    for blocked in [true, false] {
        let change = json!({"seat_ids": [seats[0]], "blocked": blocked});
        scene.admin.patch(&block, change).await.ok(200);
    }
    let guest = json!({"name": "Lee", "seat_ids": [seats[0]], "reason": "Press"});
    let path = format!("/schedules/{}/guests", scene.sale.schedule);
    let given = scene.post(&path, guest).await.ok(201);
    let revoke = format!("/guests/{}/revoke", given["reservations"][0]["id"]);
    scene.post(&revoke, json!({"reason": "Ill"})).await.ok(200);
    let all = events(&scene, &format!("/seats/{}", seats[0])).await;
    assert_eq!(
        kinds(&all),
        [
            "HELD",
            "PAID",
            "REFUNDED",
            "HELD",
            "PAID",
            "MOVED",
            "BLOCKED",
            "UNBLOCKED",
            "GIVEN",
            "REVOKED"
        ]
    );
    let users: Vec<&Value> = all.iter().map(|event| &event["user"]["id"]).collect();
    assert_eq!(users[0], first.buyer.user);
    assert_eq!(users[5], second.buyer.user);
    assert_eq!(all[6]["admin"]["id"], scene.admin.user);
    // The seat to which the buyer was moved has only what came after.
    let other = events(&scene, &format!("/seats/{}", seats[1])).await;
    assert_eq!(kinds(&other), ["MOVED"]);
}
