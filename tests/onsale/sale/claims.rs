//! Seat claims: no buyer keeps more seats from others than the limit, and no claim outlives its
//! hold request.

use std::time::Duration;

use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::support::client::{Answer, Client};
use crate::support::crowd::{create_users, join_at_once, run_all};
use crate::support::faults::{assert_consistent, key, wipe};
use crate::support::kept::{by_user, most_at_once};
use crate::support::sale::{self, Sale, expires_at};
use crate::support::servers::Raw;
use crate::support::wait::{sleep_until, until};
use crate::support::world::{Process, World};

/// Two active buyers, and a sale of 40 seats with at most four for each buyer.
pub async fn sale_of_40(world: &World, queue: Value) -> (Process, [Client; 2], Sale) {
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 2, 20, queue).await;
    let crowd =
        join_at_once(create_users(world, &[process.addr], 2, 10_000).await, sale.schedule).await;
    (process, crowd.try_into().unwrap_or_else(|_| panic!("two")), sale)
}

pub fn path(sale: &Sale) -> String {
    format!("/v1/schedules/{}/reservations", sale.schedule)
}

pub fn seats(sale: &Sale, from: usize, count: usize) -> Value {
    json!({"seat_ids": sale.seats[from..from + count]})
}

/// Retries a hold until it is no longer refused with one of these codes.
async fn hold_once_possible(buyer: &Client, sale: &Sale, body: &Value, codes: &[&str]) -> Value {
    until("the seats can be held", async || {
        let answer = buyer.hold(sale.schedule, body.clone()).await;
        assert!(answer.status == 201 || codes.contains(&answer.code()), "{}", answer.text);
        (answer.status == 201).then_some(answer.body)
    })
    .await
}

/// The version of the seat map, which rises with every claim.
async fn seat_version(redis: &mut Raw, sale: &Sale) -> u64 {
    redis.hget(key(sale.schedule, "meta"), "seat_version").await.expect("Redis")
}

#[tokio::test]
async fn a_reused_idempotency_key_claims_no_further_seats() {
    let world = World::new().await;
    let (_process, [buyer, other], sale) = sale_of_40(&world, json!({})).await;
    let buyer = buyer.with_key("again");
    buyer.post(&path(&sale), seats(&sale, 0, 1)).await.ok(201);
    for _ in 0..3 {
        let reused = buyer.post(&path(&sale), seats(&sale, 1, 3)).await;
        reused.refused(422, "idempotency_key_reused");
    }
    other.hold(sale.schedule, seats(&sale, 1, 3)).await.ok(201);
    assert_eq!(
        buyer.post(&path(&sale), seats(&sale, 0, 1)).await.header("idempotency-replayed"),
        "true"
    );
}

#[tokio::test]
async fn repeating_a_hold_request_after_its_release_claims_no_seats() {
    let world = World::new().await;
    let (_process, [buyer, other], sale) = sale_of_40(&world, json!({})).await;
    let buyer = buyer.with_key("again");
    let first = buyer.post(&path(&sale), seats(&sale, 0, 4)).await;
    let held = first.clone().ok(201);
    let hold = format!("/v1/holds/{}", held["hold_id"].as_str().expect("an id"));
    assert_eq!(buyer.delete(&hold).await.status, 204);
    let again = buyer.post(&path(&sale), seats(&sale, 0, 4)).await;
    assert_eq!((again.status, &again.text), (201, &first.text));
    other.hold(sale.schedule, seats(&sale, 0, 4)).await.ok(201);
}

#[tokio::test]
async fn concurrent_requests_never_claim_more_seats_than_the_limit() {
    let world = World::new().await;
    let (_process, [buyer, _], sale) = sale_of_40(&world, json!({})).await;
    let used = buyer.with_key("used");
    used.post(&path(&sale), seats(&sale, 0, 1)).await.ok(201);
    let path = path(&sale);
    let bodies = (0..36).map(|first| seats(&sale, first + 1, 3)).collect::<Vec<_>>();
    let tries =
        bodies.into_iter().flat_map(|body| [(used.clone(), body.clone()), (buyer.keyed(), body)]);
    let answers: Vec<Answer> = run_all(tries, move |(buyer, body): (Client, Value)| {
        let path = path.clone();
        async move { buyer.post(&path, body).await }
    })
    .await;
    let known =
        ["seat_taken", "seat_limit_exceeded", "idempotency_key_reused", "request_in_progress"];
    for answer in &answers {
        // 503: on a busy machine PostgreSQL has no connection for some of them within 1 s.
        let expected = [201, 503].contains(&answer.status) || known.contains(&answer.code());
        assert!(expected, "{}", answer.text);
    }
    let mut redis = world.raw_redis().await;
    assert!(most_at_once(&mut redis, sale.schedule).await <= 4);
    assert!(answers.iter().any(|answer| answer.code() == "seat_limit_exceeded"));
    assert_consistent(&world).await;
}

