//! Whoever is away when their turn comes: passed over, not thrown out, and back in first.

use std::time::Duration;

use redis::AsyncCommands;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::client::Client;
use crate::support::crowd::{join_in_turn, people};
use crate::support::faults::key;
use crate::support::sale::{self, Sale};
use crate::support::wait::until;
use crate::support::world::{Process, World};

/// A line with one slot, and people who joined it in order; the first is inside.
async fn one_slot(world: &World, count: u32, queue: Value) -> (Process, Sale, Vec<Client>) {
    let process = world.start().await;
    let mut settings = json!({"capacity": 1});
    for (name, value) in queue.as_object().expect("settings") {
        settings[name] = value.clone();
    }
    let sale = sale::open(&process.admin().await, 1, 5, settings).await;
    let crowd = people(world, &[process.addr], count, 0).await;
    let crowd = join_in_turn(crowd, sale.schedule).await;
    (process, sale, crowd)
}

async fn leave(person: &Client) {
    assert_eq!(person.delete("/v1/queue/ticket").await.status, 204);
}

/// Whether somebody is in one of the line's sets.
async fn is_in(world: &World, sale: &Sale, set: &str, person: &Client) -> bool {
    let mut redis = world.raw_redis().await;
    let score: Option<f64> =
        redis.zscore(key(sale.schedule, set), person.user).await.expect("Redis");
    score.is_some()
}

async fn until_in(world: &World, sale: &Sale, set: &str, person: &Client) {
    until(&format!("user {} is {set}", person.user), async || {
        is_in(world, sale, set, person).await.then_some(())
    })
    .await;
}

async fn until_status(person: &mut Client, status: &str) -> Value {
    let mut last = person.clone();
    let ticket = until(&format!("user {} is {status}", person.user), async || {
        let ticket = last.poll().await.ok(200);
        (ticket["status"] == status).then_some(ticket)
    })
    .await;
    *person = last;
    ticket
}

/// Somebody who goes on polling, so that they are heard from.
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
async fn a_slot_that_nobody_claims_goes_to_the_next_and_its_owner_comes_back_first() {
    let world = World::new().await;
    let queue = json!({"claim_window_seconds": 1, "return_grace_seconds": 60});
    let (_process, sale, mut crowd) = one_slot(&world, 4, queue).await;
    let place = crowd[1].poll().await.ok(200);
    leave(&crowd[0]).await;
    until_in(&world, &sale, "active", &crowd[1]).await;
    until_in(&world, &sale, "parked", &crowd[1]).await;
    until_status(&mut crowd[2], "ACTIVE").await;
    assert!(!is_in(&world, &sale, "active", &crowd[1]).await, "and costs no slot");

    let back = crowd[1].poll().await.ok(200);
    assert_eq!((&back["status"], &back["position"]), (&json!("WAITING"), &json!(1)));
    assert_eq!((&back["sequence"], &back["ticket_id"]), (&place["sequence"], &place["ticket_id"]));
    let behind = crowd[3].poll().await.ok(200);
    assert_eq!(behind["position"], 1, "who returns counts in nobody's ahead");
    leave(&crowd[2]).await;
    until_status(&mut crowd[1], "ACTIVE").await;
    assert_eq!(crowd[3].poll().await.ok(200)["status"], "WAITING", "though it waited all along");
    leave(&crowd[1]).await;
    until_status(&mut crowd[3], "ACTIVE").await;
}

#[tokio::test]
async fn whoever_does_not_come_back_within_the_grace_has_expired() {
    let world = World::new().await;
    let queue = json!({"claim_window_seconds": 1, "return_grace_seconds": 1});
    let (_process, sale, mut crowd) = one_slot(&world, 3, queue).await;
    leave(&crowd[0]).await;
    until_in(&world, &sale, "parked", &crowd[1]).await;
    until_status(&mut crowd[2], "ACTIVE").await;
    until("the grace is over", async || {
        (!is_in(&world, &sale, "parked", &crowd[1]).await).then_some(())
    })
    .await;
    assert_eq!(crowd[1].poll().await.ok(200)["status"], "EXPIRED");
    let old = crowd[1].clone();
    let again = crowd[1].join(sale.schedule).await.ok(201);
    assert_eq!(again["status"], "WAITING");
    assert_eq!(old.clone().poll().await.ok(200)["status"], "EXPIRED", "that place stays ended");
}

