//! Scenarios for the scripts of a draw: their replies, and their effect on the queue. See
//! `replies`.

use onsale::store::script::Script;

use super::replies_queue::{number, sequence};
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

    // The drawn order is 1, 2, 4, 3; 4 has left; 2 leaves with the old ticket after it was moved.
    let moves = [1, 1, sequence(1, 1), 2, sequence(1, 2)];
    stage.run_numbers(Script::MoveDrawn, &moves).await.is("OK", &[2]);
    stage.run_numbers(Script::MoveDrawn, &moves).await.is("OK", &[2]);
    let skips = [4, 3, sequence(1, 3)];
    stage.run_numbers(Script::MoveDrawn, &skips).await.is("OK", &[2]);
    let shown = stage.run_numbers(Script::ResolveTicket, &[1, sequence(1, 1), 0]).await;
    assert_eq!(shown.get::<i64>(0), sequence(1, 5), "an old ticket does not move the entry back");
    stage.run_numbers(Script::Leave, &[2, sequence(1, 2)]).await.is("OK", &[2]);
    for ended in [sequence(1, 2), sequence(1, 6)] {
        assert_eq!(stage.run_numbers(Script::ResolveTicket, &[2, ended, 0]).await.word, "ENDED");
    }
    let moves = [3, 4, sequence(1, 4), 3, sequence(1, 3)];
    stage.run_numbers(Script::MoveDrawn, &moves).await.is("OK", &[4]);
    assert_eq!(waiting_users(stage).await, [1, 3, 5]);
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
    assert_eq!(stage.run_numbers(Script::MoveDrawn, &[5, 3, sequence(1, 3)]).await.word, "DONE");
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
    stage.run_numbers(Script::MoveDrawn, &[1, 202, sequence(1, 900)]).await.is("OK", &[1]);
    stage
        .run_numbers(Script::MoveDrawn, &[2, 203, sequence(1, 901), 1, sequence(1, 1)])
        .await
        .is("OK", &[3]);
    assert_eq!(sequence_of(stage, 202).await, base + 1);
    assert_eq!(
        stage.run_numbers(Script::ResolveTicket, &[202, sequence(2, 2), 0]).await.word,
        "ENDED"
    );
    // The other 119 and 201 are not on the list: they follow after it.
    stage.run(Script::FinishDraw, &[]).await.is("MORE", &[100]);
    stage.run(Script::FinishDraw, &[]).await.is("OK", &[20]);
    let queue = waiting_users(stage).await;
    assert_eq!((&queue[..4], queue.len()), (&[202, 203, 1, 2][..], 123));
    assert_eq!(
        stage.run_numbers(Script::ResolveTicket, &[2, sequence(1, 2), 0]).await.get::<i64>(1),
        3
    );
}

