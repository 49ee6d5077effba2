//! The bounds of one round of admission, against the model. The users of `property.rs` are too few
//! to reach them.

use onsale_dev::redis::RedisServer;

use super::model::World;
use super::property::Phase;

/// Their ids have the same length, so that Redis sorts them as numbers.
const USERS: std::ops::RangeInclusive<u64> = 100..=549;

/// `USERS` wait, and nobody is admitted.
async fn world(server: &RedisServer) -> World {
    let mut world = World::new(server, 1).await;
    world.settings(0, 1_000, Phase::Open).await;
    for users in USERS.collect::<Vec<u64>>().chunks(50) {
        world.join_many(users).await;
    }
    world.compare().await;
    world
}

/// Rounds until one does not ask for another. Each is compared with the model; returns their number.
async fn rounds(world: &mut World) -> usize {
    for number in 1.. {
        let is_over = world.admit().await == "OK";
        world.compare().await;
        if is_over {
            return number;
        }
    }
    unreachable!("rounds end")
}

#[tokio::test]
async fn a_round_admits_as_many_as_the_model_at_a_time() {
    let server = RedisServer::throwaway().await.expect("a Redis");
    let mut world = world(&server).await;
    world.settings(240, 1_000, Phase::Open).await;
    world.fill_bucket(1_000_000, 0).await;
    assert_eq!(rounds(&mut world).await, 3, "100, 100 and 40 are admitted");
    assert_eq!(world.queue.entries.active_count(), 240);
    for user in USERS.take(150) {
        world.end_slot(user).await;
    }
    assert_eq!(rounds(&mut world).await, 2, "100 slots end, then 50, and as many are admitted");
    assert_eq!(world.queue.entries.active_count(), 240);
}

#[tokio::test]
async fn a_round_passes_over_as_many_as_the_model_at_a_time() {
    let server = RedisServer::throwaway().await.expect("a Redis");
    let mut world = world(&server).await;
    // Two notices, and then nobody is present any more.
    for halves in [3, 1] {
        world.pass_windows(halves).await;
        world.admit().await;
    }
    world.settings(1_000, 1_000, Phase::Open).await;
    world.fill_bucket(1_000_000, 0).await;
    assert_eq!(rounds(&mut world).await, 5, "450 entries, 100 at a time");
    assert_eq!(world.queue.entries.waiting().len(), 0);
    for user in USERS {
        world.end_grace(user).await;
    }
    assert_eq!(rounds(&mut world).await, 5, "450 entries end, 100 at a time");
    assert_eq!(world.queue.entries.iter().count(), 0);
}
