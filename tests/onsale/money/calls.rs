//! A hold, a payment and a charge are one SQL call each. What each call guarantees, and what breaks
//! without it.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::crowd::{create_users, join_at_once};
use crate::support::faults::{Blocker, assert_consistent, broken_rules};
use crate::support::patch::Patch;
use crate::support::proxy::{Mode, Proxy};
use crate::support::sale::{self, Sale, expires_at};
use crate::support::wait::{sleep_until, until};
use crate::support::world::{Process, World};

/// A process, a sale of 20 seats, and active buyers with 1000 points each.
async fn active_buyers(world: &World, buyers: u32, queue: Value) -> (Process, Sale, Vec<Client>) {
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 20, queue).await;
    let crowd =
        join_at_once(create_users(world, &[process.addr], buyers, 1000).await, sale.schedule).await;
    (process, sale, crowd)
}

/// Sleeps until 20 ms after a time.
async fn sleep_past(at: DateTime<Utc>) {
    sleep_until(at + TimeDelta::milliseconds(20)).await;
}

/// Holds, pays and charges five times through a proxy that cuts the connection at each call; returns
/// how many answers were replays.
async fn through_cut_calls(fault: Mode) -> usize {
    let mut world = World::new().await;
    let (_direct, sale, crowd) = active_buyers(&world, 1, json!({"max_seats_per_user": 100})).await;
    let (proxy, through) = Proxy::of_url(&world.database_url).await;
    let direct_url = std::mem::replace(&mut world.database_url, through);
    let process = world.start().await;
    world.database_url = direct_url;
    let mut buyer = crowd[0].at(process.addr);
    let mut replays = 0;
    for round in 0..5 {
        buyer.join(sale.schedule).await; // a payment completes the entry
        let path = format!("/v1/schedules/{}/reservations", sale.schedule);
        let keyed = buyer.with_key(&format!("cut-here-hold-{round}"));
        let held = cut(&proxy, fault, &keyed, &path, json!({"seat_ids": [sale.seats[round]]}));
        let held = held.await;
        let keyed = buyer.with_key(&format!("cut-here-pay-{round}"));
        let pay = json!({"hold_id": held.body["hold_id"]});
        let paid = cut(&proxy, fault, &keyed, "/v1/payments", pay).await;
        let keyed = buyer.with_key(&format!("cut-here-charge-{round}"));
        let charge = json!({"amount": 10});
        let charged = cut(&proxy, fault, &keyed, "/v1/points/charges", charge).await;
        for answer in [held, paid, charged] {
            replays += usize::from(answer.header("idempotency-replayed") == "true");
            answer.ok(201);
        }
    }
    assert_eq!(proxy.cuts(), 15);
    assert_eq!(world.number("select count(*) from payment").await, 5);
    assert_eq!(world.number("select sum(amount)::bigint from point").await, 550);
    assert_consistent(&world).await;
    replays
}

/// Sends a request whose call is cut; returns the first answer except `request_in_progress`.
async fn cut(proxy: &Proxy, fault: Mode, buyer: &Client, path: &str, body: Value) -> Answer {
    proxy.set(fault);
    until("an answer", async || {
        let answer = buyer.post(path, body.clone()).await;
        (answer.code() != "request_in_progress").then_some(answer)
    })
    .await
}

#[tokio::test]
async fn a_call_whose_reply_was_lost_takes_effect_once() {
    assert!(through_cut_calls(Mode::CutAfter("cut-here")).await > 0, "the outcome is found");
}

#[tokio::test]
async fn a_call_that_never_arrived_is_repeated() {
    assert_eq!(through_cut_calls(Mode::CutBefore("cut-here")).await, 0);
}

