//! Moves to another seat: the reservation and its payment stay, and only the seats change.

use serde_json::{Value, json};

use super::scene::{Bought, Scene};
use crate::sale::refusals::active_buyer;
use crate::support::sale;
use crate::support::shape;
use crate::support::state;

const MOVED: &str = "reservation_id:int hold_id:uuid schedule_id:int user_id:int from_seat_id:int \
     from_seat_number:int seat_id:int seat_number:int";

fn path(bought: &Bought) -> String {
    format!("/reservations/{}/move", bought.reservation(0))
}

fn to(seat: i64) -> Value {
    json!({"seat_id": seat, "reason": "The seat is broken"})
}

#[tokio::test]
async fn a_moved_reservation_keeps_its_id_and_payment_and_its_old_seat_is_free() {
    let scene = Scene::new(4).await;
    let bought = scene.buy(&[0, 1]).await;
    let seats = &scene.sale.seats;
    let moved = scene.post(&path(&bought), to(seats[3])).await.ok(200);
    shape::check(&moved, MOVED);
    assert_eq!(moved["reservation_id"], bought.reservation(0));
    assert_eq!((&moved["from_seat_id"], &moved["seat_id"]), (&json!(seats[0]), &json!(seats[3])));
    assert_eq!((&moved["from_seat_number"], &moved["seat_number"]), (&json!(1), &json!(4)));

    let mine = format!("/v1/reservations/{}", bought.reservation(0));
    let mine = bought.buyer.get(&mine).await.ok(200);
    assert_eq!((&mine["seat_id"], &mine["seat_number"]), (&json!(seats[3]), &json!(4)));
    assert_eq!((&mine["status"], &mine["hold_id"]), (&json!("COMPLETE"), &bought.hold["hold_id"]));
    let payments = bought.buyer.get("/v1/payments").await.ok(200);
    assert_eq!(payments["items"].as_array().unwrap().len(), 2);
    assert_eq!(bought.balance().await, 999_800, "no money moved");
    assert_eq!(scene.map().await, ["AVAILABLE", "UNAVAILABLE", "AVAILABLE", "UNAVAILABLE"]);
    assert_eq!(scene.contradictions().await, 0);

    // Another buyer gets the seat that was left; a refund frees the new one, and nobody else's.
    let next = active_buyer(&scene.process, &scene.sale).await;
    let left = next.hold(scene.sale.schedule, json!({"seat_ids": [seats[0]]})).await.ok(201);
    next.pay(&left).await.ok(201);
    bought.refund(0).await.ok(200);
    assert_eq!(scene.seat_state(0).await, "SOLD");
    assert_eq!(scene.seat_state(3).await, "AVAILABLE");
    assert_eq!(scene.contradictions().await, 0);
}

#[tokio::test]
async fn a_moved_seat_counts_for_the_buyers_limit_where_it_is() {
    let scene = Scene::new(6).await;
    let change = json!({"max_seats_per_user": 2});
    let queue = format!("/v1/admin/schedules/{}/queue", scene.sale.schedule);
    let bought = scene.buy(&[0, 1]).await;
    scene.post(&path(&bought), to(scene.sale.seats[4])).await.ok(200);
    scene.world.wait_for_empty_outbox().await;
    scene.admin.patch(&queue, change).await.ok(200);
    let mut buyer = bought.buyer.clone();
    buyer.join(scene.sale.schedule).await.ok(201);
    let one = json!({"seat_ids": [scene.sale.seats[5]]});
    buyer.hold(scene.sale.schedule, one.clone()).await.refused(422, "seat_limit_exceeded");
    // The control: without the moved seat there is room for one.
    bought.refund(0).await.ok(200);
    buyer.hold(scene.sale.schedule, one).await.ok(201);
}

