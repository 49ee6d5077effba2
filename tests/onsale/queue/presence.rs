//! Presence: no buyer who polls as requested is passed over, with any number of silent entries
//! ahead and any number of processes that answer polls.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use onsale::store::id::ScheduleId;
use onsale::store::keys::ScheduleKeys;
use onsale::store::redis::Redis;
use onsale::store::script::{Keyspace, Script, inspect};
use redis::AsyncCommands;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::client::Client;
use crate::support::crowd::create_users;
use crate::support::faults::key;
use crate::support::queue::is_present;
use crate::support::sale::{self, Sale};
use crate::support::servers::Raw;
use crate::support::wait::{until, until_within};
use crate::support::world::{Process, World};

/// The shortest presence window that the API allows, so that silence counts soon.
const QUEUE: &str = r#"{"capacity": 50, "admit_per_second": 50, "presence_window_seconds": 10,
                        "claim_window_seconds": 600, "paused": true}"#;

pub async fn sale_with_silence(process: &Process) -> Sale {
    let queue: Value = serde_json::from_str(QUEUE).expect("settings");
    sale::open(&process.admin().await, 1, 10, queue).await
}

async fn pause(process: &Process, sale: &Sale, paused: bool) {
    let path = format!("/v1/admin/schedules/{}/queue", sale.schedule);
    process.admin().await.patch(&path, json!({"paused": paused})).await.ok(200);
}

/// The users join in this order; returns their sequences, which rise.
pub async fn join_and_list_sequences(users: &mut [Client], schedule: i64) -> Vec<u64> {
    let mut sequences = Vec::new();
    for person in users {
        let ticket = person.join(schedule).await.ok(201);
        sequences.push(ticket["sequence"].as_u64().expect("a sequence"));
    }
    sequences
}

