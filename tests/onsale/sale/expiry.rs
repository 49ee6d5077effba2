//! The end of a hold: it can be paid until then, and another buyer can hold its seats 5 s later.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::client::{Answer, Client};
use crate::support::crowd::{create_users, join_at_once, run_all};
use crate::support::faults::{Blocker, assert_consistent};
use crate::support::sale::{self, Sale, expires_at};
use crate::support::wait::{sleep_until, until, until_within};
use crate::support::world::{Process, World};

/// Active buyers with points, and a sale whose holds last 1 s.
async fn brief_holds(world: &World, buyers: u32, seats: u32) -> (Process, Vec<Client>, Sale) {
    let process = world.start().await;
    let queue = json!({"hold_ttl_seconds": 1, "max_seats_per_user": 100});
    let sale = sale::open(&process.admin().await, 1, seats, queue).await;
    let crowd = create_users(world, &[process.addr], buyers, 1000).await;
    (process, join_at_once(crowd, sale.schedule).await, sale)
}

async fn hold(buyer: &Client, sale: &Sale, seat: usize) -> Answer {
    buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[seat]]})).await
}

async fn status_of(pool: &PgPool, hold: &Value) -> String {
    let found =
        sqlx::query_scalar("select status from reservation where hold_id = $1::uuid limit 1")
            .bind(hold["hold_id"].as_str().expect("an id"));
    found.fetch_one(pool).await.expect("a status")
}

#[tokio::test]
async fn the_seat_of_an_expired_hold_is_free_for_the_next_buyer() {
    let world = World::new().await;
    let (process, crowd, sale) = brief_holds(&world, 2, 1).await;
    let first = hold(&crowd[0], &sale, 0).await.ok(201);
    let second = until_within(Duration::from_secs(10), "the seat is free again", async || {
        let answer = hold(&crowd[1], &sale, 0).await;
        if answer.status != 201 {
            answer.refused(409, "seat_taken");
            return None;
        }
        Some(answer.body)
    })
    .await;
    let taken_at = expires_at(&second) - Duration::from_secs(1);
    assert!(taken_at >= expires_at(&first) + Duration::from_secs(5), "not earlier");
    assert_eq!(status_of(&world.pool, &first).await, "EXPIRED");
    crowd[0].pay(&first).await.refused(409, "hold_expired");
    until("the map shows the seat as free when nobody pays", async || {
        let path = format!("/v1/schedules/{}/seats", sale.schedule);
        let map = process.anonymous().get(&path).await.ok(200);
        (map["seats"][0]["status"] == "AVAILABLE").then_some(())
    })
    .await;
    assert_consistent(&world).await;
}

