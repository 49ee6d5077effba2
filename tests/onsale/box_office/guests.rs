//! The guest list: seats given for free, counted apart, and taken back.

use serde_json::json;

use super::scene::Scene;
use crate::sale::refusals::active_buyer;
use crate::support::shape;
use crate::support::state;
use crate::support::wait::until;

const GIVEN: &str = "guest:object schedule_id:int hold_id:uuid reservations:list given_at:time";
const GUEST: &str = "reservation_id:int hold_id:uuid guest:object seat:object reason:text \
     given_by:object given_at:time was_blocked:bool revoked_at:time?";

fn path(scene: &Scene) -> String {
    format!("/schedules/{}/guests", scene.sale.schedule)
}

#[tokio::test]
async fn seats_are_given_by_name_and_to_users_listed_and_taken_back() {
    let scene = Scene::new(5).await;
    let seats = &scene.sale.seats;
    let blocked = format!("/v1/admin/schedules/{}/seats", scene.sale.schedule);
    let block = json!({"seat_ids": [seats[0]], "blocked": true});
    scene.admin.patch(&blocked, block).await.ok(200);
    let press = json!({"name": " 박 민지 ", "seat_ids": [seats[0], seats[1]], "reason": "Press"});
    let staff = scene.staff.keyed();
    let full = format!("{}{}", super::scene::BASE, path(&scene));
    let given = staff.post(&full, press.clone()).await.ok(201);
    shape::check(&given, GIVEN);
    assert_eq!(given["guest"]["name"], "박 민지");
    let again = staff.post(&full, press).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.ok(201), given, "no second guest");
    let friend = scene.process.buyer().await;
    let theirs = json!({"user_id": friend.user, "seat_ids": [seats[2]], "reason": "Friend"});
    scene.post(&path(&scene), theirs).await.ok(201);

    for (at, state) in ["GUEST", "GUEST", "GUEST", "AVAILABLE"].into_iter().enumerate() {
        assert_eq!(scene.seat_state(at).await, state);
    }
    let gone = ["UNAVAILABLE", "UNAVAILABLE", "UNAVAILABLE", "AVAILABLE", "AVAILABLE"];
    assert_eq!(scene.map().await, gone);
    let mine = friend.get("/v1/reservations").await.ok(200);
    assert_eq!(
        (&mine["items"][0]["status"], &mine["items"][0]["amount"]),
        (&json!("COMPLETE"), &json!(0))
    );
    let list = scene.get(&path(&scene)).await;
    let rows = shape::check_page(&list, GUEST);
    let names: Vec<_> = rows.iter().map(|row| row["guest"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Kim", "박 민지", "박 민지"]);
    assert_eq!(rows[2]["was_blocked"], true);
    assert!(rows.iter().all(|row| row["given_by"]["id"] == scene.staff.user));

    // The seat that was blocked before is blocked again; the other is for sale, or as asked for.
    let revoke = |at: usize| format!("/guests/{}/revoke", given["reservations"][at]["id"]);
    let why = json!({"reason": "Cancelled"});
    let revoked = scene.post(&revoke(0), why.clone()).await.ok(200);
    shape::check(&revoked, "reservation_id:int seat_id:int seat_number:int blocked:bool");
    assert_eq!(revoked["blocked"], true);
    scene.post(&revoke(1), json!({"reason": "Cancelled", "block": false})).await.ok(200);
    scene.post(&revoke(1), why.clone()).await.refused(409, "already_revoked");
    scene.post("/guests/999999/revoke", why).await.refused(404, "guest_not_found");
    let gone = ["UNAVAILABLE", "AVAILABLE", "UNAVAILABLE", "AVAILABLE", "AVAILABLE"];
    assert_eq!(scene.map().await, gone);
    assert_eq!(scene.seat_state(0).await, "BLOCKED");
    assert_eq!(scene.contradictions().await, 0);
    let buyer = active_buyer(&scene.process, &scene.sale).await;
    buyer.hold(scene.sale.schedule, json!({"seat_ids": [seats[1]]})).await.ok(201);
}

#[tokio::test]
async fn guests_count_apart_from_sales_in_figures_and_in_the_report() {
    let scene = Scene::new(6).await;
    scene.buy(&[0, 1]).await;
    let guest = json!({"name": "Lee", "seat_ids": &scene.sale.seats[2..5], "reason": "Press"});
    let given = scene.post(&path(&scene), guest).await.ok(201);
    let revoke = format!("/guests/{}/revoke", given["reservations"][0]["id"]);
    scene.post(&revoke, json!({"reason": "Ill"})).await.ok(200);
    let stats = format!("/v1/admin/schedules/{}/stats", scene.sale.schedule);
    let stats = scene.admin.get(&stats).await.ok(200);
    let figures = ["sold", "guests", "revenue"].map(|name| stats[name].as_i64().unwrap());
    assert_eq!(figures, [2, 2, 200]);
    let report = format!("/v1/admin/schedules/{}/report", scene.sale.schedule);
    let sales = until("the report", async || {
        let answer = scene.admin.get(&report).await;
        let sales = (answer.status == 200).then(|| answer.body["sales"].clone())?;
        (sales["guests"] == 2).then_some((sales, answer.body["sections"][0].clone()))
    })
    .await;
    let names = ["sold", "guests", "revenue", "buyers", "cancelled"];
    assert_eq!(names.map(|name| sales.0[name].as_i64().unwrap()), [2, 2, 200, 1, 0]);
    assert_eq!((&sales.1["sold"], &sales.1["guests"]), (&json!(2), &json!(2)));
    let csv = scene.admin.get(&format!("{report}.csv")).await;
    assert!(csv.text.contains("sales,given to guests,,2,seats\r\n"), "{}", csv.text);
}

#[tokio::test]
async fn seats_that_are_held_or_sold_are_not_given_and_a_gift_is_all_or_nothing() {
    let scene = Scene::new(4).await;
    let seats = &scene.sale.seats;
    scene.buy(&[0]).await;
    let waiting = active_buyer(&scene.process, &scene.sale).await;
    waiting.hold(scene.sale.schedule, json!({"seat_ids": [seats[1]]})).await.ok(201);
    scene.world.wait_for_empty_outbox().await;
    let before = state::snapshot(&scene.world, &[scene.sale.schedule]).await;
    let path = path(&scene);
    let guest = |ids: &[i64]| json!({"name": "Lee", "seat_ids": ids, "reason": "Press"});
    let refused = scene.post(&path, guest(seats)).await;
    refused.refused(409, "seat_not_free");
    assert_eq!(refused.body["seat_ids"], json!(seats[..2]));
    scene.post(&path, guest(&[seats[2], 999_999])).await.refused(404, "seat_not_found");
    scene.post(&path, guest(&[])).await.refused(422, "invalid_request");
    let unknown = json!({"user_id": 999_999, "seat_ids": [seats[2]], "reason": "Press"});
    scene.post(&path, unknown).await.refused(404, "user_not_found");
    for who in [json!({}), json!({"name": "Lee", "user_id": 1}), json!({"name": "\u{200b}"})] {
        let body = crate::support::sale::merged(guest(&[seats[2]]), &who);
        let body = if who == json!({}) {
            json!({"seat_ids": [seats[2]], "reason": "Press"})
        } else {
            body
        };
        scene.post(&path, body).await.refused(422, "invalid_request");
    }
    scene.post("/schedules/999999/guests", guest(&[1])).await.refused(404, "schedule_not_found");
    assert_eq!(state::snapshot(&scene.world, &[scene.sale.schedule]).await, before);
    let list = scene.staff.get(&format!("{}/schedules/999999/guests", super::scene::BASE)).await;
    list.refused(404, "schedule_not_found");
}

#[tokio::test]
async fn a_guest_list_survives_a_loss_of_redis_and_a_guest_has_no_payment_to_refund() {
    let scene = Scene::new(3).await;
    let guest = json!({"name": "Lee", "seat_ids": [scene.sale.seats[0]], "reason": "Press"});
    let given = scene.post(&path(&scene), guest).await.ok(201);
    let hold = format!("/holds/{}/refund", given["hold_id"].as_str().unwrap());
    scene.post(&hold, json!({"reason": "x"})).await.refused(409, "hold_not_paid");
    scene.world.wait_for_empty_outbox().await;
    let mut redis = scene.world.raw_redis().await;
    redis::cmd("FLUSHALL").query_async::<()>(&mut redis).await.expect("an empty Redis");
    until("the map is back", async || {
        let path = format!("/v1/schedules/{}/seats", scene.sale.schedule);
        let map = scene.admin.get(&path).await;
        (map.status == 200
            && map.body["seats"][0]["status"] == "UNAVAILABLE"
            && scene.world.epoch().await > 1)
            .then_some(())
    })
    .await;
    // A buyer is refused the seat by the rebuilt keys and by PostgreSQL.
    let buyer = until("the sale goes on", async || {
        let mut buyer = scene.process.rich_buyer().await;
        let joined = buyer.join(scene.sale.schedule).await;
        (joined.body["status"] == "ACTIVE").then_some(buyer)
    })
    .await;
    let seat = json!({"seat_ids": [scene.sale.seats[0]]});
    buyer.hold(scene.sale.schedule, seat).await.refused(409, "seat_taken");
    assert_eq!(scene.contradictions().await, 0);
}
