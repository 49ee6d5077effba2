//! Another server takes the place of the one that has a sale, in the middle of its rush: in a
//! cluster, and under Sentinel.

use std::time::{Duration, Instant};

use onsale::dev::redis::sentinel::RedisSentinel;
use serde_json::json;

use crate::support::crowd::{join_in_turn, people};
use crate::support::rush::{Rush, Seen};
use crate::support::sale;
use crate::support::servers::Servers;
use crate::support::wait::until;
use crate::support::world::World;

const EPOCH: &str = "select max(queue_epoch)::bigint from concert_schedule";

async fn cluster() -> World {
    World::on(Servers::cluster(true).await).await
}

async fn says(world: &mut World, server: usize, part: &str, line: &str) -> bool {
    let info = world.redis.server(server).tell::<String>(&["INFO", part]).await;
    info.is_ok_and(|info| info.lines().any(|it| it == line))
}

/// Says what it was like for buyers.
fn report(what: &str, since: Instant, (seen, places): &(Seen, usize)) {
    let joins = seen.joins.back_after(since).expect("somebody joined").as_secs_f64();
    println!(
        "{what}: joins worked again after {joins:.1} s, {} were refused; no hold for {:.1} s at the \
         longest; {places} of {places} places kept, 0 seats sold twice",
        seen.joins.refused.len(),
        seen.holds.longest_gap().as_secs_f64(),
    );
}

/// Ends the rush some time after `since`: once all works again, and the keys were rebuilt once.
async fn ends_well(rush: Rush, world: &World, what: &str, since: Instant) {
    rush.is_back_after(since).await;
    rush.joined(10).await;
    report(what, since, &rush.over(world).await);
    assert_eq!(world.number(EPOCH).await, 2, "rebuilt once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_killed_in_the_rush_costs_no_seat_and_no_place() {
    let mut world = cluster().await;
    let rush = Rush::start(&world).await;
    let schedule = rush.sale.schedule;
    let doomed = world.redis.primary_of(schedule);
    // A sale that another node has never hears of it.
    let admin = rush.processes[0].admin().await;
    let elsewhere = loop {
        let sale = sale::open(&admin, 1, 1, json!({})).await;
        if world.redis.primary_of(sale.schedule) != doomed {
            break sale.schedule;
        }
    };
    let mut others = people(&world, &[rush.processes[0].addr], 100, 0).await.into_iter();
    rush.joined(20).await;
    world.redis.server(doomed).kill().await.expect("it ends");
    let since = Instant::now();
    while rush.seen().joins.back_after(since).is_none() {
        others.next().expect("somebody").join(elsewhere).await.ok(201);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    ends_well(rush, &world, "a primary of a cluster killed", since).await;
    // The killed one comes back as a replica, and nobody takes it for what it was.
    world.redis.server(doomed).restart().await.expect("it starts");
    world.redis.settles().await.expect("it copies what was its replica");
    assert_eq!(world.redis.primary_now(schedule, None).await, Some(doomed + 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_primary_is_replaced_and_not_believed_when_it_speaks_again() {
    let mut world = cluster().await;
    let rush = Rush::start(&world).await;
    let silent = world.redis.primary_of(rush.sale.schedule);
    rush.joined(20).await;
    world.redis.server(silent).pause();
    let since = Instant::now();
    rush.is_back_after(since).await;
    world.redis.server(silent).resume();
    until("it copies its replica", async || {
        says(&mut world, silent, "replication", "role:slave").await.then_some(())
    })
    .await;
    ends_well(rush, &world, "a primary of a cluster silent", since).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_lacks_the_last_joins_hands_out_no_number_twice() {
    let mut world = cluster().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 10, json!({"capacity": 1})).await;
    let crowd = people(&world, &[process.addr], 25, 0).await;
    let mut crowd = join_in_turn(crowd, sale.schedule).await;
    let primary = world.redis.primary_of(sale.schedule);
    let replica = primary + 3;
    // It neither gets what is written from now on, nor has it ever been told a script.
    let cut = world.redis.server(replica);
    cut.tell::<()>(&["CONFIG", "SET", "masterauth", "wrong"]).await.expect("set");
    cut.tell::<u64>(&["CLIENT", "KILL", "TYPE", "master"]).await.expect("killed");
    until("the copy falls behind", async || {
        says(&mut world, replica, "replication", "master_link_status:down").await.then_some(())
    })
    .await;
    assert!(says(&mut world, replica, "memory", "number_of_cached_scripts:0").await);
    let late = people(&world, &[process.addr], 25, 0).await;
    crowd.extend(join_in_turn(late, sale.schedule).await);
    world.redis.server(primary).kill().await.expect("it ends");

    for mut newcomer in people(&world, &[process.addr], 5, 0).await {
        until("joining works", async || {
            (newcomer.join(sale.schedule).await.status == 201).then_some(())
        })
        .await;
        crowd.push(newcomer);
    }
    let mut places = Vec::new();
    for person in &mut crowd {
        places.push(person.poll().await.ok(200)["sequence"].as_u64().expect("a place"));
    }
    let old = (1..=50).map(|number| (1 << 40) + number);
    let new = (1..=5).map(|number| (2 << 40) + number);
    assert_eq!(places, old.chain(new).collect::<Vec<_>>());
    assert_eq!(world.number(EPOCH).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_sentinel_a_primary_killed_in_the_rush_costs_no_seat_and_no_place() {
    let mut watched = RedisSentinel::throwaway().await.expect("servers");
    // The first that is asked never answers.
    watched.sentinels_mut()[0].pause();
    let mut world = World::on(Servers::Sentinel(watched)).await;
    let rush = Rush::start(&world).await;
    rush.joined(20).await;
    world.redis.server(0).kill().await.expect("it ends");
    let since = Instant::now();
    rush.is_back_after(since).await;
    // Started again it thinks that it is the primary, and is told otherwise.
    world.redis.server(0).restart().await.expect("it starts");
    until("it is a replica", async || {
        says(&mut world, 0, "replication", "role:slave").await.then_some(())
    })
    .await;
    ends_well(rush, &world, "a primary under Sentinel killed", since).await;
}