#[tokio::test]
async fn the_grace_is_counted_once_from_the_first_time() {
    let world = World::new().await;
    let queue = json!({"claim_window_seconds": 1, "return_grace_seconds": 5});
    let (_process, sale, mut crowd) = one_slot(&world, 3, queue).await;
    leave(&crowd[0]).await;
    until_in(&world, &sale, "parked", &crowd[1]).await;
    let mut redis = world.raw_redis().await;
    let parked = key(sale.schedule, "parked");
    let first: f64 = redis.zscore(&parked, crowd[1].user).await.expect("Redis");
    until_status(&mut crowd[2], "ACTIVE").await;
    // Back, let in again, and away again.
    assert_eq!(crowd[1].poll().await.ok(200)["status"], "WAITING");
    leave(&crowd[2]).await;
    until_in(&world, &sale, "active", &crowd[1]).await;
    until_in(&world, &sale, "parked", &crowd[1]).await;
    let second: f64 = redis.zscore(&parked, crowd[1].user).await.expect("Redis");
    assert_eq!(format!("{first}"), format!("{second}"));
}

#[tokio::test]
async fn the_silent_are_passed_over_cost_no_slot_and_keep_their_place() {
    let world = World::new().await;
    // Shorter than the API allows, so that the test is.
    let (process, sale, mut crowd) = one_slot(&world, 5, json!({})).await;
    let window = "update concert_schedule set presence_window_seconds = 1";
    sqlx::query(window).execute(&world.pool).await.expect("a window");
    let path = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    process.admin().await.patch(&path, json!({"paused": false})).await.ok(200);
    let silent = [crowd[1].clone(), crowd[2].clone()];
    let places = [silent[0].clone().poll().await.ok(200), silent[1].clone().poll().await.ok(200)];
    let heard: Vec<_> = [0, 3, 4].iter().map(|number| keep_polling(&crowd[*number])).collect();
    // The ring of presence has moved on past the silent; a bit is 2 n + the epoch's parity.
    let mut redis = world.raw_redis().await;
    for place in &places {
        let sequence = place["sequence"].as_u64().expect("a sequence");
        let bit = 2 * (sequence & ((1 << 40) - 1)) + (sequence >> 40) % 2;
        until("nobody has heard from them for the window", async || {
            let mut ring = redis::pipe();
            (0..3).for_each(|slot| {
                ring.getbit(
                    key(sale.schedule, &format!("here:{slot}")),
                    usize::try_from(bit).unwrap(),
                );
            });
            let bits: Vec<u8> = ring.query_async(&mut redis).await.expect("Redis");
            (bits == [0, 0, 0]).then_some(())
        })
        .await;
    }
    leave(&crowd[0]).await;
    until_status(&mut crowd[3], "ACTIVE").await;
    for one in &silent {
        assert!(is_in(&world, &sale, "parked", one).await);
        assert!(!is_in(&world, &sale, "active", one).await);
    }
    let active: i64 = redis.zcard(key(sale.schedule, "active")).await.expect("Redis");
    assert_eq!(active, 1);
    // They come back in the other order, and are let in by their places, before the one who waits.
    for one in [2, 1] {
        let back = crowd[one].poll().await.ok(200);
        assert_eq!(back["status"], "WAITING");
        assert_eq!(back["sequence"], places[one - 1]["sequence"]);
    }
    let polling = [keep_polling(&crowd[1]), keep_polling(&crowd[2])];
    for (leaver, next) in [(3, 1), (1, 2), (2, 4)] {
        leave(&crowd[leaver]).await;
        until_in(&world, &sale, "active", &crowd[next]).await;
    }
    heard.iter().chain(&polling).for_each(JoinHandle::abort);
}
