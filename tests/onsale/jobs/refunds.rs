//! Refunds of whole schedules beside buyers, and what they refund.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::books::{check_job, check_refunded, lock_seat, sell, until_stopped};
use super::{refund, wait_for};
use crate::box_office::scene::Scene;
use crate::sale::refusals::active_buyer;
use crate::support::client::Client;
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::{Process, World, token};

/// Every buyer of a schedule with one of their payments.
async fn buyers(world: &World, process: &Process) -> Vec<(Client, i64)> {
    let rows = "select user_id, min(id) from payment group by user_id order by user_id";
    let rows: Vec<(i64, i64)> =
        sqlx::query_as(rows).fetch_all(&world.pool).await.expect("payments");
    let client = |user| {
        let mut client = process.anonymous();
        client.user = user;
        client.token = Some(token(user, onsale::caller::Role::User));
        client
    };
    rows.into_iter().map(|(user, payment)| (client(user), payment)).collect()
}

async fn status_of(world: &World, payment: &Value) -> String {
    let ask = "select status from payment where id = $1";
    let id = payment["id"].as_i64().expect("an id");
    sqlx::query_scalar(ask).bind(id).fetch_one(&world.pool).await.expect("a payment")
}

#[tokio::test]
async fn buyers_who_refund_their_own_payments_meanwhile_get_each_once() {
    let world = World::new().await;
    let one = world.start_with(&["--user-requests=0"]).await;
    let two = world.start().await;
    let admin = one.admin().await;
    let feed = json!({"enabled": true});
    admin.patch("/v1/admin/event-feed", feed).await.ok(200);
    let schedule = sale::open(&admin, 6, 100, json!({})).await.schedule;
    sell(&world, schedule, 3).await;
    world
        .number("with gone as (delete from sale_event returning 1) select count(*) from gone")
        .await;
    // The job stops near its first seat until the buyers are there.
    let lock = lock_seat(&world, schedule, 3).await;
    let job = refund(&admin, schedule, "BLOCK").await.ok(202);
    until_stopped(&world).await;
    let mut refunds = JoinSet::new();
    for (at, (buyer, payment)) in buyers(&world, &one).await.into_iter().enumerate() {
        let buyer = if at % 2 == 0 { buyer } else { buyer.at(two.addr) };
        refunds.spawn(async move {
            let path = format!("/v1/payments/{payment}/refund");
            let answer = buyer.keyed().post_with_retries(&path, json!({})).await;
            if answer.status != 200 {
                answer.refused(409, "already_refunded");
            }
        });
        if at == 20 {
            // Some buyers before the job goes on, and the others beside it.
            while let Some(own) = refunds.join_next().await {
                own.expect("an answer");
            }
        }
    }
    lock.rollback().await.expect("unlocked");
    while let Some(own) = refunds.join_next().await {
        own.expect("an answer");
    }
    let job = wait_for(&admin, &job, "DONE").await;
    let own = "select count(*) from seat where not blocked";
    let own = world.number(own).await;
    assert!(own >= 20, "buyers were refunded too: {own}");
    assert_eq!(job["done"], 600 - own, "{job}");
    let unblocked = "update seat set blocked = true where not blocked";
    sqlx::query(unblocked).execute(&world.pool).await.expect("the seats of the buyers");
    check_refunded(&world, 600, true).await;
    let recorded = "select coalesce(sum(jsonb_array_length(data -> 'reservations')), 0)::bigint
                from sale_event where type = 'reservation.refunded'";
    assert_eq!(world.number(recorded).await, 600, "each refunded reservation is in one event");
}