#[tokio::test]
async fn a_request_beyond_the_seat_limit_is_refused_without_a_claim() {
    let world = World::new().await;
    let (_process, [buyer, other], sale) = sale_of_40(&world, json!({})).await;
    buyer.hold(sale.schedule, seats(&sale, 0, 3)).await.ok(201);
    let mut redis = world.raw_redis().await;
    let before = seat_version(&mut redis, &sale).await;
    let refused = buyer.hold(sale.schedule, seats(&sale, 3, 2)).await;
    refused.refused(422, "seat_limit_exceeded");
    assert_eq!(refused.body["limit"], 4);
    assert_eq!(seat_version(&mut redis, &sale).await, before, "nothing was claimed");
    other.hold(sale.schedule, seats(&sale, 3, 4)).await.ok(201);
    buyer.hold(sale.schedule, json!({"quantity": 2})).await.refused(422, "seat_limit_exceeded");
    buyer.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
}

#[tokio::test]
async fn released_and_refunded_seats_no_longer_count_towards_the_limit() {
    let world = World::new().await;
    let (_process, [mut buyer, other], sale) = sale_of_40(&world, json!({})).await;
    let held = buyer.hold(sale.schedule, seats(&sale, 0, 4)).await.ok(201);
    let paid = buyer.pay(&held).await.ok(201);
    buyer.join(sale.schedule).await.ok(201);
    buyer.hold(sale.schedule, seats(&sale, 4, 1)).await.refused(422, "seat_limit_exceeded");
    for payment in &paid["payments"].as_array().expect("payments")[..2] {
        let path = format!("/v1/payments/{}/refund", payment["id"]);
        buyer.keyed().post(&path, json!({})).await.ok(200);
    }
    let held = buyer.hold(sale.schedule, seats(&sale, 4, 2)).await.ok(201);
    buyer.hold(sale.schedule, seats(&sale, 6, 1)).await.refused(422, "seat_limit_exceeded");
    let hold = format!("/v1/holds/{}", held["hold_id"].as_str().expect("an id"));
    assert_eq!(buyer.delete(&hold).await.status, 204);
    buyer.hold(sale.schedule, seats(&sale, 6, 2)).await.ok(201);
    let mut redis = world.raw_redis().await;
    assert_eq!(by_user(&mut redis, sale.schedule).await.get(&buyer.user), Some(&4));
    // Seats that user_seats still lists after a lost call do not count either.
    let listed = key(sale.schedule, "user_seats");
    let () = redis.hset(&listed, other.user, "1 2 21 22").await.expect("Redis");
    other.hold(sale.schedule, seats(&sale, 10, 4)).await.ok(201);
    assert_eq!(by_user(&mut redis, sale.schedule).await.get(&other.user), Some(&4));
    assert_consistent(&world).await;
}

#[tokio::test]
async fn a_rebuilt_redis_counts_the_seats_a_buyer_holds_and_owns() {
    let world = World::new().await;
    let (_process, [mut buyer, _], sale) = sale_of_40(&world, json!({})).await;
    let held = buyer.hold(sale.schedule, seats(&sale, 0, 2)).await.ok(201);
    buyer.pay(&held).await.ok(201);
    buyer.join(sale.schedule).await.ok(201);
    buyer.hold(sale.schedule, seats(&sale, 2, 2)).await.ok(201);
    let mut redis = world.raw_redis().await;
    wipe(&mut redis).await;
    until("Redis is rebuilt", async || {
        (buyer.poll().await.body["status"] == "ACTIVE").then_some(())
    })
    .await;
    assert_eq!(by_user(&mut redis, sale.schedule).await.get(&buyer.user), Some(&4));
    let before = seat_version(&mut redis, &sale).await;
    let refused = buyer.hold(sale.schedule, seats(&sale, 4, 1)).await;
    refused.refused(422, "seat_limit_exceeded");
    assert_eq!(seat_version(&mut redis, &sale).await, before, "nothing was claimed");
}