/// Polls at the times of `poll_after_ms`, each time at another process, until active. Then it
/// leaves, if `leaves` is true.
fn poll_as_requested(person: &Client, at: Vec<SocketAddr>, leaves: bool) -> JoinHandle<()> {
    let mut person = person.clone();
    tokio::spawn(async move {
        for addr in at.iter().cycle().skip(usize::try_from(person.user).unwrap_or(0)) {
            let mut there = person.at(*addr);
            let answer = there.poll().await;
            person = there;
            if let Some(pause) = answer.retry_after() {
                // The machine is busy.
                tokio::time::sleep(pause).await;
                continue;
            }
            let ticket = answer.ok(200);
            if ticket["status"] == "ACTIVE" {
                if leaves {
                    person.leave().await;
                }
                return;
            }
            let pause = ticket["poll_after_ms"].as_u64().expect("a pause");
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    })
}

/// Waits until the first and the last of the sequences are no longer present.
async fn until_silent(world: &World, schedule: i64, sequences: &[u64]) {
    let mut redis = world.raw_redis().await;
    let limit = Duration::from_secs(90);
    until_within(limit, "they are silent for the presence window", async || {
        for sequence in [sequences[0], sequences[sequences.len() - 1]] {
            if is_present(&mut redis, schedule, sequence).await {
                return None;
            }
        }
        Some(())
    })
    .await;
}

async fn users_in(redis: &mut Raw, schedule: i64, set: &str) -> BTreeSet<i64> {
    let users: Vec<i64> = redis.zrange(key(schedule, set), 0, -1).await.expect("Redis");
    users.into_iter().collect()
}

/// Starts admission and runs it `times` times in one transaction, so that no process merges presence in
/// between: the fastest that the head of the queue can move. Returns the parked users.
async fn admit_at_once(redis: &mut Raw, world: &World, schedule: i64, times: usize) -> Vec<i64> {
    let asked = Redis::lazy(&world.redis_url).expect("an address");
    let keys = ScheduleKeys::new(ScheduleId(schedule), 1);
    let server = inspect(&asked, &keys).await.expect("Redis").server;
    let keyspace = Keyspace::new(keys, &server);
    let mut calls = redis::pipe();
    calls.atomic().hset(keyspace.keys.meta(), "pause_until", 0).ignore();
    for _ in 0..times {
        let admit = calls.cmd("EVALSHA").arg(keyspace.name(Script::Admit));
        admit.arg(keyspace.keys.queue().len()).arg(keyspace.keys.queue()).arg(1).ignore();
    }
    calls.zrange(key(schedule, "parked"), 0, -1);
    let (parked,) = calls.query_async(redis).await.expect("Redis");
    parked
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buyers_who_poll_behind_a_long_silent_queue_are_admitted_first() {
    let world = World::new().await;
    let processes = [world.start().await, world.start().await];
    let at = [processes[0].addr, processes[1].addr];
    let sale = sale_with_silence(&processes[0]).await;
    let mut silent = create_users(&world, &at, 900, 0).await;
    let mut honest = create_users(&world, &at, 300, 0).await;
    let mut late = create_users(&world, &at, 200, 0).await;
    join_and_list_sequences(&mut silent, sale.schedule).await;
    join_and_list_sequences(&mut honest, sale.schedule).await;
    // When this last entry is no longer present, the joins of all earlier ones do not count either.
    let mut last = create_users(&world, &at, 1, 0).await;
    let last = join_and_list_sequences(&mut last, sale.schedule).await;
    let polling: Vec<_> =
        honest.iter().map(|one| poll_as_requested(one, at.to_vec(), false)).collect();
    until_silent(&world, sale.schedule, &last).await;
    join_and_list_sequences(&mut late, sale.schedule).await;
    // Nobody is admitted yet, although the sale is no longer paused.
    let mut redis = world.raw_redis().await;
    let meta = key(sale.schedule, "meta");
    let never = 1u64 << 50;
    redis.hset::<_, _, _, ()>(&meta, "pause_until", never).await.expect("Redis");
    pause(&processes[0], &sale, false).await;
    let parked = admit_at_once(&mut redis, &world, sale.schedule, 15).await;
    let passed_over = |person: &&Client| parked.contains(&person.user);
    assert_eq!(honest.iter().filter(passed_over).count(), 0, "nobody who polls is passed over");

    let active = until_within(Duration::from_mins(1), "all slots are taken", async || {
        let active = users_in(&mut redis, sale.schedule, "active").await;
        (active.len() == 50).then_some(active)
    })
    .await;
    let first: BTreeSet<i64> = honest[..50].iter().map(|person| person.user).collect();
    assert_eq!(active, first, "the first 50 who poll are admitted");
    let honest: BTreeSet<i64> = honest.iter().map(|person| person.user).collect();
    for set in ["parked", "returned"] {
        let passed_over = users_in(&mut redis, sale.schedule, set).await;
        assert_eq!(passed_over.intersection(&honest).count(), 0, "nobody who polls is {set}");
    }
    let parked = users_in(&mut redis, sale.schedule, "parked").await;
    assert_eq!(parked.len(), 900, "the silent are passed over");
    polling.iter().for_each(JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_nine_of_ten_silent_the_others_are_admitted_in_order_by_four_processes() {
    const PEOPLE: usize = 600;
    let world = World::new().await;
    let processes =
        [world.start().await, world.start().await, world.start().await, world.start().await];
    let at: Vec<SocketAddr> = processes.iter().map(|process| process.addr).collect();
    let sale = sale_with_silence(&processes[0]).await;
    let schedule = sale.schedule;
    let mut crowd = create_users(&world, &at, PEOPLE.try_into().expect("few"), 0).await;
    let mut sequences = join_and_list_sequences(&mut crowd, schedule).await;
    let honest: Vec<Client> = crowd.iter().step_by(10).cloned().collect();
    let users: BTreeSet<i64> = honest.iter().map(|person| person.user).collect();
    let polling: Vec<_> =
        honest.iter().map(|one| poll_as_requested(one, at.clone(), true)).collect();
    let mut index = 0;
    sequences.retain(|_| {
        index += 1;
        (index - 1) % 10 != 0
    });
    until_silent(&world, schedule, &sequences).await;

    // This task checks all the time that nobody who polls is passed over.
    let (watch, mut redis) = (users.clone(), world.raw_redis().await);
    let watching = tokio::spawn(async move {
        loop {
            for set in ["parked", "returned"] {
                let passed_over = users_in(&mut redis, schedule, set).await;
                let found = passed_over.intersection(&watch).count();
                assert_eq!(found, 0, "nobody who polls is {set}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    pause(&processes[0], &sale, false).await;
    for task in polling {
        task.await.expect("a buyer who polls is admitted");
    }
    assert!(!watching.is_finished(), "the check has not failed");
    watching.abort();
    let rows = until("the queue is archived", async || {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "select user_id, sequence from queue where entered_at is not null
             order by entered_at, sequence",
        )
        .fetch_all(&world.pool)
        .await
        .expect("rows");
        (rows.len() == PEOPLE / 10).then_some(rows)
    })
    .await;
    assert!(rows.iter().all(|(user, _)| users.contains(user)), "only those who poll are admitted");
    assert!(rows.is_sorted_by_key(|(_, sequence)| *sequence), "in order");
}

#[tokio::test]
async fn a_poll_after_a_long_silence_marks_presence_in_redis_before_its_answer() {
    let world = World::new().await;
    let processes = [world.start().await, world.start().await];
    let sale = sale_with_silence(&processes[0]).await;
    let schedule = sale.schedule;
    let mut crowd = create_users(&world, &[processes[0].addr], 20, 0).await;
    let sequences = join_and_list_sequences(&mut crowd, schedule).await;
    let mut redis = world.raw_redis().await;
    // The other process answers polls, and takes a lease up to the last sequence.
    for person in &crowd {
        person.at(processes[1].addr).poll().await.ok(200);
    }
    let last = sequences[sequences.len() - 1];
    until("both processes have a lease", async || {
        let all: Vec<String> = redis.hvals(key(schedule, "mergers")).await.expect("Redis");
        let merged = |lease: &String| lease.split(' ').next()?.parse::<u64>().ok();
        (all.iter().filter(|one| merged(one) >= Some(last)).count() == 2).then_some(())
    })
    .await;
    until_silent(&world, schedule, &sequences).await;
    for (person, sequence) in crowd.iter().zip(sequences) {
        person.at(processes[1].addr).poll().await.ok(200);
        assert!(is_present(&mut redis, schedule, sequence).await, "before the answer");
    }
}

#[tokio::test]
async fn silence_counts_only_once_every_live_process_has_merged_its_presence() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale_with_silence(&process).await;
    let schedule = sale.schedule;
    let mut crowd = create_users(&world, &[process.addr], 3, 0).await;
    let sequences = join_and_list_sequences(&mut crowd, schedule).await;
    let polling = poll_as_requested(&crowd[2], vec![process.addr], false);
    until_silent(&world, schedule, &sequences[..2]).await;
    let mut redis = world.raw_redis().await;
    let mergers = key(schedule, "mergers");
    let hour = 1000 * 3600 + chrono::Utc::now().timestamp_millis();
    redis.hset::<_, _, _, ()>(&mergers, "another", format!("0 {hour}")).await.expect("Redis");
    pause(&process, &sale, false).await;
    let path = format!("/v1/admin/schedules/{schedule}/next");
    let admin = process.admin().await;
    until("the console shows the block ASKING", async || {
        let front = admin.get(&path).await.ok(200);
        (front["blocked_by"] == "ASKING").then_some(())
    })
    .await;
    assert!(users_in(&mut redis, schedule, "parked").await.is_empty());
    assert!(users_in(&mut redis, schedule, "active").await.is_empty());
    redis.hset::<_, _, _, ()>(&mergers, "another", "0 1").await.expect("Redis");
    polling.await.expect("admitted");
    let silent: BTreeSet<i64> = crowd[..2].iter().map(|person| person.user).collect();
    assert_eq!(users_in(&mut redis, schedule, "parked").await, silent);
    assert!(!redis.hexists::<_, _, bool>(&mergers, "another").await.expect("Redis"));
}

#[tokio::test]
async fn a_draining_process_merges_its_presence_and_is_no_longer_waited_for() {
    let world = World::new().await;
    let process = world.start().await;
    let draining = world.start().await;
    let sale = sale_with_silence(&process).await;
    let mut crowd = create_users(&world, &[process.addr], 3, 0).await;
    join_and_list_sequences(&mut crowd, sale.schedule).await;
    let mergers = key(sale.schedule, "mergers");
    let mut redis = world.raw_redis().await;
    for at in [process.addr, draining.addr] {
        crowd[1].at(at).poll().await.ok(200);
    }
    until("both processes have a lease", async || {
        (redis.hlen::<_, usize>(&mergers).await.expect("Redis") == 2).then_some(())
    })
    .await;
    // The other process goes on reading its board.
    crowd[1].poll().await.ok(200);
    draining.stop().await;
    assert_eq!(redis.hlen::<_, usize>(&mergers).await.expect("Redis"), 1, "before its lease ends");
}