/// The result row of a statement arrives before its commit; only the commit counts.
#[tokio::test]
async fn a_payment_or_charge_whose_commit_fails_is_not_confirmed() {
    let world = World::new().await;
    let (_process, sale, crowd) = active_buyers(&world, 1, json!({})).await;
    let held = crowd[0].hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    let rows = "select count(*) from point_history";
    let before = world.number(rows).await;
    for sql in [
        "create function fails() returns trigger language plpgsql as
           $$ begin raise exception 'no commit'; end $$",
        "create constraint trigger fails after insert on point_history
           deferrable initially deferred for each row execute function fails()",
    ] {
        sqlx::query(sql).execute(&world.pool).await.expect("a trigger");
    }
    let calls = [
        ("/v1/payments", json!({"hold_id": held["hold_id"]})),
        ("/v1/points/charges", json!({"amount": 5})),
    ];
    for (path, body) in &calls {
        let refused = crowd[0].with_key(path).post(path, body.clone()).await;
        assert_eq!(refused.status, 500, "{}", refused.text);
        assert_eq!(world.number(rows).await, before);
    }
    let drop = "drop trigger fails on point_history";
    sqlx::query(drop).execute(&world.pool).await.expect("no trigger");
    for (path, body) in calls {
        let done = crowd[0].with_key(path).post(path, body).await;
        assert_eq!((done.status, done.header("idempotency-replayed")), (201, ""), "{}", done.text);
    }
    assert_eq!(world.number("select count(*) from payment").await, 1);
    assert_consistent(&world).await;
}

/// Sends a payment in time that waits for the seat's lock until the hold has ended.
async fn pay_across_the_end(world: &World, buyer: &Client, sale: &Sale, seat: usize) -> Answer {
    let held = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[seat]]})).await.ok(201);
    let blocker = Blocker::of_seat(&world.pool, sale.seats[seat]).await;
    let (payer, hold) = (buyer.clone(), held.clone());
    let paying = tokio::spawn(async move { payer.pay(&hold).await });
    blocker.wait_for_waiter(&world.pool).await;
    assert!(Utc::now() < expires_at(&held), "the payment was sent in time");
    sleep_past(expires_at(&held)).await;
    blocker.release().await;
    paying.await.expect("no panic")
}

#[tokio::test]
async fn a_clock_read_with_or_before_the_lock_would_allow_a_payment_after_the_hold_ended() {
    let world = World::new().await;
    let (_process, sale, crowd) = active_buyers(&world, 1, json!({"hold_ttl_seconds": 1})).await;
    let mut buyer = crowd[0].clone();
    pay_across_the_end(&world, &buyer, &sale, 0).await.refused(409, "hold_expired");

    let with_lock = "select max(at) into paid_at from (select clock_timestamp() as at from seat
                       where id = any (v_hold.seats) order by id for no key update) locked;";
    let same = Patch::of("settle_payment").replace("lock_seats", with_lock);
    same.replace("clock", "null;").apply(&world.pool).await;
    pay_across_the_end(&world, &buyer, &sale, 1).await.ok(201);

    buyer.join(sale.schedule).await; // a payment completes the entry
    let before = Patch::of("settle_payment").replace("clock", "paid_at := statement_timestamp();");
    before.apply(&world.pool).await;
    pay_across_the_end(&world, &buyer, &sale, 2).await.ok(201);
}

#[tokio::test]
async fn a_hold_that_waited_for_a_lock_across_the_deadline_is_refused() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::create(&process.admin().await, (-1, 5), 1, 2, json!({})).await;
    let crowd =
        join_at_once(create_users(&world, &[process.addr], 1, 0).await, sale.schedule).await;
    let ask = "select deadline_at from concert_schedule where id = $1";
    let deadline = sqlx::query_scalar(ask).bind(sale.schedule).fetch_one(&world.pool).await;
    let deadline: DateTime<Utc> = deadline.expect("a time");
    // A request waits for a lock for at most 1.5 s.
    sleep_past(deadline - TimeDelta::milliseconds(800)).await;
    let blocker = Blocker::of_seat(&world.pool, sale.seats[0]).await;
    let (buyer, wish) = (crowd[0].clone(), json!({"seat_ids": [sale.seats[0]]}));
    let holding = tokio::spawn(async move { buyer.hold(sale.schedule, wish).await });
    blocker.wait_for_waiter(&world.pool).await;
    sleep_past(deadline).await;
    blocker.release().await;
    holding.await.expect("no panic").refused(409, "schedule_closed");
    assert_eq!(world.number("select count(*) from reservation").await, 0);
}

