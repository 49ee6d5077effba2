//! The pool of exclusive connections for bulk calls to Redis. A call that blocks on the server
//! (`BLPOP`) stands for one with a large answer: it occupies its connection, and nothing else.

use std::time::{Duration, Instant};

use onsale::store::StoreError;
use onsale::store::redis::{BulkUse, Redis};
use redis::{AsyncCommands, Cmd, RedisError, Value};
use tokio::task::JoinHandle;

use crate::support::faults::key;
use crate::support::proxy::Proxy;
use crate::support::servers::Servers;
use crate::support::wait::until;

/// Number of connections in a pool.
const CONNECTIONS: usize = 4;
const SCHEDULE: i64 = 7;

fn lazy(url: &str) -> Redis {
    Redis::lazy(url).expect("a URL")
}

/// A call that is answered once the list of the schedule has an element.
fn slow_call(redis: &Redis) -> JoinHandle<Result<Value, RedisError>> {
    let redis = redis.clone();
    let mut command = redis::cmd("BLPOP");
    command.arg(key(SCHEDULE, "slow")).arg(0);
    tokio::spawn(async move { redis.bulk(&command).await })
}

/// Reads a key that does not exist.
fn quick_call(schedule: i64) -> Cmd {
    redis::cmd("GET").arg(key(schedule, "none")).to_owned()
}

/// Waits until `count` calls block on the schedule's server.
async fn until_blocked(servers: &Servers, count: usize) {
    let server = &servers.all()[servers.primary_of(SCHEDULE)];
    let line = format!("blocked_clients:{count}");
    until(&line, async || {
        let info: String = server.call(&["INFO", "clients"]).await.expect("Redis");
        info.lines().any(|found| found == line).then_some(())
    })
    .await;
}

/// Checks that each of many calls, several at a time, gets its own answer.
async fn answers_are_their_own(redis: &Redis) {
    let script = "return ARGV[1]";
    let calls = (0..40).map(|number| {
        let mut command = redis::cmd("EVAL");
        command.arg(script).arg(1).arg(key(SCHEDULE, "none")).arg(number);
        async move { (number, redis.bulk::<usize>(&command).await.expect("Redis")) }
    });
    for (number, answer) in futures_util::future::join_all(calls).await {
        assert_eq!(answer, number);
    }
}