#[tokio::test]
async fn an_expired_seat_can_be_held_again_while_the_expiry_loop_is_blocked() {
    let world = World::new().await;
    let (_process, crowd, sale) = brief_holds(&world, 3, 2).await;
    let stuck = hold(&crowd[0], &sale, 0).await.ok(201);
    let expired = hold(&crowd[1], &sale, 1).await.ok(201);
    // The expiry loop processes seats in order, so it stops at the locked first seat.
    let blocker = Blocker::of_seat(&world.pool, sale.seats[0]).await;
    until("the second seat is free again", async || {
        (hold(&crowd[2], &sale, 1).await.status == 201).then_some(())
    })
    .await;
    assert_eq!(status_of(&world.pool, &expired).await, "EXPIRED");
    assert_eq!(status_of(&world.pool, &stuck).await, "PAYMENT_WAITING", "the loop was blocked");
    blocker.release().await;
    until("the loop ends the first hold too", async || {
        (status_of(&world.pool, &stuck).await == "EXPIRED").then_some(())
    })
    .await;
    assert_consistent(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_at_the_deadline_succeeds_or_fails_as_a_whole() {
    const BUYERS: u32 = 50;
    let world = World::new().await;
    let (_process, crowd, sale) = brief_holds(&world, BUYERS, 2 * BUYERS * 3).await;
    let (mut won, mut lost) = (0, 0);
    for round in 0..3 {
        let seats = sale.seats[100 * round..].to_vec();
        let buyers = crowd.clone().into_iter().enumerate();
        let (schedule, pool) = (sale.schedule, world.pool.clone());
        let buyers = buyers.map(|(number, buyer)| {
            (number, buyer, seats[2 * number..2 * number + 2].to_vec(), pool.clone())
        });
        let outcomes = run_all(buyers, move |(number, mut buyer, seats, pool)| async move {
            buyer.join(schedule).await; // a payment completes the entry
            let wanted = json!({"seat_ids": seats});
            let held = buyer.hold(schedule, wanted).await.ok(201);
            // From 300 ms before to 50 ms after the end, mostly within 50 ms of it.
            let offset = [-300, -50, -30, -20, -10, -5, 0, 5, 20, 50][number % 10];
            sleep_until(expires_at(&held) + chrono::TimeDelta::milliseconds(offset)).await;
            (buyer.pay(&held).await, status_of(&pool, &held).await)
        })
        .await;
        for (answer, status) in outcomes {
            if answer.status == 201 {
                assert_eq!(
                    (status.as_str(), &answer.body["total_amount"]),
                    ("COMPLETE", &json!(200))
                );
                won += 1;
            } else {
                answer.refused(409, "hold_expired");
                assert_eq!(status, "PAYMENT_WAITING", "overdue, until it is ended or taken over");
                lost += 1;
            }
        }
    }
    assert!(won >= 3 && lost >= 3, "{won} won, {lost} lost: the test needs both");
    assert_eq!(world.number("select count(*) from payment").await, 2 * won);
    let spent =
        "select -coalesce(sum(amount), 0)::bigint from point_history where kind = 'PAYMENT'";
    assert_eq!(world.number(spent).await, 200 * won);
    let halves = "select count(*) from (select hold_id from reservation
                  group by hold_id having count(distinct status) > 1) half";
    assert_eq!(world.number(halves).await, 0);
    assert_consistent(&world).await;
}

#[tokio::test]
async fn a_payment_that_waited_for_a_lock_across_the_deadline_is_refused() {
    let world = World::new().await;
    let (_process, crowd, sale) = brief_holds(&world, 3, 3).await;
    for (seat, buyer) in crowd.into_iter().enumerate() {
        let held = hold(&buyer, &sale, seat).await.ok(201);
        let blocker = Blocker::of_seat(&world.pool, sale.seats[seat]).await;
        let (payer, hold_now) = (buyer.with_key("pay"), held.clone());
        let paying = tokio::spawn(async move {
            payer.post("/v1/payments", json!({"hold_id": hold_now["hold_id"]})).await
        });
        blocker.wait_for_waiter(&world.pool).await;
        assert!(Utc::now() < expires_at(&held), "the payment was sent in time");
        sleep_until(expires_at(&held) + chrono::TimeDelta::milliseconds(20)).await;
        blocker.release().await;
        let refused = paying.await.expect("no panic");
        refused.refused(409, "hold_expired");
        let pay = json!({"hold_id": held["hold_id"]});
        let again = buyer.with_key("pay").post("/v1/payments", pay).await;
        assert_eq!((again.status, again.header("idempotency-replayed")), (409, "true"));
        assert_eq!(again.body["code"], refused.body["code"]);
        assert_eq!(buyer.get("/v1/points").await.ok(200)["amount"], 1000);
    }
    assert_consistent(&world).await;
}

/// The reason why the lock comes first, and the clock is read in the next statement.
#[tokio::test]
async fn a_single_statement_with_the_clock_in_it_would_pay_after_the_deadline() {
    let world = World::new().await;
    let (_process, crowd, sale) = brief_holds(&world, 1, 1).await;
    let held = hold(&crowd[0], &sale, 0).await.ok(201);
    let blocker = Blocker::of_seat(&world.pool, sale.seats[0]).await;
    let naive = "update reservation set status = 'COMPLETE' where seat_id = $1
                   and status = 'PAYMENT_WAITING' and expires_at > clock_timestamp()
                 returning clock_timestamp()";
    let (pool, seat) = (world.pool.clone(), sale.seats[0]);
    let paying = tokio::spawn(async move {
        let paid = sqlx::query_scalar(naive).bind(seat).fetch_optional(&pool).await;
        paid.expect("an answer")
    });
    blocker.wait_for_waiter(&world.pool).await;
    sleep_until(expires_at(&held) + chrono::TimeDelta::milliseconds(20)).await;
    blocker.release().await;
    let paid_at: Option<DateTime<Utc>> = paying.await.expect("no panic");
    assert!(paid_at.is_some_and(|at| at > expires_at(&held)), "paid after the end: {paid_at:?}");
}

#[tokio::test]
async fn a_payment_after_the_deadline_takes_no_points() {
    let world = World::new().await;
    let (_process, crowd, sale) = brief_holds(&world, 1, 2).await;
    let held = hold(&crowd[0], &sale, 0).await.ok(201);
    sleep_until(expires_at(&held)).await;
    crowd[0].pay(&held).await.refused(409, "hold_expired");
    assert_eq!(crowd[0].get("/v1/points").await.ok(200)["amount"], 1000);
    let path = format!("/v1/holds/{}", held["hold_id"].as_str().expect("an id"));
    assert_eq!(crowd[0].get(&path).await.ok(200)["status"], "EXPIRED");
    assert_eq!(world.number("select count(*) from payment").await, 0);
}

#[tokio::test]
async fn a_released_seat_is_free_at_once_and_holding_it_repeatedly_is_refused() {
    let world = World::new().await;
    let (_process, crowd, sale) = brief_holds(&world, 2, 2).await;
    let mut kept = None;
    for _ in 0..3 {
        let held = hold(&crowd[0], &sale, 0).await.ok(201);
        hold(&crowd[1], &sale, 0).await.refused(409, "seat_taken");
        let path = format!("/v1/holds/{}", held["hold_id"].as_str().expect("an id"));
        for _ in 0..2 {
            assert_eq!(crowd[0].delete(&path).await.status, 204, "also when repeated");
        }
        crowd[0].pay(&held).await.refused(409, "hold_expired");
        kept = Some(path);
    }
    hold(&crowd[0], &sale, 0).await.refused(429, "hold_limit");
    let other = hold(&crowd[1], &sale, 0).await.ok(201);
    // The owner of the old hold cannot release what belongs to another buyer now.
    assert_eq!(crowd[0].delete(&kept.expect("a hold")).await.status, 204);
    assert_eq!(crowd[1].pay(&other).await.ok(201)["total_amount"], 100);
    hold(&crowd[0], &sale, 1).await.ok(201);
    assert_consistent(&world).await;
}
