//! Scenarios for the scripts of a draw: their replies, and their effect on the queue. See
//! `replies`.

use onsale::store::script::Script;

use super::replies_line::{number, sequence};
use super::stage::{HOUR, Stage, now};

async fn join(stage: &Stage, users: &[i64]) {
    for user in users {
        stage.run_numbers(Script::Join, &[*user]).await;
    }
}

/// The waiting users, in order.
async fn waiting_users(stage: &Stage) -> Vec<i64> {
    stage.touch("ZRANGE", "waiting", &["0", "-1"]).await
}

async fn sequence_of(stage: &Stage, user: i64) -> i64 {
    stage.touch("ZSCORE", "waiting", &[&user.to_string()]).await
}

async fn set_opening(stage: &Stage, at: i64) {
    stage.configure(&[("draw", 1), ("opens_ms", at)]).await;
}

pub async fn a_draw_moves_the_entries_from_before_it_and_no_others(stage: &mut Stage) {
    stage.run(Script::BeginDraw, &[]).await; // no draw at all: EARLY
    set_opening(stage, now() + HOUR).await;
    join(stage, &[1, 2, 3, 4]).await;
    assert_eq!(stage.run(Script::BeginDraw, &[]).await.word, "EARLY");
    stage.run_numbers(Script::Leave, &[4, sequence(1, 4)]).await.is("OK", &[2]);
    set_opening(stage, now() - 1).await;
    // The first join after the opening begins the draw, and is not part of it.
    join(stage, &[5]).await;
    let newcomer = sequence_of(stage, 5).await;
    assert_eq!(newcomer, sequence(1, 9), "behind the four reserved sequences");
    let started = stage.run(Script::BeginDraw, &[]).await;
    assert_eq!((started.get::<i64>(0), started.get::<i64>(1)), (sequence(1, 4), 4));
    let again: String = stage.run(Script::BeginDraw, &[]).await.get(2);
    assert_eq!(started.get::<String>(2), again, "one mark");
    assert_eq!(stage.run(Script::Admit, &[]).await.get::<i64>(0), 0, "nobody is admitted");

    // The drawn order is 3, 1, 2; 4 has left; 2 leaves with the old ticket after it was moved.
    let moves = [1, sequence(1, 1), 2, 2, sequence(1, 2), 3];
    stage.run_numbers(Script::MoveDrawn, &moves).await.is("OK", &[2]);
    stage.run_numbers(Script::MoveDrawn, &moves).await.is("OK", &[0]);
    let shown = stage.run_numbers(Script::ResolveTicket, &[1, sequence(1, 1), 0]).await;
    assert_eq!(shown.get::<i64>(0), sequence(1, 6), "an old ticket does not move the entry back");
    stage.run_numbers(Script::Leave, &[2, sequence(1, 2)]).await.is("OK", &[2]);
    for ended in [sequence(1, 2), sequence(1, 7)] {
        assert_eq!(stage.run_numbers(Script::ResolveTicket, &[2, ended, 0]).await.word, "ENDED");
    }
    let moves = [2, sequence(1, 2), 3, 3, sequence(1, 3), 1, 4, sequence(1, 4), 4];
    stage.run_numbers(Script::MoveDrawn, &moves).await.is("OK", &[1]);
    assert_eq!(waiting_users(stage).await, [3, 1, 5]);
    for user in [1, 3] {
        let n = usize::try_from(sequence_of(stage, user).await & 0xffff).unwrap();
        let bit: u8 = stage.touch("GETBIT", "bits:1", &[&n.to_string()]).await;
        let was: u8 = stage.touch("GETBIT", "bits:1", &[&user.to_string()]).await;
        assert_eq!((bit, was), (1, 0));
    }
    a_finished_draw_moves_nobody(stage).await;
    stage.touch::<()>("HSET", "meta", &["tokens_at", "0"]).await;
    let admitted = stage.run(Script::Admit, &[]).await.get::<i64>(0);
    assert_eq!(admitted, 3, "present users are still present");
}

async fn a_finished_draw_moves_nobody(stage: &Stage) {
    stage.run(Script::FinishDraw, &[]).await.is("OK", &[0]);
    stage.run(Script::FinishDraw, &[]).await.is("OK", &[0]);
    assert_eq!(stage.run(Script::BeginDraw, &[]).await.word, "DONE");
    assert_eq!(stage.run_numbers(Script::MoveDrawn, &[3, sequence(1, 3), 4]).await.word, "DONE");
    // An old ticket without an entry in Redis is not restored in front of everybody.
    assert_eq!(
        stage.run_numbers(Script::ResolveTicket, &[7, sequence(1, 3), 0]).await.word,
        "DRAWN"
    );
}

pub async fn a_draw_after_a_loss_waits_for_old_tickets_and_appends_the_rest(stage: &mut Stage) {
    stage.at_epoch(2);
    stage.build().await;
    set_opening(stage, now() + HOUR).await;
    stage.run(Script::FinishRebuild, &["60000"]).await;
    for user in 1..=120 {
        stage.run_numbers(Script::ResolveTicket, &[user, sequence(1, user), 0]).await;
    }
    join(stage, &[201, 202]).await;
    set_opening(stage, now() - 1).await;
    assert_eq!(stage.run(Script::BeginDraw, &[]).await.word, "PAUSED");
    assert_eq!(
        number(stage, "draw_base").await,
        sequence(2, 2),
        "the draw begins although admission is paused"
    );
    stage.run(Script::FinishRebuild, &["0"]).await;
    let started = stage.run(Script::BeginDraw, &[]).await;
    assert!(started.get::<i64>(1) >= 244, "sequences for twice as many are reserved");

    // 202 had an older entry, which is in the draw; 203 is in it too, and has not polled since.
    let base = sequence(2, 2);
    stage.run_numbers(Script::MoveDrawn, &[202, sequence(1, 900), 1]).await.is("OK", &[1]);
    stage
        .run_numbers(Script::MoveDrawn, &[203, sequence(1, 901), 2, 1, sequence(1, 1), 3])
        .await
        .is("OK", &[2]);
    assert_eq!(sequence_of(stage, 202).await, base + 1);
    assert_eq!(
        stage.run_numbers(Script::ResolveTicket, &[202, sequence(2, 2), 0]).await.word,
        "ENDED"
    );
    // The other 119 and 201 are not on the list: they follow after it.
    stage.run(Script::FinishDraw, &[]).await.is("MORE", &[100]);
    stage.run(Script::FinishDraw, &[]).await.is("OK", &[20]);
    let line = waiting_users(stage).await;
    assert_eq!((&line[..4], line.len()), (&[202, 203, 1, 2][..], 123));
    assert_eq!(
        stage.run_numbers(Script::ResolveTicket, &[2, sequence(1, 2), 0]).await.get::<i64>(1),
        3
    );
}
