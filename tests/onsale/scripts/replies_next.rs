//! What `queue/next` says of the front of a line. Named in `replies`.

use onsale::store::script::Script;

use super::replies_line::{place, silence};
use super::stage::{HOUR, Said, Stage, now};

async fn next(stage: &Stage) -> Said {
    stage.tell(Script::Next, &[3]).await
}

/// Fails unless nobody is let in for this reason, until then.
#[track_caller]
fn stands(said: &Said, why: &str, until: i64) {
    assert_eq!((said.get::<String>(0).as_str(), said.get::<i64>(1)), (why, until), "{said:?}");
}

/// Those who are next: sequence, user, here, back.
fn people(said: &Said) -> Vec<i64> {
    (0..).map_while(|at| said.try_get(4 + at)).collect()
}

pub async fn who_is_next_and_why_nobody_is_is_told_by_the_rules_of_admission(stage: &mut Stage) {
    stands(&next(stage).await, "EMPTY", 0);
    stage.configure(&[("capacity", 1), ("rate", 1)]).await;
    stage.touch::<()>("HSET", "meta", &["tokens_at", "0"]).await;
    let until: i64 = stage.tell(Script::Join, &[1]).await.get(1);
    for user in 2..=6 {
        stage.tell(Script::Join, &[user]).await;
    }
    let said = next(stage).await;
    stands(&said, "FULL", until);
    let waits = |n: i64| [place(1, n), n, 1, 0];
    assert_eq!(said.get::<i64>(2), 0, "no room");
    assert_eq!(people(&said), [waits(2), waits(3), waits(4)].concat(), "three were asked for");

    stage.touch::<()>("ZREM", "active", &["1"]).await;
    let said = next(stage).await;
    stands(&said, "", 0);
    assert_eq!(said.get::<i64>(2), 1);

    // Nobody is here: two are passed over, one comes back, and is next.
    silence(stage).await;
    stands(&next(stage).await, "", 0);
    stage.touch::<()>("HSET", "meta", &["noticed", "0"]).await;
    stands(&next(stage).await, "ASKING", 0);
    silence(stage).await;
    assert_eq!(people(&next(stage).await)[2], 0, "not heard from");
    stage.say(Script::MarkPresent, &["", "0", "0", &place(1, 4).to_string()]).await;
    stage.touch::<()>("HSET", "meta", &["tokens_at", "0"]).await;
    assert_eq!(stage.say(Script::Admit, &[]).await.numbers()[..2], [1, 2]);
    stage.tell(Script::Join, &[3]).await;
    let said = next(stage).await;
    assert_eq!(people(&said)[..8], [place(1, 3), 3, 1, 1, place(1, 5), 5, 0, 0]);

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
        let said = next(stage).await;
        stands(&said, why, until);
        assert_eq!(people(&said).is_empty(), why == "DRAW", "{why}");
    }
    stage.configure(&[("seats_total", 3)]).await;
    stage.touch::<()>("HSET", "meta", &["gone", "3"]).await;
    stands(&next(stage).await, "SOLD_OUT", 0);
    stage.touch::<()>("HSET", "meta", &["pause_until", &soon.to_string()]).await;
    stands(&next(stage).await, "RECOVERING", soon);
}