#[tokio::test]
async fn the_previous_holder_can_hold_expired_seats_again_at_once() {
    let world = World::new().await;
    let queue = json!({"hold_ttl_seconds": 1});
    let (_process, [buyer, other], sale) = sale_of_40(&world, queue).await;
    let body = seats(&sale, 0, 4);
    let first = buyer.hold(sale.schedule, body.clone()).await.ok(201);
    sleep_until(expires_at(&first)).await;
    other.hold(sale.schedule, seats(&sale, 0, 1)).await.refused(409, "seat_taken");
    let second = hold_once_possible(&buyer, &sale, &body, &["seat_taken"]).await;
    let second_from = expires_at(&second) - Duration::from_secs(1);
    assert!(second_from >= expires_at(&first), "not before the end of the first hold");
    assert!(
        second_from < expires_at(&first) + Duration::from_secs(5),
        "before others could hold them"
    );
    buyer.pay(&first).await.refused(409, "hold_expired");
    assert_ne!(first["hold_id"], second["hold_id"]);
    let mut redis = world.raw_redis().await;
    assert_eq!(most_at_once(&mut redis, sale.schedule).await, 4);
    assert_consistent(&world).await;
}

#[tokio::test]
async fn after_a_hold_expires_its_buyer_can_hold_other_seats_and_others_can_take_the_old_ones() {
    let world = World::new().await;
    let queue = json!({"hold_ttl_seconds": 1});
    let (_process, [buyer, other], sale) = sale_of_40(&world, queue).await;
    let first = buyer.hold(sale.schedule, seats(&sale, 0, 4)).await.ok(201);
    sleep_until(expires_at(&first)).await;
    let body = seats(&sale, 4, 4);
    let second = hold_once_possible(&buyer, &sale, &body, &["seat_limit_exceeded"]).await;
    let second_from = expires_at(&second) - Duration::from_secs(1);
    assert!(
        second_from < expires_at(&first) + Duration::from_secs(5),
        "the first hold counts no longer"
    );
    other.hold(sale.schedule, seats(&sale, 0, 4)).await.ok(201);
    buyer.pay(&first).await.refused(409, "hold_expired");
    assert_consistent(&world).await;
}

/// Moves all holds into the past by a number of seconds.
async fn age_holds(world: &World, seconds: i32) {
    let shift =
        "update reservation set reservation_at = reservation_at - make_interval(secs => $1),
                        expires_at = expires_at - make_interval(secs => $1)";
    let shifted = sqlx::query(shift).bind(f64::from(seconds)).execute(&world.pool).await;
    shifted.expect("the holds are older");
}

#[tokio::test]
async fn letting_the_same_seats_expire_repeatedly_is_refused_with_default_settings() {
    let world = World::new().await;
    let (_process, [buyer, _], sale) = sale_of_40(&world, json!({})).await;
    let body = seats(&sale, 0, 4);
    for _ in 0..3 {
        hold_once_possible(&buyer, &sale, &body, &["seat_taken"]).await;
        age_holds(&world, 305).await;
    }
    let refused = until("the expiry loop has ended the last hold", async || {
        let answer = buyer.hold(sale.schedule, body.clone()).await;
        (answer.code() != "seat_taken").then_some(answer)
    })
    .await;
    refused.refused(429, "hold_limit");
    // The limit is three holds in ten minutes: the first hold is older than that now.
    age_holds(&world, 601).await;
    hold_once_possible(&buyer, &sale, &body, &[]).await;
}

#[tokio::test]
async fn after_a_key_is_purged_a_second_hold_under_it_has_its_own_id() {
    let world = World::new().await;
    let (_process, [buyer, _], sale) = sale_of_40(&world, json!({})).await;
    let buyer = buyer.with_key("two-days");
    let first = buyer.post(&path(&sale), seats(&sale, 0, 1)).await.ok(201);
    let hold = format!("/v1/holds/{}", first["hold_id"].as_str().expect("an id"));
    assert_eq!(buyer.delete(&hold).await.status, 204);
    sqlx::query("delete from idempotency_key").execute(&world.pool).await.expect("a purge");
    let second = buyer.post(&path(&sale), seats(&sale, 0, 1)).await;
    let held = second.clone().ok(201);
    assert_ne!(first["hold_id"], held["hold_id"]);
    let again = buyer.post(&path(&sale), seats(&sale, 0, 1)).await;
    assert_eq!((again.header("idempotency-replayed"), &again.text), ("true", &second.text));
    assert_eq!(buyer.get(&hold).await.ok(200)["status"], "CANCELLED");
    buyer.pay(&held).await.ok(201);
    assert_consistent(&world).await;
}
