//! Lost answers, cut connections and killed processes: each request takes effect once, gets one
//! answer, and everything works again afterwards.

use std::time::Duration;

use redis::AsyncCommands;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::crowd::{create_users, join_at_once};
use crate::support::faults::{Blocker, Served, assert_consistent, holder, key, serve};
use crate::support::proxy::{Mode, Proxy};
use crate::support::sale::{self, Sale};
use crate::support::wait::{until, until_within};
use crate::support::world::{Process, World};

/// A sale of 40 seats, and active buyers with points.
async fn active_buyers(world: &World, buyers: u32) -> (Process, Sale, Vec<Client>) {
    let process = world.start().await;
    let queue = json!({"max_seats_per_user": 100});
    let sale = sale::open(&process.admin().await, 2, 20, queue).await;
    let crowd = create_users(world, &[process.addr], buyers, 10_000).await;
    let crowd = join_at_once(crowd, sale.schedule).await;
    (process, sale, crowd)
}

fn reservations(sale: &Sale) -> String {
    format!("/v1/schedules/{}/reservations", sale.schedule)
}

/// Sends a request whose answer is lost, then repeats it; returns the answer to the repeat.
async fn lose_then_repeat(proxy: &Proxy, client: &Client, path: &str, body: &Value) -> Answer {
    let cuts = proxy.cuts();
    proxy.set(Mode::CutAtReply);
    // A separate connection, so that the HTTP client does not repeat the request by itself.
    let mut fresh = Client::new(proxy.addr);
    fresh.token.clone_from(&client.token);
    fresh.ticket.clone_from(&client.ticket);
    fresh.key.clone_from(&client.key);
    let lost = fresh.request(Method::POST, path).json(body).send().await;
    assert!(lost.is_err(), "the answer got through: {lost:?}");
    assert_eq!(proxy.cuts(), cuts + 1);
    let repeated = client.post(path, body.clone()).await;
    assert_eq!(repeated.header("idempotency-replayed"), "true", "{}", repeated.text);
    repeated
}

#[tokio::test]
async fn a_request_whose_answer_was_lost_takes_effect_once_and_its_retry_gets_the_answer() {
    let world = World::new().await;
    let (process, sale, crowd) = active_buyers(&world, 1).await;
    let proxy = Proxy::before(process.addr).await;
    let buyer = &crowd[0];
    let charge = json!({"amount": 500});
    let charged = lose_then_repeat(&proxy, &buyer.keyed(), "/v1/points/charges", &charge).await;
    assert_eq!(charged.ok(201)["balance"], 10_500);
    let wish = json!({"quantity": 2});
    let held = lose_then_repeat(&proxy, &buyer.keyed(), &reservations(&sale), &wish).await.ok(201);
    assert_eq!(held["total_amount"], 200);
    let pay = json!({"hold_id": held["hold_id"]});
    let paid = lose_then_repeat(&proxy, &buyer.keyed(), "/v1/payments", &pay).await.ok(201);
    assert_eq!(paid["balance"], 10_300);
    let refund = format!("/v1/payments/{}/refund", paid["payments"][0]["id"]);
    let refunded = lose_then_repeat(&proxy, &buyer.keyed(), &refund, &json!({})).await.ok(200);
    assert_eq!(refunded["balance"], 10_400);
    assert_eq!(world.number("select count(*) from reservation").await, 2);
    assert_eq!(world.number("select count(*) from point_history").await, 4);
    assert_consistent(&world).await;
}

/// Refunds and holds ten times, with a fault at each COMMIT; returns how many answers were replays.
async fn through_cut_commits(fault: Mode) -> usize {
    let mut world = World::new().await;
    let (_direct, sale, mut crowd) = active_buyers(&world, 1).await;
    let (proxy, through) = Proxy::of_url(&world.database_url).await;
    let direct_url = std::mem::replace(&mut world.database_url, through);
    let process = world.start().await;
    world.database_url = direct_url;
    let held = crowd[0].hold(sale.schedule, json!({"quantity": 5})).await.ok(201);
    let paid = crowd[0].pay(&held).await.ok(201);
    crowd[0].join(sale.schedule).await.ok(201); // a payment completes the entry
    let buyer = crowd[0].at(process.addr);
    let mut replays = 0;
    // While the first try is in progress a repeat is refused, and is sent again under its key.
    let send = async |path: &str, body: Value| {
        let keyed = buyer.keyed();
        until("an answer", async || {
            let answer = keyed.post(path, body.clone()).await;
            (answer.code() != "request_in_progress").then_some(answer)
        })
        .await
    };
    for round in 0..5 {
        proxy.set(fault);
        let refund = format!("/v1/payments/{}/refund", paid["payments"][round]["id"]);
        let refunded = send(&refund, json!({})).await;
        proxy.set(fault);
        let held = send(&reservations(&sale), json!({"quantity": 1})).await;
        for (answer, status) in [(refunded, 200), (held, 201)] {
            replays += usize::from(answer.header("idempotency-replayed") == "true");
            answer.ok(status);
        }
    }
    assert!(proxy.cuts() >= 5, "{} cuts", proxy.cuts());
    let live = "select count(*) from reservation where status = 'PAYMENT_WAITING'";
    assert_eq!(world.number(live).await, 5);
    assert_eq!(world.number("select count(*) from point_history where kind = 'REFUND'").await, 5);
    let mut redis = world.raw_redis().await;
    let numbers = "select seat_number from seat where id in
                     (select seat_id from reservation where status = 'PAYMENT_WAITING')";
    let numbers = sqlx::query_scalar(numbers).fetch_all(&world.pool).await.expect("numbers");
    for number in numbers.into_iter().map(i32::unsigned_abs) {
        until("Redis has every hold", async || {
            holder(&mut redis, sale.schedule, number).await.contains(" KEEP ").then_some(())
        })
        .await;
    }
    assert_consistent(&world).await;
    replays
}

