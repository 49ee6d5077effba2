//! A long queue does not slow the scripts: their cost grows with what they change, not with its
//! length.

use std::collections::BTreeMap;

use onsale::store::script::Script;
use onsale_dev::redis::RedisServer;

use super::stage::Stage;

/// A script that takes longer than this has read the whole queue.
const SLOW_MICROS: &str = "5000";
/// Joins in one pipeline.
const BATCH: i64 = 1000;

async fn config(stage: &Stage, name: &str, value: &str) {
    let mut config = redis::cmd("CONFIG");
    config.arg("SET").arg(name).arg(value);
    config.query_async::<()>(&mut stage.raw.clone()).await.expect("OK");
}

/// An entry of the slow log; its fourth field is the call.
type Entry = (i64, i64, i64, Vec<String>, String, String);

/// The hash of the cached join script, from the slow log.
async fn hash_of_join(stage: &Stage) -> String {
    for _ in 0..2 {
        config(stage, "slowlog-log-slower-than", "0").await;
        stage.run_numbers(Script::Join, &[1]).await;
        config(stage, "slowlog-log-slower-than", SLOW_MICROS).await;
    }
    let mut get = redis::cmd("SLOWLOG");
    let log: Vec<Entry> =
        get.arg("GET").arg(-1).query_async(&mut stage.raw.clone()).await.expect("the log");
    let mut calls = log.into_iter().map(|entry| entry.3);
    calls.find(|call| call[0].eq_ignore_ascii_case("EVALSHA")).expect("a call").remove(1)
}

async fn join_all(stage: &Stage, people: i64) {
    let (hash, keys) = (hash_of_join(stage).await, stage.keys(Script::Join));
    for first in (1..=people).step_by(usize::try_from(BATCH).expect("small")) {
        let mut pipe = redis::pipe();
        for user in first..(first + BATCH).min(people + 1) {
            pipe.cmd("EVALSHA").arg(&hash).arg(keys.len()).arg(&keys);
            pipe.arg(stage.keyspace.keys.epoch()).arg(user).ignore();
        }
        pipe.query_async::<()>(&mut stage.raw.clone()).await.expect("joins");
    }
}

/// The number of slow calls since the last call of this function.
async fn slow(stage: &Stage) -> u64 {
    let mut raw = stage.raw.clone();
    let slow: u64 = redis::cmd("SLOWLOG").arg("LEN").query_async(&mut raw).await.expect("a number");
    redis::cmd("SLOWLOG").arg("RESET").query_async::<()>(&mut raw).await.expect("OK");
    slow
}

/// `ONSALE_TEST_LINE` sets the length of the queue (default 100000).
#[tokio::test]
async fn no_script_scans_the_whole_queue() {
    let people = std::env::var("ONSALE_TEST_LINE").ok().and_then(|people| people.parse().ok());
    let people: i64 = people.unwrap_or(100_000);
    let server = RedisServer::throwaway().await.expect("a Redis");
    let stage = Stage::open(&server, 1).await;
    stage.configure(&[("paused", 1)]).await;
    join_all(&stage, people).await;
    let waiting: i64 = stage.touch("ZCARD", "waiting", &[]).await;
    assert_eq!(waiting, people);
    stage.configure(&[("seats_total", 1000), ("capacity", people), ("rate", 10_000)]).await;
    // (user, sequence) of the head of the queue, and of its middle.
    let (from, to) = (people / 2, people / 2 + 199);
    let head: Vec<(i64, i64)> = stage.touch("ZRANGE", "waiting", &["0", "999", "WITHSCORES"]).await;
    let range = [&from.to_string(), &to.to_string(), "WITHSCORES"];
    let middle: Vec<(i64, i64)> = stage.touch("ZRANGE", "waiting", &range).await;
    let present: Vec<i64> = head.iter().map(|(_, sequence)| *sequence).collect();
    let seats: Vec<i64> = (1..=200).collect();
    let mut slowest: BTreeMap<&str, u64> = BTreeMap::new();
    slow(&stage).await;
    let rounds = 20;
    for round in 0..rounds {
        let at = usize::try_from(round).expect("small");
        let ((user, sequence), (buyer, bought)) = (middle[at], middle[at + 100]);
        let fenced = |seat| format!("{seat} {} {}", round + 1, seat / 4 + 1);
        let fenced: Vec<String> = seats.iter().map(fenced).collect();
        let apply: Vec<&str> = ["SELL", "-", "0"]
            .into_iter()
            .chain(fenced.iter().flat_map(|it| it.split(' ')))
            .collect();
        for (name, script, args) in [
            ("join", Script::Join, vec![people + round + 1]),
            ("join again", Script::Join, vec![user]),
            ("poll", Script::ResolveTicket, vec![user, sequence, 0]),
            ("leave", Script::Leave, vec![user, sequence]),
            ("complete", Script::Complete, vec![buyer, bought]),
            (
                "presence",
                Script::MarkPresent,
                [vec![1, present[999], 5000], present.clone()].concat(),
            ),
            ("admit", Script::Admit, vec![]),
        ] {
            stage.run_numbers(script, &args).await;
            *slowest.entry(name).or_default() += slow(&stage).await;
        }
        stage.run(Script::ApplySeats, &apply).await;
        *slowest.entry("apply").or_default() += slow(&stage).await;
    }
    let admitted: i64 = stage.touch("HGET", "meta", &["admitted"]).await;
    assert_eq!(admitted, rounds * 100);
    // On a busy machine any single call may take long; a slow script is slow in every round.
    slowest.retain(|_, calls| *calls >= u64::try_from(rounds).expect("small"));
    assert_eq!(slowest, BTreeMap::new(), "of {rounds} calls each");
}
