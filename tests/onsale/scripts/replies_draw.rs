//! What the scripts of a draw say, and what they do to those who wait. Named in `replies`.

use onsale::store::script::Script;

use super::replies_line::{number, place};
use super::stage::{HOUR, Stage, now};

async fn join(stage: &Stage, users: &[i64]) {
    for user in users {
        stage.tell(Script::Join, &[*user]).await;
    }
}

/// Who waits, in order.
async fn line(stage: &Stage) -> Vec<i64> {
    stage.touch("ZRANGE", "waiting", &["0", "-1"]).await
}

async fn where_is(stage: &Stage, user: i64) -> i64 {
    stage.touch("ZSCORE", "waiting", &[&user.to_string()]).await
}

async fn opens(stage: &Stage, at: i64) {
    stage.configure(&[("draw", 1), ("opens_ms", at)]).await;
}

pub async fn a_draw_moves_those_who_came_before_it_and_nobody_else(stage: &mut Stage) {
    stage.say(Script::DrawBegin, &[]).await; // no draw at all: EARLY
    opens(stage, now() + HOUR).await;
    join(stage, &[1, 2, 3, 4]).await;
    assert_eq!(stage.say(Script::DrawBegin, &[]).await.word, "EARLY");
    stage.tell(Script::Leave, &[4, place(1, 4)]).await.is("OK", &[2]);
    opens(stage, now() - 1).await;
    // Whoever comes first after the opening shuts it, and is not in it.
    join(stage, &[5]).await;
    assert_eq!(where_is(stage, 5).await, place(1, 9), "behind the four numbers that are kept");
    let begun = stage.say(Script::DrawBegin, &[]).await;
    assert_eq!((begun.get::<i64>(0), begun.get::<i64>(1)), (place(1, 4), 4));
    let again: String = stage.say(Script::DrawBegin, &[]).await.get(2);
    assert_eq!(begun.get::<String>(2), again, "one mark");
    assert_eq!(stage.say(Script::Admit, &[]).await.get::<i64>(0), 0, "nobody is let in");

    // Drawn: 3, 1, 2; 4 has left; 2 leaves by the old ticket when they were moved already.
    stage.tell(Script::DrawMove, &[1, place(1, 1), 2, 2, place(1, 2), 3]).await.is("OK", &[2]);
    stage.tell(Script::DrawMove, &[1, place(1, 1), 2, 2, place(1, 2), 3]).await.is("OK", &[0]);
    let shown = stage.tell(Script::Ticket, &[1, place(1, 1), 0]).await;
    assert_eq!(shown.get::<i64>(0), place(1, 6), "an old ticket does not take it back");
    stage.tell(Script::Leave, &[2, place(1, 2)]).await.is("OK", &[2]);
    for ended in [place(1, 2), place(1, 7)] {
        assert_eq!(stage.tell(Script::Ticket, &[2, ended, 0]).await.word, "ENDED");
    }
    let moves = [2, place(1, 2), 3, 3, place(1, 3), 1, 4, place(1, 4), 4];
    stage.tell(Script::DrawMove, &moves).await.is("OK", &[1]);
    assert_eq!(line(stage).await, [3, 1, 5]);
    for user in [1, 3] {
        let n = usize::try_from(where_is(stage, user).await & 0xffff).unwrap();
        let bit: u8 = stage.touch("GETBIT", "bits:1", &[&n.to_string()]).await;
        let was: u8 = stage.touch("GETBIT", "bits:1", &[&user.to_string()]).await;
        assert_eq!((bit, was), (1, 0));
    }
    stage.say(Script::DrawEnd, &[]).await.is("OK", &[0]);
    stage.say(Script::DrawEnd, &[]).await.is("OK", &[0]);
    assert_eq!(stage.say(Script::DrawBegin, &[]).await.word, "DONE");
    assert_eq!(stage.tell(Script::DrawMove, &[3, place(1, 3), 4]).await.word, "DONE");
    // An old ticket of somebody whom Redis does not know is not put back in front of everybody.
    assert_eq!(stage.tell(Script::Ticket, &[7, place(1, 3), 0]).await.word, "DRAWN");
    stage.touch::<()>("HSET", "meta", &["tokens_at", "0"]).await;
    assert_eq!(
        stage.say(Script::Admit, &[]).await.get::<i64>(0),
        3,
        "and whoever was here still is"
    );
}

pub async fn a_draw_after_a_loss_waits_for_old_tickets_and_takes_the_rest_behind(
    stage: &mut Stage,
) {
    stage.at_epoch(2);
    stage.build().await;
    opens(stage, now() + HOUR).await;
    stage.say(Script::Ready, &["60000"]).await;
    for user in 1..=120 {
        stage.tell(Script::Ticket, &[user, place(1, user), 0]).await;
    }
    join(stage, &[201, 202]).await;
    opens(stage, now() - 1).await;
    assert_eq!(stage.say(Script::DrawBegin, &[]).await.word, "PAUSED");
    assert_eq!(number(stage, "draw_base").await, place(2, 2), "shut all the same");
    stage.say(Script::Ready, &["0"]).await;
    let begun = stage.say(Script::DrawBegin, &[]).await;
    assert!(begun.get::<i64>(1) >= 244, "room for twice as many");

    // 202 had an older place, which is the one in the draw; 203 is in it too, and never came back.
    let base = place(2, 2);
    stage.tell(Script::DrawMove, &[202, place(1, 900), 1]).await.is("OK", &[1]);
    stage.tell(Script::DrawMove, &[203, place(1, 901), 2, 1, place(1, 1), 3]).await.is("OK", &[2]);
    assert_eq!(where_is(stage, 202).await, base + 1);
    assert_eq!(stage.tell(Script::Ticket, &[202, place(2, 2), 0]).await.word, "ENDED");
    // The other 119 and 201 are not on the list: they get what comes after it.
    stage.say(Script::DrawEnd, &[]).await.is("MORE", &[100]);
    stage.say(Script::DrawEnd, &[]).await.is("OK", &[20]);
    let line = line(stage).await;
    assert_eq!((&line[..4], line.len()), (&[202, 203, 1, 2][..], 123));
    assert_eq!(stage.tell(Script::Ticket, &[2, place(1, 2), 0]).await.get::<i64>(1), 3);
}