#[tokio::test]
async fn a_commit_whose_reply_was_lost_takes_effect_once() {
    assert!(through_cut_commits(Mode::CutAfter("COMMIT")).await > 0, "the outcome is found");
}

#[tokio::test]
async fn a_commit_that_never_arrived_is_repeated() {
    through_cut_commits(Mode::CutBefore("COMMIT")).await;
}

/// A process to be killed, one that stays, a sale, two buyers, and a lock on the first seat.
async fn killed_while_holding(
    world: &World,
    redis_url: &str,
) -> (Served, Process, Sale, Vec<Client>, Blocker) {
    let (process, sale, crowd) = active_buyers(world, 2).await;
    let doomed = Served::start_on(&world.database_url, redis_url).await;
    let blocker = Blocker::of_seat(&world.pool, sale.seats[0]).await;
    (doomed, process, sale, crowd, blocker)
}

#[tokio::test]
async fn a_process_killed_before_its_commit_leaves_the_seat_free_within_6_s() {
    let world = World::new().await;
    let (_process, sale, crowd) = active_buyers(&world, 2).await;
    let (proxy, through) = Proxy::of_url(&world.database_url).await;
    let doomed = Served::start_on(&through, &world.redis_url).await;
    proxy.set(Mode::KeepFrom("never-arrives"));
    let (wish, mut redis) = (json!({"seat_ids": [sale.seats[0]]}), world.raw_redis().await);
    let holding = crowd[0].at(doomed.addr).with_key("never-arrives");
    let request = holding.request(Method::POST, &reservations(&sale)).json(&wish);
    let lost = tokio::spawn(request.send());
    until("the process has claimed the seat", async || {
        let claimed: bool = redis.hexists(key(sale.schedule, "claim"), 1).await.expect("Redis");
        claimed.then_some(())
    })
    .await;
    doomed.kill().await;
    assert!(lost.await.expect("no panic").is_err());
    crowd[1].hold(sale.schedule, wish.clone()).await.refused(409, "seat_taken");
    until_within(Duration::from_secs(6), "the claim expires", async || {
        (crowd[1].hold(sale.schedule, wish.clone()).await.status == 201).then_some(())
    })
    .await;
    assert_eq!(world.number("select count(*) from reservation").await, 1);
    assert_consistent(&world).await;
}

/// PostgreSQL finishes a call although the process that made it is gone.
#[tokio::test]
async fn a_retry_gets_the_hold_that_a_killed_process_was_waiting_for() {
    let world = World::new().await;
    let (doomed, _process, sale, crowd, blocker) =
        killed_while_holding(&world, &world.redis_url).await;
    let (wish, path) = (json!({"seat_ids": [sale.seats[0]]}), reservations(&sale));
    let holding = crowd[0].at(doomed.addr).with_key("hold");
    let lost = tokio::spawn(holding.request(Method::POST, &path).json(&wish).send());
    blocker.wait_for_waiter(&world.pool).await;
    doomed.kill().await;
    blocker.release().await;
    assert!(lost.await.expect("no panic").is_err());
    let held = until("the hold is no longer in progress", async || {
        let answer = crowd[0].with_key("hold").post(&path, wish.clone()).await;
        (answer.code() != "request_in_progress").then_some(answer)
    })
    .await;
    assert_eq!(held.header("idempotency-replayed"), "true");
    let paid = crowd[0].pay(&held.ok(201)).await.ok(201);
    assert_eq!(paid["total_amount"], 100);
    assert_eq!(world.number("select count(*) from reservation").await, 1);
    assert_consistent(&world).await;
}

