//! Another Redis server replaces the primary of a sale under load: in a cluster, and under
//! Sentinel.

use std::time::{Duration, Instant};

use onsale_dev::redis::sentinel::RedisSentinel;
use serde_json::json;

use crate::support::crowd::{create_users, join_in_order};
use crate::support::rush::{Rush, Seen};
use crate::support::sale;
use crate::support::servers::Servers;
use crate::support::wait::until;
use crate::support::world::World;

async fn cluster() -> World {
    World::on(Servers::cluster(true).await).await
}

/// Whether a section of a server's `INFO` has this line.
async fn info_has(world: &mut World, server: usize, part: &str, line: &str) -> bool {
    let info = world.redis.server(server).call::<String>(&["INFO", part]).await;
    info.is_ok_and(|info| info.lines().any(|it| it == line))
}

/// Prints the effect on buyers.
fn report(what: &str, since: Instant, (seen, entries): &(Seen, usize)) {
    let joins = seen.joins.back_after(since).expect("a join succeeded").as_secs_f64();
    println!(
        "{what}: joins worked again after {joins:.1} s, {} were refused; no hold for {:.1} s at the \
         longest; {entries} of {entries} entries kept, 0 seats sold twice",
        seen.joins.refused.len(),
        seen.holds.longest_gap().as_secs_f64(),
    );
}

/// Waits until everything works again after `since`, ends the load, and checks that the keys were
/// rebuilt once.
async fn finish(rush: Rush, world: &World, what: &str, since: Instant) {
    rush.wait_for_recovery_after(since).await;
    rush.wait_for_joins(10).await;
    report(what, since, &rush.finish(world).await);
    assert_eq!(world.epoch().await, 2, "rebuilt once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_a_primary_under_load_loses_no_seat_and_no_queue_entry() {
    let mut world = cluster().await;
    let rush = Rush::start(&world).await;
    let schedule = rush.sale.schedule;
    let doomed = world.redis.primary_of(schedule);
    // A sale on another node is not affected.
    let admin = rush.processes[0].admin().await;
    let elsewhere = loop {
        let sale = sale::open(&admin, 1, 1, json!({})).await;
        if world.redis.primary_of(sale.schedule) != doomed {
            break sale.schedule;
        }
    };
    let mut others = create_users(&world, &[rush.processes[0].addr], 100, 0).await.into_iter();
    rush.wait_for_joins(20).await;
    world.redis.server(doomed).kill().await.expect("it ends");
    let since = Instant::now();
    while rush.seen().joins.back_after(since).is_none() {
        others.next().expect("a user").join(elsewhere).await.ok(201);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    finish(rush, &world, "a primary of a cluster killed", since).await;
    // The killed server comes back as a replica of its former replica.
    world.redis.server(doomed).restart().await.expect("it starts");
    world.redis.settles().await.expect("it copies what was its replica");
    assert_eq!(world.redis.primary_now(schedule, None).await, Some(doomed + 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_primary_is_replaced_and_not_used_after_it_resumes() {
    let mut world = cluster().await;
    let rush = Rush::start(&world).await;
    let silent = world.redis.primary_of(rush.sale.schedule);
    rush.wait_for_joins(20).await;
    world.redis.server(silent).pause();
    let since = Instant::now();
    rush.wait_for_recovery_after(since).await;
    world.redis.server(silent).resume();
    until("it is a replica of its former replica", async || {
        info_has(&mut world, silent, "replication", "role:slave").await.then_some(())
    })
    .await;
    finish(rush, &world, "a primary of a cluster silent", since).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_replica_without_the_last_joins_reuses_no_sequence() {
    let mut world = cluster().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 10, json!({"capacity": 1})).await;
    let crowd = create_users(&world, &[process.addr], 25, 0).await;
    let mut crowd = join_in_order(crowd, sale.schedule).await;
    let primary = world.redis.primary_of(sale.schedule);
    let replica = primary + 3;
    // The replica gets nothing that is written from now on, and has no script in its cache.
    let cut = world.redis.server(replica);
    cut.call::<()>(&["CONFIG", "SET", "masterauth", "wrong"]).await.expect("set");
    cut.call::<u64>(&["CLIENT", "KILL", "TYPE", "master"]).await.expect("killed");
    until("the replica is disconnected", async || {
        info_has(&mut world, replica, "replication", "master_link_status:down").await.then_some(())
    })
    .await;
    assert!(info_has(&mut world, replica, "memory", "number_of_cached_scripts:0").await);
    let late = create_users(&world, &[process.addr], 25, 0).await;
    crowd.extend(join_in_order(late, sale.schedule).await);
    world.redis.server(primary).kill().await.expect("it ends");

    for mut newcomer in create_users(&world, &[process.addr], 5, 0).await {
        until("joining works", async || {
            (newcomer.join(sale.schedule).await.status == 201).then_some(())
        })
        .await;
        crowd.push(newcomer);
    }
    let mut sequences = Vec::new();
    for person in &mut crowd {
        sequences.push(person.poll().await.ok(200)["sequence"].as_u64().expect("a sequence"));
    }
    let old = (1..=50).map(|number| (1 << 40) + number);
    let new = (1..=5).map(|number| (2 << 40) + number);
    assert_eq!(sequences, old.chain(new).collect::<Vec<_>>());
    assert_eq!(world.epoch().await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_sentinel_killing_a_primary_under_load_loses_no_seat_and_no_queue_entry() {
    let mut watched = RedisSentinel::throwaway().await.expect("servers");
    // The sentinel that is asked first never answers.
    watched.sentinels_mut()[0].pause();
    let mut world = World::on(Servers::Sentinel(watched)).await;
    let rush = Rush::start(&world).await;
    rush.wait_for_joins(20).await;
    world.redis.server(0).kill().await.expect("it ends");
    let since = Instant::now();
    rush.wait_for_recovery_after(since).await;
    // Started again it begins as a primary, until a sentinel makes it a replica.
    world.redis.server(0).restart().await.expect("it starts");
    until("it is a replica", async || {
        info_has(&mut world, 0, "replication", "role:slave").await.then_some(())
    })
    .await;
    finish(rush, &world, "a primary under Sentinel killed", since).await;
}