/// Opens every connection of the pool to the schedule's server.
async fn fill(servers: &Servers, redis: &Redis) {
    let slow: Vec<_> = (0..CONNECTIONS).map(|_| slow_call(redis)).collect();
    until_blocked(servers, CONNECTIONS).await;
    let mut raw = servers.raw().await;
    let elements = vec!["an answer"; CONNECTIONS];
    raw.rpush::<_, _, ()>(key(SCHEDULE, "slow"), elements).await.expect("Redis");
    for call in slow {
        call.await.expect("no panic").expect("an answer");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_bulk_calls_do_not_delay_those_of_another_schedule() {
    let servers = Servers::new().await;
    let redis = lazy(&servers.url());
    let node = servers.primary_of(SCHEDULE);
    let other = (SCHEDULE + 1..SCHEDULE + 1000).find(|other| servers.primary_of(*other) == node);
    let other = other.expect("a schedule on the same server");
    let slow: Vec<_> = (1..CONNECTIONS).map(|_| slow_call(&redis)).collect();
    until_blocked(&servers, CONNECTIONS - 1).await;
    for _ in 0..20 {
        assert_eq!(redis.bulk::<Value>(&quick_call(other)).await, Ok(Value::Nil));
    }
    assert!(slow.iter().all(|call| !call.is_finished()), "the slow calls go on");
    slow.iter().for_each(JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_bulk_call_leaves_its_answer_to_no_other_call() {
    let servers = Servers::new().await;
    let (redis, mut raw) = (lazy(&servers.url()), servers.raw().await);
    for _ in 0..10 {
        let cancelled = slow_call(&redis);
        until_blocked(&servers, 1).await;
        cancelled.abort();
        // The answer is on its way while the call is being cancelled.
        raw.rpush::<_, _, ()>(key(SCHEDULE, "slow"), "late").await.expect("Redis");
        answers_are_their_own(&redis).await;
        raw.del::<_, ()>(key(SCHEDULE, "slow")).await.expect("Redis");
    }
    let cancelled = slow_call(&redis);
    until_blocked(&servers, 1).await;
    cancelled.abort();
    until_blocked(&servers, 0).await;
    raw.rpush::<_, _, ()>(key(SCHEDULE, "slow"), "late").await.expect("Redis");
    answers_are_their_own(&redis).await;
    let length: usize = raw.llen(key(SCHEDULE, "slow")).await.expect("Redis");
    assert_eq!(length, 1, "the connection of the cancelled call is closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bulk_call_over_its_time_limit_fails_and_its_connection_is_closed() {
    let servers = Servers::new().await;
    let (redis, mut raw) = (lazy(&servers.url()), servers.raw().await);
    let begun = Instant::now();
    let error = slow_call(&redis).await.expect("no panic").expect_err("no answer in time");
    assert!(begun.elapsed() >= Duration::from_secs(10), "10 s to answer");
    assert!(matches!(StoreError::from(error), StoreError::Unavailable { .. }));
    until_blocked(&servers, 0).await;
    raw.rpush::<_, _, ()>(key(SCHEDULE, "slow"), "late").await.expect("Redis");
    answers_are_their_own(&redis).await;
    let length: usize = raw.llen(key(SCHEDULE, "slow")).await.expect("Redis");
    assert_eq!(length, 1, "nobody got the late answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bulk_call_without_a_free_connection_is_refused_in_time_and_counted() {
    let servers = Servers::single().await;
    let redis = lazy(&servers.url());
    let slow: Vec<_> = (0..CONNECTIONS).map(|_| slow_call(&redis)).collect();
    until_blocked(&servers, CONNECTIONS).await;
    let waiting = {
        let redis = redis.clone();
        tokio::spawn(async move { redis.bulk::<Value>(&quick_call(SCHEDULE)).await })
    };
    let busy = BulkUse { size: 4, in_use: 4, waiting: 1, wait_timeouts: 0 };
    until("one call waits", async || (redis.bulk_use() == busy).then_some(())).await;
    let error = waiting.await.expect("no panic").expect_err("no connection");
    assert!(matches!(StoreError::from(error), StoreError::Unavailable { .. }));
    assert!(slow.iter().all(|call| !call.is_finished()), "refused before the time limit of calls");
    assert_eq!(redis.bulk_use(), BulkUse { waiting: 0, wait_timeouts: 1, ..busy });
    assert_eq!(redis.bulk_use().wait_timeouts, 0, "counted once");
    // Hot calls do not need a connection of the pool.
    redis.ping().await.expect("Redis");
    slow.iter().for_each(JoinHandle::abort);
    until("the connections are closed", async || (redis.bulk_use().size == 0).then_some(())).await;
    answers_are_their_own(&redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_of_the_server_at_most_one_bulk_call_fails_and_none_after_renewing() {
    let mut servers = Servers::single().await;
    let redis = lazy(&servers.url());
    let failures = async || {
        let mut failures = 0;
        for _ in 0..3 * CONNECTIONS {
            failures += usize::from(redis.bulk::<Value>(&quick_call(SCHEDULE)).await.is_err());
        }
        failures
    };
    fill(&servers, &redis).await;
    assert_eq!(redis.bulk_use().size, CONNECTIONS);
    servers.kill().await.expect("it ends");
    assert!(failures().await > 0, "the server is down");
    servers.restart().await.expect("it starts");
    // Connections are refused for another 100 ms after an attempt that failed.
    until("Redis answers", async || redis.bulk::<Value>(&quick_call(SCHEDULE)).await.ok()).await;
    assert_eq!(failures().await, 0);

    fill(&servers, &redis).await;
    servers.restart().await.expect("it starts");
    assert!(failures().await <= 1, "the first failure replaces all connections");

    fill(&servers, &redis).await;
    servers.restart().await.expect("it starts");
    redis.renew(&quick_call(SCHEDULE)).await.expect("Redis");
    assert_eq!(failures().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_connection_that_went_silent_is_replaced_before_its_next_call() {
    let servers = Servers::single().await;
    let (proxy, url) = Proxy::of_url(&servers.url()).await;
    let redis = lazy(&url);
    fill(&servers, &redis).await;
    proxy.silence_open_connections();
    // A connection counts as idle after a second without a call.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begun = Instant::now();
    assert_eq!(redis.bulk::<Value>(&quick_call(SCHEDULE)).await, Ok(Value::Nil));
    assert!(begun.elapsed() < Duration::from_secs(5), "a silent connection would take 10 s");
}
