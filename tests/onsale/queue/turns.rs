//! A buyer who is absent when admitted is passed over, keeps the entry during the grace, and is
//! admitted first after returning.

use std::time::Duration;

use redis::AsyncCommands;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::client::Client;
use crate::support::crowd::{create_users, join_in_order};
use crate::support::faults::key;
use crate::support::queue::{is_in, is_present};
use crate::support::sale::{self, Sale, merged, shorten_presence_window};
use crate::support::wait::until;
use crate::support::world::{Process, World};

/// A sale with one slot, and users who joined in order; the first is active.
async fn one_slot(world: &World, count: u32, queue: Value) -> (Process, Sale, Vec<Client>) {
    let process = world.start().await;
    let settings = merged(json!({"capacity": 1}), &queue);
    let sale = sale::open(&process.admin().await, 1, 5, settings).await;
    let crowd = create_users(world, &[process.addr], count, 0).await;
    let crowd = join_in_order(crowd, sale.schedule).await;
    (process, sale, crowd)
}

/// Waits until a user is in one of the schedule's sets in Redis.
async fn wait_until_in(world: &World, sale: &Sale, set: &str, person: &Client) {
    let mut redis = world.raw_redis().await;
    until(&format!("user {} is {set}", person.user), async || {
        is_in(&mut redis, sale.schedule, set, person.user).await.then_some(())
    })
    .await;
}

/// Polls every 200 ms until it is aborted, so that the user stays present.
fn keep_polling(person: &Client) -> JoinHandle<()> {
    let mut person = person.clone();
    tokio::spawn(async move {
        loop {
            person.poll().await.ok(200);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
}

#[tokio::test]
async fn an_unclaimed_slot_goes_to_the_next_and_its_owner_returns_first() {
    let world = World::new().await;
    let queue = json!({"claim_window_seconds": 1, "return_grace_seconds": 60});
    let (_process, sale, mut crowd) = one_slot(&world, 4, queue).await;
    let entry = crowd[1].poll().await.ok(200);
    crowd[0].leave().await;
    wait_until_in(&world, &sale, "active", &crowd[1]).await;
    wait_until_in(&world, &sale, "parked", &crowd[1]).await;
    crowd[2].wait_for_status("ACTIVE").await;
    let mut redis = world.raw_redis().await;
    let active = is_in(&mut redis, sale.schedule, "active", crowd[1].user).await;
    assert!(!active, "a parked buyer has no slot");

    let back = crowd[1].poll().await.ok(200);
    assert_eq!((&back["status"], &back["position"]), (&json!("WAITING"), &json!(1)));
    assert_eq!((&back["sequence"], &back["ticket_id"]), (&entry["sequence"], &entry["ticket_id"]));
    let behind = crowd[3].poll().await.ok(200);
    assert_eq!(behind["position"], 1, "a returned buyer does not count as ahead of anybody");
    crowd[2].leave().await;
    crowd[1].wait_for_status("ACTIVE").await;
    assert_eq!(crowd[3].poll().await.ok(200)["status"], "WAITING", "the returned buyer was first");
    crowd[1].leave().await;
    crowd[3].wait_for_status("ACTIVE").await;
}

#[tokio::test]
async fn a_parked_buyer_who_does_not_return_within_the_grace_expires() {
    let world = World::new().await;
    let queue = json!({"claim_window_seconds": 1, "return_grace_seconds": 1});
    let (_process, sale, mut crowd) = one_slot(&world, 3, queue).await;
    crowd[0].leave().await;
    wait_until_in(&world, &sale, "parked", &crowd[1]).await;
    crowd[2].wait_for_status("ACTIVE").await;
    let mut redis = world.raw_redis().await;
    until("the grace is over", async || {
        let parked = is_in(&mut redis, sale.schedule, "parked", crowd[1].user).await;
        (!parked).then_some(())
    })
    .await;
    assert_eq!(crowd[1].poll().await.ok(200)["status"], "EXPIRED");
    let old = crowd[1].clone();
    let again = crowd[1].join(sale.schedule).await.ok(201);
    assert_eq!(again["status"], "WAITING");
    assert_eq!(old.clone().poll().await.ok(200)["status"], "EXPIRED", "the old entry stays ended");
}

#[tokio::test]
async fn the_grace_runs_once_from_the_first_absence() {
    let world = World::new().await;
    let queue = json!({"claim_window_seconds": 1, "return_grace_seconds": 5});
    let (_process, sale, mut crowd) = one_slot(&world, 3, queue).await;
    crowd[0].leave().await;
    wait_until_in(&world, &sale, "parked", &crowd[1]).await;
    let mut redis = world.raw_redis().await;
    let parked = key(sale.schedule, "parked");
    let first: f64 = redis.zscore(&parked, crowd[1].user).await.expect("Redis");
    crowd[2].wait_for_status("ACTIVE").await;
    // The buyer returns, is admitted again, and is absent again.
    assert_eq!(crowd[1].poll().await.ok(200)["status"], "WAITING");
    crowd[2].leave().await;
    wait_until_in(&world, &sale, "active", &crowd[1]).await;
    wait_until_in(&world, &sale, "parked", &crowd[1]).await;
    let second: f64 = redis.zscore(&parked, crowd[1].user).await.expect("Redis");
    assert_eq!(format!("{first}"), format!("{second}"));
}

#[tokio::test]
async fn silent_buyers_are_passed_over_without_using_a_slot_and_keep_their_position() {
    let world = World::new().await;
    let (process, sale, mut crowd) = one_slot(&world, 5, json!({})).await;
    shorten_presence_window(&world).await;
    let path = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    process.admin().await.patch(&path, json!({"paused": false})).await.ok(200);
    let silent = [crowd[1].clone(), crowd[2].clone()];
    let entries = [silent[0].clone().poll().await.ok(200), silent[1].clone().poll().await.ok(200)];
    let others: Vec<_> = [0, 3, 4].iter().map(|number| keep_polling(&crowd[*number])).collect();
    let mut redis = world.raw_redis().await;
    for entry in &entries {
        let sequence = entry["sequence"].as_u64().expect("a sequence");
        until("the buyer is absent", async || {
            let present = is_present(&mut redis, sale.schedule, sequence).await;
            (!present).then_some(())
        })
        .await;
    }
    crowd[0].leave().await;
    crowd[3].wait_for_status("ACTIVE").await;
    for one in &silent {
        assert!(is_in(&mut redis, sale.schedule, "parked", one.user).await);
        assert!(!is_in(&mut redis, sale.schedule, "active", one.user).await);
    }
    let active: i64 = redis.zcard(key(sale.schedule, "active")).await.expect("Redis");
    assert_eq!(active, 1);
    // They return in the other order, and are admitted by their sequences before the one who waits.
    for one in [2, 1] {
        let back = crowd[one].poll().await.ok(200);
        assert_eq!(back["status"], "WAITING");
        assert_eq!(back["sequence"], entries[one - 1]["sequence"]);
    }
    let polling = [keep_polling(&crowd[1]), keep_polling(&crowd[2])];
    for (leaver, next) in [(3, 1), (1, 2), (2, 4)] {
        crowd[leaver].leave().await;
        wait_until_in(&world, &sale, "active", &crowd[next]).await;
    }
    others.iter().chain(&polling).for_each(JoinHandle::abort);
}
