//! The cluster slot of a sale moves to another node while buyers join and hold.

use std::time::Instant;

use onsale::store::keys::slot;
use onsale_dev::redis::cluster::RedisCluster;

use crate::support::faults::key;
use crate::support::rush::Rush;
use crate::support::servers::Servers;
use crate::support::world::World;

const PRIMARIES: usize = 3;

/// A slot that moves from one node to another, by the commands that an operator's tool sends.
struct Move {
    slot: String,
    from: usize,
    to: usize,
    ids: Vec<String>,
}

impl Move {
    async fn begin(world: &mut World, schedule: i64) -> Self {
        let slot = slot(key(schedule, "meta").as_bytes()).expect("a key of ours").to_string();
        let from = world.redis.primary_of(schedule);
        let to = (from + 1) % PRIMARIES;
        let mut ids: Vec<String> = Vec::new();
        for node in 0..PRIMARIES {
            ids.push(world.redis.server(node).call(&["CLUSTER", "MYID"]).await.expect("an id"));
        }
        for (node, word, other) in [(to, "IMPORTING", from), (from, "MIGRATING", to)] {
            let command = ["CLUSTER", "SETSLOT", &slot, word, &ids[other]];
            world.redis.server(node).call::<()>(&command).await.expect("OK");
        }
        Self { slot, from, to, ids }
    }

    /// Moves up to `count` keys; returns how many were moved.
    async fn keys(&self, world: &mut World, count: &str) -> usize {
        let list = ["CLUSTER", "GETKEYSINSLOT", &self.slot, count];
        let keys: Vec<String> = world.redis.server(self.from).call(&list).await.expect("keys");
        let port = world.redis.server(self.to).port().to_string();
        let mut command = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
        command.extend(keys.iter().map(String::as_str));
        if !keys.is_empty() {
            world.redis.server(self.from).call::<()>(&command).await.expect("OK");
        }
        keys.len()
    }

    async fn end(self, world: &mut World) {
        for node in [self.to, self.from, (self.to + 1) % PRIMARIES] {
            let command = ["CLUSTER", "SETSLOT", &self.slot, "NODE", &self.ids[self.to]];
            world.redis.server(node).call::<()>(&command).await.expect("OK");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moving_a_slot_under_load_loses_no_seat_and_no_queue_entry_and_rebuilds_once() {
    let cluster = RedisCluster::throwaway(false).await.expect("a cluster");
    let mut world = World::on(Servers::Cluster(cluster)).await;
    let rush = Rush::start(&world).await;
    let schedule = rush.sale.schedule;
    rush.wait_for_joins(20).await;
    let since = Instant::now();
    let moving = Move::begin(&mut world, schedule).await;
    // The keys are on two nodes now. No process takes that for a loss, however long it lasts.
    assert_eq!(moving.keys(&mut world, "5").await, 5);
    rush.wait_for_refusals(12).await;
    assert_eq!(world.epoch().await, 1, "nothing is rebuilt while the slot moves");
    while moving.keys(&mut world, "100").await > 0 {}
    let there = moving.to;
    moving.end(&mut world).await;
    let arrived = Instant::now();
    rush.wait_for_join_after(arrived).await;
    rush.wait_for_joins(10).await;
    let (seen, entries) = rush.finish(&world).await;
    println!(
        "a slot of a cluster moved: no joins for {:.1} s, and joins worked {:.1} s after its arrival; \
         {entries} of {entries} entries kept, 0 seats sold twice",
        (arrived - since).as_secs_f64(),
        seen.joins.next_after(arrived).expect("a join succeeded").as_secs_f64(),
    );
    assert_eq!(world.epoch().await, 2, "rebuilt once");
    let built_on: String = world
        .redis
        .server(there)
        .call(&["HGET", &key(schedule, "meta"), "run_id"])
        .await
        .expect("the keys are there");
    assert!(!built_on.is_empty());
}
