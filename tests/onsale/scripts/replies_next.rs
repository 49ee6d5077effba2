//! What `queue/list_next` replies about the front of the queue. See `replies`.

use onsale::store::script::Script;

use super::replies_queue::{sequence, silence};
use super::stage::{HOUR, ScriptReply, Stage, now};

async fn next(stage: &Stage) -> ScriptReply {
    stage.run_numbers(Script::ListNext, &[3]).await
}

/// Fails unless this is the admission block and its end.
#[track_caller]
fn assert_block(reply: &ScriptReply, why: &str, until: i64) {
    assert_eq!((reply.get::<String>(0).as_str(), reply.get::<i64>(1)), (why, until), "{reply:?}");
}

/// The next entries: sequence, user, whether present, whether returned.
fn entries(reply: &ScriptReply) -> Vec<i64> {
    (0..).map_while(|at| reply.try_get(4 + at)).collect()
}

pub async fn the_next_entries_and_the_admission_block_follow_the_admission_rules(
    stage: &mut Stage,
) {
    assert_block(&next(stage).await, "EMPTY", 0);
    stage.configure(&[("capacity", 1), ("rate", 1)]).await;
    stage.touch::<()>("HSET", "meta", &["tokens_at", "0"]).await;
    let until: i64 = stage.run_numbers(Script::Join, &[1]).await.get(1);
    for user in 2..=6 {
        stage.run_numbers(Script::Join, &[user]).await;
    }
    let reply = next(stage).await;
    assert_block(&reply, "FULL", until);
    let waits = |n: i64| [sequence(1, n), n, 1, 0];
    assert_eq!(reply.get::<i64>(2), 0, "no free capacity");
    let three = [waits(2), waits(3), waits(4)].concat();
    assert_eq!(entries(&reply), three, "the request is for three");

    stage.touch::<()>("ZREM", "active", &["1"]).await;
    let reply = next(stage).await;
    assert_block(&reply, "", 0);
    assert_eq!(reply.get::<i64>(2), 1);

    // Nobody is present: two are passed over, one of them returns, and is next.
    silence(stage).await;
    assert_block(&next(stage).await, "", 0);
    stage.touch::<()>("HSET", "meta", &["noticed", "0"]).await;
    assert_block(&next(stage).await, "ASKING", 0);
    silence(stage).await;
    assert_eq!(entries(&next(stage).await)[2], 0, "not present");
    stage.run(Script::MarkPresent, &["", "0", "0", &sequence(1, 4).to_string()]).await;
    stage.touch::<()>("HSET", "meta", &["tokens_at", "0"]).await;
    assert_eq!(stage.run(Script::Admit, &[]).await.numbers()[..2], [1, 2]);
    stage.run_numbers(Script::Join, &[3]).await;
    let reply = next(stage).await;
    assert_eq!(entries(&reply)[..8], [sequence(1, 3), 3, 1, 1, sequence(1, 5), 5, 0, 0]);

    every_block_is_named(stage).await;
}

async fn every_block_is_named(stage: &Stage) {
    let (opens, soon) = (now() + HOUR, now() + 10 * HOUR);
    for (over, why, until) in [
        (("capacity", 0), "NO_CAPACITY", 0),
        (("draw", 1), "DRAW", 0),
        (("paused", 1), "PAUSED", 0),
        (("opens_ms", opens), "UPCOMING", opens),
        (("seats_total", 0), "NO_SEATS", 0),
        (("deadline_ms", now()), "CLOSED", 0),
        (("available", 0), "WITHDRAWN", 0),
    ] {
        stage.configure(&[over]).await;
        let reply = next(stage).await;
        assert_block(&reply, why, until);
        assert_eq!(entries(&reply).is_empty(), why == "DRAW", "{why}");
    }
    stage.configure(&[("seats_total", 3)]).await;
    stage.touch::<()>("HSET", "meta", &["gone", "3"]).await;
    assert_block(&next(stage).await, "SOLD_OUT", 0);
    stage.touch::<()>("HSET", "meta", &["pause_until", &soon.to_string()]).await;
    assert_block(&next(stage).await, "RECOVERING", soon);
}