/// While the queue is moved, the entries in drawn order are admitted, and no others. What ended
/// meanwhile stays ended, also for a ticket from before the draw.
pub async fn entries_in_drawn_order_are_admitted_while_others_are_moved(stage: &mut Stage) {
    set_opening(stage, now() + HOUR).await;
    join(stage, &[1, 2, 3, 4, 5]).await;
    set_opening(stage, now() - 1).await;
    stage.run(Script::BeginDraw, &[]).await;
    join(stage, &[6]).await;
    stage.touch::<()>("HSET", "meta", &["tokens_at", "0"]).await;
    let admit = async || {
        stage.touch::<()>("HSET", "meta", &["tokens", "100"]).await;
        stage.run(Script::Admit, &[]).await.get::<i64>(0)
    };
    assert_eq!(admit().await, 0, "nothing is moved");
    assert_eq!(list_next(stage).await, (String::from("DRAW"), vec![]));

    // The drawn order is 5, 2, 4, 1, 3.
    let moves = [1, 5, sequence(1, 5), 2, sequence(1, 2)];
    stage.run_numbers(Script::MoveDrawn, &moves).await.is("OK", &[2]);
    assert_eq!(list_next(stage).await, (String::new(), vec![5, 2]));
    assert_eq!(admit().await, 2);
    let active: Vec<i64> = stage.touch("ZRANGE", "active", &["0", "-1"]).await;
    assert_eq!(std::collections::BTreeSet::from_iter(active), [2, 5].into());
    assert_eq!(admit().await, 0, "the others are not moved yet, and 6 stands behind them");
    // 5 completes. Its ticket from before the draw names no entry that could come back.
    let drawn = sequence(1, 5) + 1;
    stage.run_numbers(Script::Complete, &[5, drawn]).await.is("OK", &[3]);
    let shown = stage.run_numbers(Script::ResolveTicket, &[5, sequence(1, 5), 0]).await;
    assert_eq!(shown.word, "DRAWN");
    let many = stage.run_numbers(Script::ResolveMany, &[5, sequence(1, 5)]).await;
    assert_eq!(many.get::<String>(0), "S");
    let shown = stage.run_numbers(Script::ResolveTicket, &[5, drawn, 0]).await;
    assert_eq!(shown.word, "ENDED");
    // 3 leaves with the ticket from before the draw, before its rank is moved: it stays ended under
    // both sequences.
    stage.run_numbers(Script::Leave, &[3, sequence(1, 3)]).await.is("OK", &[2]);
    let of_3 = [3, sequence(1, 10), 0, sequence(1, 3)];
    assert_eq!(stage.run_numbers(Script::ResolveTicket, &of_3).await.word, "ENDED");
    // With no entry in Redis, a new one is not admitted at once: the draw adds lost entrants.
    stage.touch::<()>("ZREM", "waiting", &["1", "4", "6"]).await;
    join(stage, &[7]).await;
    assert_eq!(sequence_of(stage, 7).await, sequence(1, 12));
    let moves = [3, 4, sequence(1, 4), 1, sequence(1, 1), 3, sequence(1, 3)];
    stage.run_numbers(Script::MoveDrawn, &moves).await.is("OK", &[5]);
    assert_eq!(waiting_users(stage).await, [4, 1, 7]);
    assert_eq!(admit().await, 2, "7 waits for the end of the draw");
    assert_eq!(stage.run_numbers(Script::ResolveTicket, &of_3).await.word, "ENDED");
    stage.run(Script::FinishDraw, &[]).await.is("OK", &[0]);
    assert_eq!(admit().await, 1);
}

/// The reason why nobody is admitted, and the users who are next.
async fn list_next(stage: &Stage) -> (String, Vec<i64>) {
    let reply = stage.run(Script::ListNext, &["10"]).await;
    (reply.get(0), (0..).map_while(|at| reply.try_get(5 + 4 * at)).collect())
}

/// The first call makes silence count for the first drawn entries. An entrant whose slot ended
/// later than the loss comes back with its ticket, and does not wait again.
pub async fn a_moved_entry_that_is_silent_is_passed_over(stage: &mut Stage) {
    set_opening(stage, now() + HOUR).await;
    join(stage, &[1, 2, 3]).await;
    set_opening(stage, now() - 1).await;
    stage.run(Script::BeginDraw, &[]).await;
    for slot in ["present:0", "present:1", "present:2"] {
        stage.touch::<()>("DEL", slot, &[]).await;
    }
    let slot_end = (now() + HOUR).to_string();
    let drawn = (sequence(1, 3) + 3).to_string();
    stage.touch::<()>("HSET", "slot_ends", &[&drawn, &slot_end]).await;
    stage.touch::<()>("ZREM", "waiting", &["3"]).await;
    stage.run(Script::MarkPresent, &["", "0", "0", &sequence(1, 2).to_string()]).await;
    let moves = [1, 1, sequence(1, 1), 2, sequence(1, 2), 3, sequence(1, 3)];
    stage.run_numbers(Script::MoveDrawn, &moves).await.is("OK", &[3]);
    assert_eq!(waiting_users(stage).await, [1, 2], "3 has a slot from before a loss");
    stage.touch::<()>("HSET", "meta", &["tokens", "100"]).await;
    let reply = stage.run(Script::Admit, &[]).await;
    assert_eq!((reply.get::<i64>(0), reply.get::<i64>(1)), (1, 1), "2 is admitted, 1 passed over");
    let back = stage.run_numbers(Script::ResolveTicket, &[3, sequence(1, 3) + 3, 0]).await;
    assert_eq!(back.word, "ACTIVE");
}
