//! Refunds by staff: one seat or a whole order, once, also after the deadline.

use serde_json::json;

use super::scene::{BASE, Scene};
use crate::sale::refusals::active_buyer;
use crate::support::patch::Patch;
use crate::support::shape;
use crate::support::state;

const REFUNDED: &str = "user_id:int payments:list total_amount:int balance:int";

#[tokio::test]
async fn staff_refund_one_seat_and_then_the_rest_of_an_order_each_once() {
    let scene = Scene::new(4).await;
    let bought = scene.buy(&[0, 1, 2]).await;
    assert_eq!(bought.balance().await, 999_700);
    let why = json!({"reason": "The buyer is ill"});
    let staff = scene.staff.keyed();
    let path = format!("{BASE}{}", bought.refund_path(1));
    let refunded = staff.post(&path, why.clone()).await.ok(200);
    shape::check(&refunded, REFUNDED);
    assert_eq!((&refunded["total_amount"], &refunded["balance"]), (&json!(100), &json!(999_800)));
    assert_eq!(refunded["user_id"], bought.buyer.user);
    assert_eq!(refunded["payments"][0]["status"], "REFUNDED");
    let again = staff.post(&path, why.clone()).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.ok(200), refunded);
    scene.post(&bought.refund_path(1), why.clone()).await.refused(409, "already_refunded");
    staff.post(&path, json!({"reason": "Another"})).await.refused(422, "idempotency_key_reused");

    let hold = format!("/holds/{}/refund", bought.hold["hold_id"].as_str().unwrap());
    let rest = scene.post(&hold, why.clone()).await.ok(200);
    assert_eq!((&rest["total_amount"], &rest["balance"]), (&json!(200), &json!(1_000_000)));
    assert_eq!(rest["payments"].as_array().unwrap().len(), 2, "not the one refunded before");
    scene.post(&hold, why).await.refused(409, "already_refunded");
    assert_eq!(bought.balance().await, 1_000_000);
    assert_eq!(scene.map().await, ["AVAILABLE"; 4]);
    assert_eq!(scene.contradictions().await, 0);
    // The seats are for sale again.
    let next = active_buyer(&scene.process, &scene.sale).await;
    let ids = json!({"seat_ids": scene.sale.seats[..3]});
    next.hold(scene.sale.schedule, ids).await.ok(201);

    let audit = scene.admin.get("/v1/admin/audit?action=box_office.refund").await.ok(200);
    let entries = audit["items"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry["admin"] == scene.staff.user
        && entry["subject"] == format!("user {}", bought.buyer.user)
        && entry["after"]["reason"] == "The buyer is ill"));
}

#[tokio::test]
async fn staff_refund_after_the_deadline_and_block_the_seat() {
    let scene = Scene::new(2).await;
    let bought = scene.buy(&[0]).await;
    scene.close().await;
    bought.refund(0).await.refused(409, "refund_closed");
    let why = json!({"reason": "The seat is broken", "block": true});
    scene.post(&bought.refund_path(0), why).await.ok(200);
    assert_eq!(bought.balance().await, 1_000_000);
    assert_eq!(scene.seat_state(0).await, "BLOCKED");
    assert_eq!(scene.map().await, ["UNAVAILABLE", "AVAILABLE"]);
    let blocked = format!("/v1/admin/schedules/{}/seats/blocked", scene.sale.schedule);
    let blocked = scene.admin.get(&blocked).await.ok(200);
    assert_eq!(blocked["seat_ids"], json!([scene.sale.seats[0]]));
    assert_eq!(scene.contradictions().await, 0);
}