#[tokio::test]
async fn a_commit_of_a_killed_process_reaches_redis_and_its_retry_gets_the_answer() {
    let world = World::new().await;
    let (proxy, through) = Proxy::of_url(&world.redis_url).await;
    let (doomed, process, sale, mut crowd, blocker) = killed_while_holding(&world, &through).await;
    let (schedule, path) = (sale.schedule, reservations(&sale));
    let wish = json!({"seat_ids": [sale.seats[0]]});
    let holding = crowd[0].at(doomed.addr).with_key("hold");
    let request = holding.request(Method::POST, &path).json(&wish);
    let lost = tokio::spawn(request.send());
    blocker.wait_for_waiter(&world.pool).await;
    proxy.set(Mode::HoleUp); // the process has claimed, and can send Redis nothing more
    blocker.release().await;
    until("the hold is committed", async || {
        (world.number("select count(*) from reservation").await == 1).then_some(())
    })
    .await;
    doomed.kill().await;
    assert!(lost.await.expect("no panic").is_err());
    let held = crowd[0].with_key("hold").post(&path, wish.clone()).await;
    assert_eq!(held.header("idempotency-replayed"), "true");
    let held = held.ok(201);
    let mut redis = world.raw_redis().await;
    let kept = format!(" KEEP {}", held["hold_id"].as_str().unwrap());
    until("the relay applies the hold in Redis", async || {
        holder(&mut redis, schedule, 1).await.contains(&kept).then_some(())
    })
    .await;

    proxy.set(Mode::Pass);
    let doomed = Served::start_on(&world.database_url, &through).await;
    proxy.set(Mode::HoleUp);
    pay_and_kill(&world, doomed, &sale, &mut crowd[0], &held).await;
    crowd[1].hold(schedule, wish).await.refused(409, "seat_taken");
    assert_eq!(crowd.remove(0).at(process.addr).poll().await.ok(200)["status"], "COMPLETED");
    assert_consistent(&world).await;
}

/// Pays at a process that is killed after its commit; checks that the other process completes it.
async fn pay_and_kill(
    world: &World,
    doomed: Served,
    sale: &Sale,
    buyer: &mut Client,
    held: &Value,
) {
    let mut redis = world.raw_redis().await;
    let pay = json!({"hold_id": held["hold_id"]});
    let paying = buyer.at(doomed.addr).with_key("pay");
    let lost = tokio::spawn(paying.request(Method::POST, "/v1/payments").json(&pay).send());
    until("the payment is committed", async || {
        (world.number("select count(*) from payment").await == 1).then_some(())
    })
    .await;
    doomed.kill().await;
    assert!(lost.await.expect("no panic").is_err());
    until("the relay applies the sale in Redis", async || {
        holder(&mut redis, sale.schedule, 1).await.contains(" SELL ").then_some(())
    })
    .await;
    let completed = until("the relay completes the ticket", async || {
        let ticket = buyer.clone().poll().await.ok(200);
        (ticket["status"] != "ACTIVE").then_some(ticket)
    })
    .await;
    assert_eq!(completed["status"], "COMPLETED");
    let paid = buyer.with_key("pay").post("/v1/payments", pay).await;
    assert_eq!(paid.header("idempotency-replayed"), "true");
    assert_eq!(paid.ok(201)["balance"], 9_900);
}

#[tokio::test]
async fn a_process_does_not_start_without_a_guard_in_the_schema() {
    let world = World::new().await;
    let drops = [
        ("seat_number_once_per_schedule", "alter table seat drop constraint"),
        ("idempotency_key_pkey", "alter table idempotency_key drop constraint"),
        ("point_history_once_per_reference", "drop index"),
        ("point_user_id_key", "alter table point drop constraint"),
        ("point_not_negative", "alter table point drop constraint"),
        ("payment_once_per_reservation", "alter table payment drop constraint"),
        ("reservation_of_hold", "drop index"),
        ("reservation_one_live_per_seat", "drop index"),
        // Functions are checked before the others.
        ("charge_points", "drop function"),
        ("settle_payment", "drop function"),
        ("write_hold", "drop function"),
        ("point_change", "drop function"),
        ("point_lock", "drop function"),
        ("key_store", "drop function"),
        ("key_claim", "drop function"),
    ];
    drop(Served::start(&world).await);
    for (guard, how) in drops {
        let sql = sqlx::AssertSqlSafe(format!("{how} {guard}"));
        sqlx::query(sql).execute(&world.pool).await.expect("a drop");
        let refused = onsale::app::start(world.settings(&[])).await.err().expect("a refusal");
        assert!(refused.to_string().contains(guard), "{refused}");
    }
    let output = serve(&world.database_url, &world.redis_url).output().await.expect("it ends");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(errors.contains("key_claim"), "{errors}");
}