#[tokio::test]
async fn while_a_sale_is_open_later_payments_stay() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 10, json!({})).await;
    let early = active_buyer(&process, &sale).await;
    let hold = early.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    let early = early.pay(&hold).await.ok(201);
    let late = active_buyer(&process, &sale).await;
    let preview = format!("/v1/admin/schedules/{}/refund", sale.schedule);
    let before = admin.get(&preview).await.ok(200);
    assert_eq!(
        (&before["seats"], &before["buyers"], &before["amount"]),
        (&json!(1), &json!(1), &json!(100))
    );
    assert_eq!((&before["selling"], &before["job_id"]), (&json!(true), &Value::Null));

    let lock = lock_seat(&world, sale.schedule, 1).await;
    let job = refund(&admin, sale.schedule, "FREE").await.ok(202);
    until_stopped(&world).await;
    assert_eq!(admin.get(&preview).await.ok(200)["job_id"], job["id"]);
    refund(&admin, sale.schedule, "FREE").await.refused(409, "job_exists");
    let hold = late.hold(sale.schedule, json!({"seat_ids": [sale.seats[4]]})).await.ok(201);
    let late = late.pay(&hold).await.ok(201);
    until("the failure of the page is shown", async || {
        let job = admin.get(&format!("/v1/admin/jobs/{}", job["id"])).await.ok(200);
        (job["error"] == "store_unavailable" && job["state"] == "RUNNING").then_some(())
    })
    .await;
    lock.rollback().await.expect("unlocked");
    let job = wait_for(&admin, &job, "DONE").await;
    check_job(&job, 1);
    assert_eq!(status_of(&world, &early["payments"][0]).await, "REFUNDED");
    assert_eq!(status_of(&world, &late["payments"][0]).await, "COMPLETE");
    let after = admin.get(&preview).await.ok(200);
    assert_eq!((&after["seats"], &after["refunded_seats"]), (&json!(1), &json!(1)));
    // The freed seat is for sale again.
    let again = active_buyer(&process, &sale).await;
    again.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
}

#[tokio::test]
async fn of_a_withdrawn_concert_holds_that_are_paid_meanwhile_are_refunded_too() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 1, 10, json!({"max_seats_per_user": 4})).await;
    let buyer = active_buyer(&process, &sale).await;
    let hold = buyer.hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    let concert = format!("/v1/admin/concerts/{}", sale.concert);
    admin.patch(&concert, json!({"status": "UNAVAILABLE"})).await.ok(200);
    let preview = format!("/v1/admin/schedules/{}/refund", sale.schedule);
    let before = admin.get(&preview).await.ok(200);
    assert_eq!((&before["selling"], &before["held_seats"]), (&json!(false), &json!(2)));
    let job = refund(&admin, sale.schedule, "BLOCK").await.ok(202);
    let path = format!("/v1/admin/jobs/{}", job["id"]);
    until("the job waits for the hold", async || {
        let looked = "select count(*) from job where state = 'RUNNING'
                        and due_at > clock_timestamp() and cursor = 'null'";
        (world.number(looked).await == 1).then_some(())
    })
    .await;
    assert_eq!(admin.get(&path).await.ok(200)["state"], "RUNNING");
    let paid = buyer.pay(&hold).await.ok(201);
    let job = wait_for(&admin, &job, "DONE").await;
    assert_eq!((&job["total"], &job["done"]), (&json!(0), &json!(2)), "{job}");
    for payment in paid["payments"].as_array().expect("payments") {
        assert_eq!(status_of(&world, payment).await, "REFUNDED");
    }
    until("Redis has the seats as blocked", async || {
        let seats = admin.get(&format!("/v1/schedules/{}", sale.schedule)).await.ok(200);
        (seats["seats"]["blocked"] == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn seats_of_guests_are_not_refunded_and_guests_are_no_buyers() {
    let scene = Scene::new(4).await;
    let bought = scene.buy(&[0, 1]).await;
    let schedule = scene.sale.schedule;
    let gift = json!({"user_id": bought.buyer.user, "seat_ids": [scene.sale.seats[2]],
                      "reason": "A prize."});
    scene.post(&format!("/schedules/{schedule}/guests"), gift).await.ok(201);
    let other = json!({"name": "Press", "seat_ids": [scene.sale.seats[3]], "reason": "Press."});
    scene.post(&format!("/schedules/{schedule}/guests"), other).await.ok(201);
    let path = format!("/v1/admin/schedules/{schedule}");
    let preview = scene.admin.get(&format!("{path}/refund")).await.ok(200);
    let count = |name: &str| preview[name].as_i64();
    assert_eq!((count("seats"), count("buyers"), count("amount")), (Some(2), Some(1), Some(200)));
    let file = scene.admin.get(&format!("{path}/exports/buyers.csv")).await;
    assert_eq!(file.text.lines().count(), 2, "the first line and one buyer: {}", file.text);
    let job = refund(&scene.admin, schedule, "FREE").await.ok(202);
    let job = wait_for(&scene.admin, &job, "DONE").await;
    assert_eq!((&job["total"], &job["done"]), (&json!(2), &json!(2)), "{job}");
    let kept = "select count(*) from reservation where guest and status = 'COMPLETE'";
    assert_eq!(scene.world.number(kept).await, 2);
}