#[tokio::test]
async fn without_stored_keys_a_repeated_charge_counts_twice() {
    let world = World::new().await;
    let (_process, _sale, crowd) = active_buyers(&world, 1, json!({})).await;
    let charge = async |key: &str| {
        let keyed = crowd[0].with_key(key);
        keyed.post("/v1/points/charges", json!({"amount": 10})).await.ok(201)["balance"].clone()
    };
    assert_eq!((charge("stored").await, charge("stored").await), (json!(1010), json!(1010)));
    Patch::of("key_store").replace("store_outcome", "null;").apply(&world.pool).await;
    assert_eq!((charge("lost").await, charge("lost").await), (json!(1020), json!(1030)));
}

/// Makes two calls for one seat, the second before the first commits; returns their replies.
async fn two_calls(world: &World, sale: &Sale, crowd: &[Client], seat: i64) -> (String, String) {
    let call = "select reply from write_hold($1, 'key', sha256('hold'), $2, gen_random_uuid(), 1,
                                             array[$3], 5, 3)";
    let call = |buyer: &Client| sqlx::query_scalar(call).bind(buyer.user).bind(sale.schedule);
    let mut first = world.pool.begin().await.expect("a transaction");
    let held = call(&crowd[0]).bind(seat).fetch_one(&mut *first).await.expect("a reply");
    let ask = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut *first).await;
    let pid: i32 = ask.expect("a pid");
    let (second, pool) = (call(&crowd[1]).bind(seat), world.pool.clone());
    let second = tokio::spawn(async move { second.fetch_one(&pool).await.expect("a reply") });
    let waiting = "select count(*) from pg_stat_activity where $1 = any(pg_blocking_pids(pid))";
    until("the second waits for the first", async || {
        let count = sqlx::query_scalar(waiting).bind(pid).fetch_one(&world.pool).await;
        (count.unwrap_or(0_i64) > 0).then_some(())
    })
    .await;
    first.commit().await.expect("a commit");
    (held, second.await.expect("no panic"))
}

#[tokio::test]
async fn two_calls_for_a_seat_have_one_winner_and_without_lock_and_index_two() {
    let world = World::new().await;
    let (_process, sale, crowd) = active_buyers(&world, 2, json!({})).await;
    let replies = two_calls(&world, &sale, &crowd, sale.seats[0]).await;
    assert_eq!(replies, ("OK".to_owned(), "TAKEN".to_owned()));
    assert_consistent(&world).await;

    for sql in ["drop index reservation_one_live_per_seat", "delete from idempotency_key"] {
        sqlx::query(sql).execute(&world.pool).await.expect("it is gone");
    }
    Patch::of("write_hold").replace("lock_seats", "null;").apply(&world.pool).await;
    let replies = two_calls(&world, &sale, &crowd, sale.seats[1]).await;
    assert_eq!(replies, ("OK".to_owned(), "OK".to_owned()));
    assert_eq!(
        broken_rules(&world.pool).await,
        ["a seat has one live reservation at most: broken 1 times"]
    );
}

/// In the first snapshot of its statement, a function would not see what the previous holder of the
/// lock committed.
#[tokio::test]
async fn a_process_does_not_start_when_a_function_is_not_volatile() {
    let world = World::new().await;
    sqlx::query("alter function write_hold stable").execute(&world.pool).await.expect("altered");
    let refused = onsale::app::start(world.settings(&[])).await.err().expect("a refusal");
    assert!(refused.to_string().contains("write_hold"), "{refused}");
}
