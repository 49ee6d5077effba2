//! What `onsale restore prepare` saves.

use redis::AsyncCommands;
use serde_json::{Value, json};

use super::restore::buy;
use super::restore_refusals::sold_one;
use crate::support::faults::key;
use crate::support::restored::{name, run};
use crate::support::sale;
use crate::support::servers::Servers;
use crate::support::tools::folder;
use crate::support::world::World;

/// `prepare` reads every primary of a cluster, and the one that Sentinel names.
#[tokio::test]
async fn what_a_cluster_and_sentinel_know_is_saved() {
    let sentinel = onsale_dev::redis::sentinel::RedisSentinel::throwaway().await.expect("Sentinel");
    for servers in [Servers::cluster(false).await, Servers::Sentinel(sentinel)] {
        let world = World::on(servers).await;
        let process = world.start().await;
        let admin = process.admin().await;
        let mut schedules = Vec::new();
        // Several schedules, which a cluster has on different primaries.
        for _ in 0..4 {
            let sale = sale::open(&admin, 1, 2, json!({})).await;
            let mut buyer = process.rich_buyer().await;
            buy(&mut buyer, &sale, 1).await;
            schedules.push(sale.schedule);
        }
        world.wait_for_empty_outbox().await;
        process.stop().await;
        let mut redis = world.raw_redis().await;
        let _: () = redis.set(key(7, "other"), "not a schedule").await.expect("Redis");
        let folder = folder("known");
        let file = folder.join("known.json");
        let ran = run(&world, &["prepare", "--to", name(&file)], &[]).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let known = std::fs::read_to_string(&file).expect("the file");
        let known: Value = serde_json::from_str(&known).expect("JSON");
        let known = known["content"]["schedules"].as_array().expect("schedules");
        let found: Vec<_> = known.iter().map(|one| one["schedule"].as_i64().unwrap()).collect();
        assert_eq!(found, schedules);
        for one in known {
            assert_eq!(one["seats"].as_array().expect("seats").len(), 1, "{one}");
            assert_eq!(
                (&one["seats"][0]["number"], &one["seats"][0]["state"]),
                (&json!(2), &json!("sold"))
            );
        }
        std::fs::remove_dir_all(folder).expect("the folder");
    }
}

/// Half-built keys are saved with a warning.
#[tokio::test]
async fn keys_whose_rebuild_did_not_end_are_saved_with_a_warning() {
    let stage = sold_one().await;
    let schedule = stage.world.number("select max(id) from concert_schedule").await;
    let mut redis = stage.world.raw_redis().await;
    let _: () = redis.hset(key(schedule, "meta"), "loading_until", 1).await.expect("Redis");
    let file = stage.file();
    let prepared = run(&stage.world, &["prepare", "--to", name(&file)], &[]).await;
    assert_eq!(prepared.code, Some(0), "{prepared:?}");
    let warning = format!("warning: the keys of schedule {schedule} were half-built");
    assert!(prepared.text.contains(&warning), "{prepared:?}");
}
