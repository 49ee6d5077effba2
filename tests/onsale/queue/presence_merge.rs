//! Two merges of one schedule's presence at the same time.

use std::time::Instant;

use futures_util::StreamExt;
use onsale::store::id::ScheduleId;
use redis::AsyncCommands;

use crate::queue::presence::{join_and_list_sequences, sale_with_silence};
use crate::support::crowd::create_users;
use crate::support::faults::key;
use crate::support::parts::Parts;
use crate::support::servers::Servers;
use crate::support::wait::until;
use crate::support::world::World;

/// The commands that Redis ran during `act`, those of scripts included.
async fn commands_during(world: &World, act: impl Future<Output = ()>) -> Vec<String> {
    let client = redis::Client::open(world.redis_url.as_str()).expect("an address");
    let monitor = client.get_async_monitor().await.expect("a connection");
    act.await;
    let mut redis = world.raw_redis().await;
    redis::cmd("GET").arg("the end").exec_async(&mut redis).await.expect("Redis");
    let calls = monitor.into_on_message::<String>();
    calls.take_while(|call| std::future::ready(!call.contains("the end"))).collect().await
}

#[tokio::test]
async fn a_merge_takes_no_lease_up_to_what_another_merge_has_not_sent() {
    const ENTRIES: u64 = 20_000;
    let world = World::on(Servers::single().await).await;
    let process = world.start().await;
    let sale = sale_with_silence(&process).await;
    let mut crowd = create_users(&world, &[process.addr], 1, 0).await;
    let first = join_and_list_sequences(&mut crowd, sale.schedule).await[0];
    process.stop().await;
    let mut redis = world.raw_redis().await;
    let meta = key(sale.schedule, "meta");
    redis.hset::<_, _, _, ()>(&meta, "notice", first + ENTRIES).await.expect("Redis");

    let Parts { boards, presence, .. } = Parts::of(&world, &world.pg);
    let watched = boards.watch(ScheduleId(sale.schedule));
    let noticed = until("the notice is known", async || {
        watched.board().filter(|board| board.meta.notice == first + ENTRIES)
    })
    .await;
    presence.step().await.expect("a merge");
    for sequence in first..first + ENTRIES {
        let _ = watched.presence.mark(sequence, noticed.meta.presence(), Instant::now());
    }
    let calls = commands_during(&world, async {
        let (one, other) = tokio::join!(presence.step(), presence.step());
        one.and(other).expect("two merges");
    })
    .await;
    let is = |call: &String, command: &str, key: &str| call.contains(command) && call.contains(key);
    let leases: Vec<usize> =
        (0..calls.len()).filter(|at| is(&calls[*at], "\"HSET\"", ":mergers")).collect();
    assert_eq!(leases.len(), 2, "each merge takes a lease");
    let sent = calls[..leases[0]].iter().filter(|call| is(call, "\"SETBIT\"", ":present:")).count();
    assert_eq!(sent as u64, ENTRIES, "all entries are in Redis before the first lease");
}
