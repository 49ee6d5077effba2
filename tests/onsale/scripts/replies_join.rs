//! Scenarios for joins of several users in one call. See `replies`.

use onsale::store::script::Script;
use onsale_dev::redis::RedisServer;

use super::replies_queue::sequence;
use super::stage::{HOUR, ScriptReply, Stage, now};

/// Joins users without `ask`.
async fn join_many(stage: &Stage, users: impl IntoIterator<Item = i64>) -> ScriptReply {
    let args: Vec<i64> = users.into_iter().flat_map(|user| [user, 0]).collect();
    stage.run_numbers(Script::JoinMany, &args).await
}

/// Fails unless these are the outcomes, the first sequence and the number of entries ahead.
#[track_caller]
fn is(reply: &ScriptReply, outcomes: &str, first: i64, ahead: i64) {
    assert_eq!((reply.word.as_str(), reply.get::<String>(0).as_str()), ("OK", outcomes));
    assert_eq!((reply.get::<i64>(2), reply.get::<i64>(3)), (first, ahead));
}

pub async fn several_users_join_in_one_call(stage: &mut Stage) {
    stage.configure(&[("capacity", 2)]).await;
    stage.touch::<()>("HSET", "meta", &["tokens_at", "0"]).await;
    let first = join_many(stage, [1, 2, 3, 1, 4]).await;
    is(&first, "AAWSW", sequence(1, 1), 0);
    assert_eq!(first.get::<i64>(4), first.get::<i64>(1) + HOUR, "the end of the slots");
    is(&join_many(stage, [5, 3, 1, 6]).await, "WSSW", sequence(1, 5), 2);
    is(&join_many(stage, [5, 3]).await, "SS", 0, 0);
    let asked = stage.run_numbers(Script::JoinMany, &[7, 1, 3, 1, 8, 0]).await;
    is(&asked, "USW", sequence(1, 7), 4);
    for (user, place) in [(3, 3), (4, 4), (5, 5), (6, 6), (8, 7)] {
        let found = stage.run_numbers(Script::Join, &[user]).await;
        found.is("WAITING", &[sequence(1, place), place - 3, found.get(2), 0]);
    }

    let opens = now() + HOUR;
    let refused = [
        ("NOT_OPEN", ("queue_opens_ms", opens)),
        ("CLOSED", ("deadline_ms", now() - 1)),
        ("UNAVAILABLE", ("available", 0)),
    ];
    for (word, setting) in refused {
        stage.configure(&[setting]).await;
        let reply = join_many(stage, [3, 20, 21]).await;
        assert_eq!((reply.word.as_str(), reply.get::<String>(0).as_str()), (word, "SRR"));
        assert_eq!(reply.try_get(1), (word == "NOT_OPEN").then_some(opens));
    }
    stage.configure(&[]).await;
    stage.touch::<()>("HSET", "meta", &["gone", "20"]).await;
    let reply = join_many(stage, [3, 20, 21]).await;
    assert_eq!((reply.word.as_str(), reply.get::<String>(0).as_str()), ("SOLD_OUT", "SRR"));
}

/// The tickets of users 1 to 4 wait, 5 is active, 6 has left, 7 was passed over, 8 joined again.
pub async fn several_tickets_are_resolved_in_one_call(stage: &mut Stage) {
    let (mut args, at) = (Vec::new(), |n| sequence(1, n));
    for user in 1..=8 {
        args.extend([user, at(user)]);
    }
    stage.configure(&[("capacity", 0)]).await;
    stage.run_numbers(Script::Leave, &[6, at(6)]).await.is("OK", &[2]);
    stage
        .touch::<()>("HSET", "slot_ends", &[&at(5).to_string(), &(now() + HOUR).to_string()])
        .await;
    stage.touch::<()>("HSET", "place", &["7", &at(7).to_string()]).await;
    stage.touch::<()>("HSET", "meta", &["next_n", "8"]).await;
    join_many(stage, [8]).await;
    for _ in 0..2 {
        let reply = stage.run_numbers(Script::ResolveMany, &args).await;
        assert_eq!(reply.get::<String>(0), "WWWWSSSS");
        let ahead: Vec<i64> = (2..10).map(|index| reply.get(index)).collect();
        assert_eq!(ahead, [0, 1, 2, 3, 0, 0, 0, 0]);
    }
    for user in 1..=4 {
        let found = stage.run_numbers(Script::ResolveTicket, &[user, at(user), 0]).await;
        found.is("WAITING", &[at(user), user - 1, found.get(2)]);
    }
    let twice = stage.run_numbers(Script::ResolveMany, &[1, at(1), 1, at(2)]).await;
    assert_eq!(twice.get::<String>(0), "WS", "two tickets of one user");
}

const RING: [&str; 3] = ["present:0", "present:1", "present:2"];

/// The waiting entries, the bitmaps, and the events of the log without their times.
async fn state(stage: &Stage) -> (Vec<String>, Vec<Vec<u8>>, Vec<String>) {
    let waiting = stage.touch("ZRANGE", "waiting", &["0", "-1", "WITHSCORES"]).await;
    let mut bits = Vec::new();
    for key in RING.into_iter().chain(["bits:1", "bits:2", "bits:3"]) {
        bits.push(stage.touch("GETRANGE", key, &["0", "-1"]).await);
    }
    let log: Vec<(String, Vec<String>)> = stage.touch("XRANGE", "log", &["-", "+"]).await;
    let events = log.into_iter().flat_map(|(_, events)| events).filter(|event| event != "e");
    let timeless = |event: String| event.rsplit_once(' ').expect("a time").0.to_owned();
    (waiting, bits, events.map(timeless).collect())
}

#[tokio::test]
async fn a_batch_leaves_the_state_that_single_joins_leave() {
    let server = RedisServer::throwaway().await.expect("a Redis");
    let mut stages = [Stage::open(&server, 1).await, Stage::open(&server, 2).await];
    for epoch in 1..=3 {
        for stage in &mut stages {
            if epoch > 1 {
                stage.at_epoch(epoch);
                stage.build().await;
                stage.run(Script::FinishRebuild, &["0"]).await;
                // Entries of the epochs before were present: their bits share the bytes.
                let bytes = "3UfU".repeat(40);
                for key in RING {
                    stage.touch::<()>("SETRANGE", key, &["0", &bytes]).await;
                }
            }
            stage.configure(&[("capacity", 0)]).await;
        }
        let mut next = 1;
        for size in [1, 2, 7, 15, 16, 17, 31, 33, 64, 127, 128] {
            let outcomes: String = join_many(&stages[0], next..next + size).await.get(0);
            assert!(outcomes.chars().all(|outcome| outcome == 'W'), "{outcomes}");
            for user in next..next + size {
                stages[1].run_numbers(Script::Join, &[user]).await;
            }
            next += size;
        }
        assert_eq!(state(&stages[0]).await, state(&stages[1]).await, "epoch {epoch}");
    }
}