#[tokio::test]
async fn a_refund_by_staff_needs_a_reason_and_something_that_is_paid() {
    let scene = Scene::new(2).await;
    let buyer = active_buyer(&scene.process, &scene.sale).await;
    let hold = buyer.hold(scene.sale.schedule, json!({"quantity": 1})).await.ok(201);
    let path = format!("/holds/{}/refund", hold["hold_id"].as_str().unwrap());
    scene.world.wait_for_empty_outbox().await;
    let before = state::snapshot(&scene.world, &[scene.sale.schedule]).await;
    for body in
        [json!({}), json!({"reason": ""}), json!({"reason": "  "}), json!({"reason": "a\u{0}"})]
    {
        scene.post(&path, body).await.refused(422, "invalid_request");
    }
    let unkeyed = scene.staff.post(&format!("{BASE}{path}"), json!({"reason": "x"})).await;
    unkeyed.refused(400, "idempotency_key_required");
    let why = json!({"reason": "Asked for it"});
    let unknown = "/holds/019a2f10-4c3b-7d52-9e61-2f0a8c1b7d34/refund";
    scene.post(unknown, why.clone()).await.refused(404, "hold_not_found");
    scene.post("/payments/999999/refund", why.clone()).await.refused(404, "payment_not_found");
    assert_eq!(state::snapshot(&scene.world, &[scene.sale.schedule]).await, before);
    scene.post(&path, why).await.refused(409, "hold_not_paid");
}

/// The buyer and two of the staff refund the same payment at once.
async fn race(scene: &Scene, seat: usize) -> Vec<u16> {
    let bought = scene.buy(&[seat]).await;
    let why = json!({"reason": "Race"});
    let path = bought.refund_path(0);
    let (own, one, two) = tokio::join!(
        bought.refund(0),
        scene.post(&path, why.clone()),
        scene.post(&path, why.clone())
    );
    let mut statuses = vec![own.status, one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(bought.balance().await, 1_000_000, "the points returned once: {statuses:?}");
    statuses
}

#[tokio::test]
async fn a_payment_that_the_buyer_and_staff_refund_at_once_is_refunded_once() {
    let scene = Scene::new(8).await;
    for seat in 0..8 {
        assert_eq!(race(&scene, seat).await, [200, 409, 409]);
    }
    assert_eq!(scene.contradictions().await, 0);
}

#[tokio::test]
async fn without_the_look_for_an_earlier_refund_constraints_refuse_the_second() {
    let scene = Scene::new(2).await;
    // The negative control: all payments are taken for due.
    let due = "select array_agg(p.id) as payments, array_agg(r.id) as reservations,
               array_agg(r.seat_id) as seats, array_agg(p.amount) as amounts,
               array_agg(p.payment_at) as paid_at
               into v_due from payment p join reservation r on r.id = p.reservation_id
               where p.id = any (p_payments);";
    let patch = Patch::of("refund_payments").replace("refunded_before", due);
    patch.apply(&scene.world.pool).await;
    assert_eq!(race(&scene, 0).await, [200, 500, 500]);
    assert_eq!(scene.contradictions().await, 0);
}

#[tokio::test]
async fn a_refund_after_the_sale_changes_its_final_report() {
    let scene = Scene::new(2).await;
    let bought = scene.buy(&[0, 1]).await;
    scene.world.wait_for_empty_outbox().await;
    let path = format!("/v1/admin/schedules/{}/report", scene.sale.schedule);
    scene.admin.get(&path).await;
    // As it is once the sale is settled: the report is final for this state.
    scene.close().await;
    let end = "update concert_schedule set deadline_at = clock_timestamp() - interval '10 min'";
    sqlx::query(end).execute(&scene.world.pool).await.expect("a past deadline");
    let reported = async |sold: i64| {
        crate::support::wait::until("the report", async || {
            let settle =
                "update queue_archive set settled_at = coalesce(settled_at, clock_timestamp())";
            sqlx::query(settle).execute(&scene.world.pool).await.expect("it is settled");
            let answer = scene.admin.get(&path).await;
            let report = (answer.status == 200).then_some(answer.body)?;
            (report["sales"]["sold"] == sold && report["updating"] == false).then_some(report)
        })
        .await
    };
    let first = reported(2).await;
    assert_eq!((&first["sales"]["revenue"], &first["settled"]), (&json!(200), &json!(true)));
    scene.post(&bought.refund_path(0), json!({"reason": "Late"})).await.ok(200);
    let second = reported(1).await;
    assert_eq!(
        (&second["sales"]["revenue"], &second["sales"]["refunds"]),
        (&json!(100), &json!(100))
    );
}
