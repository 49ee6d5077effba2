//! A charge of points: one round trip, one effect, whatever fails.

use chrono::{DateTime, Utc};
use onsale::idempotency::model::Request;
use onsale::queue::model::Sequence;
use onsale::reservation::pg::hold::NewHold;
use onsale::store::id::{SeatId, UserId};
use onsale::store::pg::Pg;
use onsale::store::pg::single::Call;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::stored_forms::{Charging, FormerCharge, Holding, Paying, sale_of_two};
use crate::support::faults::{Blocker, Served, assert_consistent};
use crate::support::patch::Patch;
use crate::support::proxy::Proxy;
use crate::support::wait::until;
use crate::support::world::World;

const PATH: &str = "/v1/points/charges";

/// The round trips of a call.
async fn round_trips<C: Call>(proxy: &Proxy, pg: &Pg, call: &C) -> usize {
    let before = proxy.round_trips();
    pg.call(call).await.expect("a reply");
    proxy.round_trips() - before
}

#[tokio::test]
async fn a_hold_a_payment_and_a_charge_are_one_round_trip_each() {
    let world = World::new().await;
    let (schedule, seats, [user, _]) = sale_of_two(&world).await;
    let (proxy, through) = Proxy::of_url(&world.database_url).await;
    let pg = Pg::lazy(&through, 1).expect("a pool");
    let mut counts = Vec::new();
    // The first round prepares the statements.
    for round in 0..2 {
        let request = |what: &str| Request::new(user, &format!("{what} {round}"), what, &round);
        let (id, sequence, seats) = (Uuid::now_v7(), Sequence(7), [SeatId(seats[round])]);
        let hold = request("hold");
        let new = NewHold { request: &hold, schedule, id, sequence, seats: &seats };
        let held = round_trips(&proxy, &pg, &Holding(new)).await;
        let paid = round_trips(&proxy, &pg, &Paying(&request("pay"), id, None)).await;
        let charged = round_trips(&proxy, &pg, &Charging(&request("charge"), 10)).await;
        // The negative control: BEGIN, four statements, COMMIT.
        let before = proxy.round_trips();
        let former = request("former charge");
        pg.transact(&FormerCharge(&former, 10)).await.expect("a charge");
        counts.push([held, paid, charged, proxy.round_trips() - before]);
    }
    assert_eq!(counts[1], [1, 1, 1, 6]);
    assert_eq!(world.number("select count(*) from payment").await, 2);
    assert_consistent(&world).await;
}

#[tokio::test]
async fn a_charge_of_an_unknown_user_is_refused_and_a_missing_balance_is_created() {
    let world = World::new().await;
    let process = world.start().await;
    let buyer = process.buyer().await;
    let unknown = Request::new(UserId(i64::MAX), "unknown", "POST /charge", &1);
    for _ in 0..2 {
        let reply = world.pg.call(&Charging(&unknown, 5)).await.expect("a reply");
        assert_eq!((reply.word.as_str(), reply.outcome), ("UNKNOWN_USER", None));
    }
    assert_eq!(world.number("select count(*) from idempotency_key").await, 0);
    let delete = "delete from point where user_id = $1";
    sqlx::query(delete).bind(buyer.user).execute(&world.pool).await.expect("no balance");
    let charged = buyer.with_key("first").post(PATH, json!({"amount": 5})).await;
    assert_eq!(charged.ok(201), json!({"amount": 5, "balance": 5}));
    assert_consistent(&world).await;
}

/// Charges while another transaction has the balance's lock; returns whether the balance is dated
/// after that transaction's end.
async fn is_dated_after_the_wait(world: &World, key: &str) -> bool {
    let process = world.start().await;
    let buyer = process.buyer().await;
    let blocker = Blocker::of_balance(&world.pool, buyer.user).await;
    let keyed = buyer.with_key(key);
    let charging = tokio::spawn(async move { keyed.post(PATH, json!({"amount": 5})).await });
    blocker.wait_for_waiter(&world.pool).await;
    let clock = sqlx::query_scalar("select clock_timestamp()").fetch_one(&world.pool).await;
    let clock: DateTime<Utc> = clock.expect("a time");
    blocker.release().await;
    charging.await.expect("no panic").ok(201);
    let changed = "select last_updated_at from point where user_id = $1";
    let changed = sqlx::query_scalar(changed).bind(buyer.user).fetch_one(&world.pool).await;
    changed.is_ok_and(|changed: DateTime<Utc>| changed > clock)
}

#[tokio::test]
async fn a_charge_is_dated_after_its_wait_and_without_its_lock_before() {
    let world = World::new().await;
    assert!(is_dated_after_the_wait(&world, "locked").await);
    let unlocked = Patch::of("charge_points").replace("lock_balance", "v_known := true;");
    unlocked.apply(&world.pool).await;
    assert!(!is_dated_after_the_wait(&world, "unlocked").await);
}

#[tokio::test]
async fn a_charge_that_waits_too_long_for_the_balance_writes_nothing() {
    let world = World::new().await;
    let process = world.start().await;
    let buyer = process.buyer().await;
    let blocker = Blocker::of_balance(&world.pool, buyer.user).await;
    let keyed = buyer.with_key("waits");
    keyed.post(PATH, json!({"amount": 5})).await.refused(503, "store_unavailable");
    blocker.release().await;
    assert_eq!(world.number("select count(*) from idempotency_key").await, 0);
    let charged = keyed.post(PATH, json!({"amount": 5})).await;
    assert_eq!(charged.header("idempotency-replayed"), "");
    assert_eq!(charged.ok(201)["balance"], 5);
}

/// PostgreSQL finishes a call although the process that made it is gone.
#[tokio::test]
async fn a_retry_gets_the_charge_that_a_killed_process_was_waiting_for() {
    let world = World::new().await;
    let (process, doomed) = (world.start().await, Served::start(&world).await);
    let buyer = process.buyer().await;
    let blocker = Blocker::of_balance(&world.pool, buyer.user).await;
    let (keyed, body) = (buyer.with_key("charge"), json!({"amount": 500}));
    let lost = keyed.at(doomed.addr).request(Method::POST, PATH).json(&body).send();
    let lost = tokio::spawn(lost);
    blocker.wait_for_waiter(&world.pool).await;
    doomed.kill().await;
    keyed.post(PATH, body.clone()).await.refused(409, "request_in_progress");
    blocker.release().await;
    assert!(lost.await.expect("no panic").is_err());
    let charged = until("the charge is no longer in progress", async || {
        let answer = keyed.post(PATH, body.clone()).await;
        (answer.code() != "request_in_progress").then_some(answer)
    })
    .await;
    assert_eq!(charged.header("idempotency-replayed"), "true");
    assert_eq!(charged.ok(201), json!({"amount": 500, "balance": 500}));
    assert_eq!(world.number("select count(*) from point_history").await, 1);
    assert_consistent(&world).await;
}