#[tokio::test]
async fn the_seat_that_is_left_can_be_blocked_and_webhooks_get_an_event() {
    let scene = Scene::new(3).await;
    let feed = json!({"enabled": true});
    scene.admin.patch("/v1/admin/event-feed", feed).await.ok(200);
    let bought = scene.buy(&[0]).await;
    let seats = &scene.sale.seats;
    let broken = json!({"seat_id": seats[2], "reason": "The seat is broken", "block": true});
    scene.post(&path(&bought), broken).await.ok(200);
    assert_eq!(scene.seat_state(0).await, "BLOCKED");
    assert_eq!(scene.seat_state(2).await, "SOLD");
    assert_eq!(scene.map().await, ["UNAVAILABLE", "AVAILABLE", "UNAVAILABLE"]);
    let event = "select data from sale_event where type = 'reservation.moved'";
    let event: Value =
        sqlx::query_scalar(event).fetch_one(&scene.world.pool).await.expect("an event");
    assert_eq!(event["hold_id"], bought.hold["hold_id"]);
    assert_eq!(event["reservations"][0]["seat_id"], seats[2]);
}

#[tokio::test]
async fn moves_that_are_not_allowed_are_refused_and_change_nothing() {
    let scene = Scene::new(5).await;
    let other = sale::open(&scene.admin, 1, 1, json!({})).await;
    let seats = format!("/v1/admin/schedules/{}/seats", scene.sale.schedule);
    let dear =
        json!({"sections": [{"name": "B", "rows": 1, "seats_per_row": 1, "seat_price": 300}]});
    scene.admin.post(&seats, dear).await.ok(201);
    let ids = sale::seat_ids(&scene.admin, scene.sale.schedule).await;
    let bought = scene.buy(&[0]).await;
    scene.buy(&[1]).await;
    let waiting = active_buyer(&scene.process, &scene.sale).await;
    let held = waiting.hold(scene.sale.schedule, json!({"seat_ids": [ids[2]]})).await.ok(201);
    scene.admin.patch(&seats, json!({"seat_ids": [ids[3]], "blocked": true})).await.ok(200);
    scene.world.wait_for_empty_outbox().await;
    let before = state::snapshot(&scene.world, &[scene.sale.schedule]).await;
    let path = path(&bought);
    for taken in [ids[1], ids[2], ids[3]] {
        let refused = scene.post(&path, to(taken)).await;
        refused.refused(409, "seat_not_free");
        assert_eq!(refused.body["seat_ids"], json!([taken]));
    }
    scene.post(&path, to(ids[0])).await.refused(409, "same_seat");
    let refused = scene.post(&path, to(ids[5])).await;
    refused.refused(409, "other_price");
    assert_eq!((&refused.body["price"], &refused.body["new_price"]), (&json!(100), &json!(300)));
    scene.post(&path, to(other.seats[0])).await.refused(404, "seat_not_found");
    scene.post(&path, to(999_999)).await.refused(404, "seat_not_found");
    scene.post("/reservations/999999/move", to(ids[4])).await.refused(404, "reservation_not_found");
    let unpaid = format!("/reservations/{}/move", held["reservations"][0]["id"]);
    scene.post(&unpaid, to(ids[4])).await.refused(409, "reservation_not_complete");
    assert_eq!(state::snapshot(&scene.world, &[scene.sale.schedule]).await, before);
}

#[tokio::test]
async fn an_order_does_not_get_a_seat_again_that_it_gave_back() {
    let scene = Scene::new(3).await;
    let bought = scene.buy(&[0, 1]).await;
    bought.refund(1).await.ok(200);
    let path = path(&bought);
    scene.post(&path, to(scene.sale.seats[1])).await.refused(409, "seat_returned");
    scene.post(&path, to(scene.sale.seats[2])).await.ok(200);
    assert_eq!(scene.contradictions().await, 0);
}

#[tokio::test]
async fn a_seat_whose_hold_has_lapsed_is_free_for_a_move() {
    let scene = Scene::new(3).await;
    let bought = scene.buy(&[0]).await;
    let waiting = active_buyer(&scene.process, &scene.sale).await;
    let seat = scene.sale.seats[1];
    let held = waiting.hold(scene.sale.schedule, json!({"seat_ids": [seat]})).await.ok(201);
    let lapse = "update reservation set reservation_at = reservation_at - interval '1 h',
                   expires_at = clock_timestamp() - interval '1 min'
                 where status = 'PAYMENT_WAITING'";
    sqlx::query(lapse).execute(&scene.world.pool).await.expect("a past end");
    scene.post(&path(&bought), to(seat)).await.ok(200);
    waiting.pay(&held).await.refused(409, "hold_expired");
    assert_eq!(scene.seat_state(1).await, "SOLD");
    assert_eq!(scene.contradictions().await, 0);
}
