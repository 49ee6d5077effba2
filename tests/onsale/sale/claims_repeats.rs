//! Seat claims of requests that are repeated while the first one is in progress.

use redis::AsyncCommands;
use serde_json::json;

use crate::sale::claims::{path, sale_of_40, seats};
use crate::support::faults::{assert_consistent, key};
use crate::support::world::World;

#[tokio::test]
async fn a_repeat_is_not_refused_while_the_first_request_under_its_key_has_claims() {
    let world = World::new().await;
    let (_process, [buyer, _], sale) = sale_of_40(&world, json!({})).await;
    let best = json!({"quantity": 2});
    let keyed = buyer.with_key("best");
    let first = keyed.post(&path(&sale), best.clone()).await.ok(201);
    let hold = first["hold_id"].as_str().expect("an id").to_owned();
    assert_eq!(buyer.delete(&format!("/v1/holds/{hold}")).await.status, 204);
    sqlx::query("delete from idempotency_key").execute(&world.pool).await.expect("a purge");
    buyer.hold(sale.schedule, seats(&sale, 0, 2)).await.ok(201);

    // Another process has claimed two other seats for the same request, and is not done yet.
    let mut redis = world.raw_redis().await;
    let named = |name: &str| key(sale.schedule, name);
    let far = 32_503_680_000_000_u64;
    for seat in [31, 32] {
        let text = format!("{hold} {far} {}", buyer.user);
        let _: () = redis.hset(named("claim"), seat, text).await.expect("Redis");
        let _: () = redis.zadd(named("held"), seat, far).await.expect("Redis");
    }
    let listed: String = redis.hget(named("user_seats"), buyer.user).await.expect("Redis");
    let listed = format!("{listed} 31 32");
    let _: () = redis.hset(named("user_seats"), buyer.user, listed).await.expect("Redis");
    let answer = keyed.post(&path(&sale), best.clone()).await;
    assert!(!answer.header("retry-after").is_empty());
    answer.refused(409, "request_in_progress");

    // It was killed: its claims expire.
    for seat in [31, 32] {
        let _: () = redis.hdel(named("claim"), seat).await.expect("Redis");
        let _: () = redis.zrem(named("held"), seat).await.expect("Redis");
    }
    keyed.post(&path(&sale), best).await.ok(201);
    assert_consistent(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_at_another_process_leaves_no_claim_on_other_seats() {
    let world = World::new().await;
    let queue = json!({"max_seats_per_user": 100});
    let (_process, [buyer, _], sale) = sale_of_40(&world, queue).await;
    let second = world.start().await;
    let mut redis = world.raw_redis().await;
    // About one pair in three leaves a claim behind if the repeat does not release its own.
    for round in 0..18 {
        let keyed = buyer.with_key(&format!("pair-{round}"));
        let other = keyed.at(second.addr);
        let body = json!({"quantity": 2});
        let (path, best) = (path(&sale), body.clone());
        let (one, two) = tokio::join!(keyed.post(&path, body), other.post(&path, best));
        for answer in [one, two] {
            assert!([201, 409].contains(&answer.status), "{}", answer.text);
        }
        let claims: u64 = redis.hlen(key(sale.schedule, "claim")).await.expect("Redis");
        assert_eq!(claims, 0, "round {round}: every claim is a hold or released");
    }
    assert_consistent(&world).await;
}
