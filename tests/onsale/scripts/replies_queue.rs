//! Scenarios for the scripts of the queue, one for each subject. See `replies`.

use onsale::store::script::Script;

use super::stage::{HOUR, ScriptReply, Stage, now};

/// The sequence of the `n`th join of an epoch.
pub fn sequence(epoch: i64, n: i64) -> i64 {
    (epoch << 40) + n
}

async fn join(stage: &Stage, user: i64) -> ScriptReply {
    stage.run_numbers(Script::Join, &[user]).await
}

async fn ticket(stage: &Stage, user: i64, sequence: i64, until: i64) -> ScriptReply {
    stage.run_numbers(Script::ResolveTicket, &[user, sequence, until]).await
}

/// Fills the token bucket: as many tokens as can be saved up.
async fn fill_bucket(stage: &Stage) {
    stage.touch::<()>("HSET", "meta", &["tokens_at", "0"]).await;
}

/// Makes every user absent for the presence window, and long asked to poll.
pub async fn silence(stage: &Stage) {
    for slot in ["present:0", "present:1", "present:2"] {
        stage.touch::<()>("DEL", slot, &[]).await;
    }
    let all = &sequence(1000, 0).to_string();
    stage.touch::<()>("HSET", "meta", &["notice", all, "noticed", all]).await;
}

pub async fn number(stage: &Stage, field: &str) -> i64 {
    stage.touch("HGET", "meta", &[field]).await
}

/// Fails unless the reply is this word, and its numbers begin with these.
#[track_caller]
fn begins(reply: &ScriptReply, word: &str, numbers: &[i64]) {
    assert_eq!(reply.word, word);
    assert_eq!(&reply.numbers()[..numbers.len()], numbers);
}

pub async fn a_join_limited_to_existing_entries_creates_none(stage: &mut Stage) {
    stage.configure(&[("capacity", 1)]).await;
    fill_bucket(stage).await;
    stage.run_numbers(Script::Join, &[1, 1]).await.is("UNKNOWN", &[]);
    begins(&stage.run_numbers(Script::Join, &[1, 0]).await, "ACTIVE", &[sequence(1, 1)]);
    begins(&join(stage, 2).await, "WAITING", &[sequence(1, 2), 0]);
    begins(&stage.run_numbers(Script::Join, &[1, 1]).await, "ACTIVE", &[sequence(1, 1)]);
    begins(&stage.run_numbers(Script::Join, &[2, 1]).await, "WAITING", &[sequence(1, 2), 0]);
}

pub async fn joining_gives_one_queue_entry_or_the_reason_for_refusal(stage: &mut Stage) {
    stage.configure(&[("capacity", 1)]).await;
    fill_bucket(stage).await;
    let first = join(stage, 1).await;
    first.is("ACTIVE", &[sequence(1, 1), first.get::<i64>(2) + HOUR, first.get(2), 1]);
    begins(&join(stage, 1).await, "ACTIVE", &[sequence(1, 1), first.get(1)]);
    assert_eq!(join(stage, 1).await.get::<i64>(3), 0, "not new");
    begins(&join(stage, 2).await, "WAITING", &[sequence(1, 2), 0]);
    let third = join(stage, 3).await;
    third.is("WAITING", &[sequence(1, 3), 1, third.get(2), 1]);
    begins(&join(stage, 3).await, "WAITING", &[sequence(1, 3), 1]);

    silence(stage).await;
    stage.configure(&[("capacity", 9)]).await;
    fill_bucket(stage).await;
    begins(&stage.run(Script::Admit, &[]).await, "OK", &[0, 2]);
    begins(&join(stage, 3).await, "RETURNED", &[sequence(1, 3), 0]);
    begins(&join(stage, 2).await, "RETURNED", &[sequence(1, 2), 0]);
    begins(&join(stage, 3).await, "RETURNED", &[sequence(1, 3), 1]);

    let opens = now() + HOUR;
    stage.configure(&[("queue_opens_ms", opens)]).await;
    join(stage, 4).await.is("NOT_OPEN", &[opens]);
    stage.configure(&[("deadline_ms", now() - 1)]).await;
    join(stage, 4).await.is("CLOSED", &[]);
    stage.configure(&[("available", 0)]).await;
    join(stage, 4).await.is("UNAVAILABLE", &[]);
    stage.configure(&[("seats_total", 3)]).await;
    stage.touch::<()>("HSET", "meta", &["gone", "3"]).await;
    join(stage, 4).await.is("SOLD_OUT", &[]);
    begins(&join(stage, 2).await, "RETURNED", &[sequence(1, 2), 0]);

    stage.touch::<()>("ZADD", "active", &["1", "1"]).await;
    join(stage, 1).await.is("SOLD_OUT", &[]);
    assert_eq!(number(stage, "expired").await, 1, "a refused join counts the entry it ended");
    assert_eq!(number(stage, "next_n").await, 3, "refused joins take no sequence");
}

pub async fn a_ticket_shows_the_state_of_its_entry(stage: &mut Stage) {
    stage.configure(&[("capacity", 1)]).await;
    fill_bucket(stage).await;
    let until: i64 = join(stage, 1).await.get(1);
    for user in 2..=4 {
        join(stage, user).await;
    }
    begins(&ticket(stage, 1, sequence(1, 1), until).await, "ACTIVE", &[sequence(1, 1), until]);
    begins(&ticket(stage, 3, sequence(1, 3), 0).await, "WAITING", &[sequence(1, 3), 1]);

    silence(stage).await;
    stage
        .run(Script::MarkPresent, &["", "0", "0", &sequence(1, 2).to_string()])
        .await
        .is("OK", &[1]);
    stage.configure(&[("capacity", 9)]).await;
    fill_bucket(stage).await;
    begins(&stage.run(Script::Admit, &[]).await, "OK", &[1, 2, 0, 0, 2]);
    begins(&ticket(stage, 3, sequence(1, 3), 0).await, "RETURNED", &[sequence(1, 3), 0]);
    fill_bucket(stage).await;
    begins(&stage.run(Script::Admit, &[]).await, "OK", &[1, 0, 0, 0, 3]);
    let grace: String = stage.touch("HGET", "place", &["3"]).await;
    assert!(grace.contains(' '), "the grace continues until the user calls: {grace}");
    begins(&ticket(stage, 3, sequence(1, 3), 0).await, "ACTIVE", &[sequence(1, 3)]);
    let unclaimed: Vec<i64> = stage.touch("ZRANGE", "called", &["0", "-1"]).await;
    assert_eq!(unclaimed, [2], "a call claims the slot");

    stage.touch::<()>("HSET", "place", &["4", &format!("{} 1", sequence(1, 4))]).await;
    begins(&ticket(stage, 4, sequence(1, 4), 0).await, "ENDED", &[1]);
    stage.touch::<()>("ZADD", "active", &["1", "3"]).await;
    begins(&ticket(stage, 3, sequence(1, 3), 0).await, "ENDED", &[1]);
    assert_eq!(number(stage, "expired").await, 2);
    stage.run_numbers(Script::Leave, &[2, sequence(1, 2)]).await.is("OK", &[2]);
    begins(&ticket(stage, 2, sequence(1, 2), 0).await, "ENDED", &[2]);
    stage.run_numbers(Script::Complete, &[1, sequence(1, 1)]).await.is("OK", &[3]);
    begins(&ticket(stage, 1, sequence(1, 1), until).await, "ENDED", &[3]);
}

pub async fn a_ticket_from_before_a_loss_restores_its_entry(stage: &mut Stage) {
    stage.at_epoch(2);
    stage.build().await;
    stage.configure(&[("capacity", 1)]).await;
    stage.run(Script::FinishRebuild, &["0"]).await;
    let (past, future) = (now() - 1, now() + HOUR);

    begins(&ticket(stage, 3, sequence(1, 3), 0).await, "WAITING", &[sequence(1, 3), 0]);
    begins(&ticket(stage, 2, sequence(1, 2), 0).await, "WAITING", &[sequence(1, 2), 0]);
    begins(&ticket(stage, 1, sequence(1, 1), future).await, "ACTIVE", &[sequence(1, 1), future]);
    // Without free capacity the slot's owner returns first instead, and is not counted as ahead.
    begins(&ticket(stage, 5, sequence(1, 5), future).await, "RETURNED", &[sequence(1, 5), 0]);
    begins(&ticket(stage, 3, sequence(1, 3), 0).await, "WAITING", &[sequence(1, 3), 1]);

    // A user who joined again and then shows the older ticket has only the entry with the lower
    // sequence.
    begins(&join(stage, 4).await, "WAITING", &[sequence(2, 1), 2]);
    begins(&ticket(stage, 4, sequence(1, 4), 0).await, "WAITING", &[sequence(1, 4), 2]);
    begins(&ticket(stage, 4, sequence(2, 1), 0).await, "ENDED", &[2]);

    // A slot that expired while Redis had lost it is over; it is not restored as a waiting entry.
    begins(&ticket(stage, 6, sequence(1, 6), past).await, "ENDED", &[1]);
    begins(&ticket(stage, 6, sequence(1, 6), past).await, "ENDED", &[1]);
    assert_eq!(number(stage, "expired").await, 1);
    begins(&join(stage, 7).await, "WAITING", &[sequence(2, 2), 3]);
    begins(&ticket(stage, 7, sequence(1, 7), past).await, "WAITING", &[sequence(2, 2), 3]);

    // An older ticket for an active slot gives its owner the slot, not an entry behind it.
    begins(&join(stage, 8).await, "WAITING", &[sequence(2, 3), 4]);
    stage.configure(&[("capacity", 2)]).await;
    begins(&ticket(stage, 8, sequence(1, 8), future).await, "ACTIVE", &[sequence(1, 8), future]);
    let waiting: Vec<i64> = stage.touch("ZRANGE", "waiting", &["0", "-1"]).await;
    assert_eq!(waiting, [2, 3, 4, 7]);
    begins(&ticket(stage, 8, sequence(2, 3), 0).await, "ENDED", &[2]);
}

pub async fn admission_replies_more_while_work_is_left(stage: &mut Stage) {
    stage.configure(&[("paused", 1)]).await;
    for user in 1..=250 {
        join(stage, user).await;
    }
    begins(&stage.run(Script::Admit, &[]).await, "OK", &[0, 0, 0, 250, 0]);
    stage.configure(&[]).await;
    fill_bucket(stage).await;
    begins(&stage.run(Script::Admit, &[]).await, "MORE", &[100, 0, 0, 150, 100]);
    begins(&stage.run(Script::Admit, &[]).await, "MORE", &[100, 0, 0, 50, 200]);
    begins(&stage.run(Script::Admit, &[]).await, "OK", &[50, 0, 0, 0, 250]);

    // Nobody claimed a slot within the claim window.
    let called: Vec<String> = stage.touch("ZRANGE", "called", &["0", "-1"]).await;
    for user in &called {
        stage.touch::<()>("ZADD", "called", &["1", user]).await;
    }
    begins(&stage.run(Script::Admit, &[]).await, "MORE", &[0, 100, 0, 0, 150]);
    // Slot and claim window are both over: the entry is still passed over.
    stage.touch::<()>("ZADD", "active", &["1", called.last().expect("a user")]).await;
    begins(&stage.run(Script::Admit, &[]).await, "MORE", &[0, 100, 0, 0, 50]);
    begins(&stage.run(Script::Admit, &[]).await, "OK", &[0, 50, 0, 0, 0]);
    // Nobody returned within the grace.
    for user in &called {
        stage.touch::<()>("ZADD", "parked", &["1", user]).await;
    }
    begins(&stage.run(Script::Admit, &[]).await, "MORE", &[0, 0, 100, 0, 0]);
    begins(&stage.run(Script::Admit, &[]).await, "MORE", &[0, 0, 100, 0, 0]);
    begins(&stage.run(Script::Admit, &[]).await, "OK", &[0, 0, 50, 0, 0]);
    assert_eq!((number(stage, "expired").await, number(stage, "admitted").await), (250, 250));

    // Absent users take no slot; without a grace they expire at once.
    stage.configure(&[("paused", 1)]).await;
    for user in 301..=450 {
        join(stage, user).await;
    }
    silence(stage).await;
    stage.configure(&[("grace_ms", 0)]).await;
    fill_bucket(stage).await;
    begins(&stage.run(Script::Admit, &[]).await, "MORE", &[0, 100, 100, 50, 0]);
    begins(&stage.run(Script::Admit, &[]).await, "OK", &[0, 50, 50, 0, 0]);
    assert_eq!(number(stage, "expired").await, 400);
}

pub async fn admission_tokens_accrue_with_time_and_keep_fractions(stage: &mut Stage) {
    stage.configure(&[("paused", 1)]).await;
    for user in 1..=40 {
        join(stage, user).await;
    }
    stage.configure(&[("rate", 10)]).await;
    let at = now() - 520;
    stage.touch::<()>("HSET", "meta", &["tokens", "0.25", "tokens_at", &at.to_string()]).await;
    let reply = stage.run(Script::Admit, &[]).await;
    // In thousandths: 10 tokens per second, and at most one second's worth.
    let tokens = (250 + (reply.get::<i64>(5) - at) * 10).min(10_000);
    assert_eq!(reply.get::<i64>(0), tokens / 1000);
    assert_eq!(thousandths(stage).await, tokens % 1000);
    stage.touch::<()>("HSET", "meta", &["tokens", "0", "tokens_at", &at.to_string()]).await;
    for _ in 0..5 {
        let reply = stage.run(Script::Admit, &[]).await;
        let all: i64 = number(stage, "admitted").await - tokens / 1000;
        let tokens = ((reply.get::<i64>(5) - at) * 10).min(10_000 + all * 1000);
        assert_eq!(all * 1000 + thousandths(stage).await, tokens, "five rounds lose no fraction");
    }

    fill_bucket(stage).await;
    assert_eq!(
        stage.run(Script::Admit, &[]).await.get::<i64>(0),
        10,
        "an hour saves up one second's worth"
    );
    stage.configure(&[("rate", 2)]).await;
    stage.touch::<()>("HSET", "meta", &["tokens", "10"]).await;
    assert_eq!(stage.run(Script::Admit, &[]).await.get::<i64>(0), 2, "by the rate in force");
    for user in 1..=40 {
        stage.run_numbers(Script::Leave, &[user, sequence(1, user)]).await;
    }
    fill_bucket(stage).await;
    for (user, word) in [(51, "ACTIVE"), (52, "ACTIVE"), (53, "WAITING")] {
        // No tokens accrue in between.
        let later = (now() + HOUR).to_string();
        assert_eq!(join(stage, user).await.word, word);
        stage.touch::<()>("HSET", "meta", &["tokens_at", &later]).await;
    }
}

async fn thousandths(stage: &Stage) -> i64 {
    let tokens: String = stage.touch("HGET", "meta", &["tokens"]).await;
    let (whole, rest) = tokens.split_once('.').expect("six decimals");
    assert_eq!(&rest[3..], "000");
    whole.parse::<i64>().expect("a number") * 1000 + rest[..3].parse::<i64>().expect("a number")
}

pub async fn an_entry_ends_once_and_for_the_first_reason(stage: &mut Stage) {
    fill_bucket(stage).await;
    join(stage, 1).await;
    stage.configure(&[("paused", 1)]).await;
    join(stage, 2).await;
    stage.run_numbers(Script::Leave, &[2, sequence(1, 2)]).await.is("OK", &[2]);
    begins(&join(stage, 2).await, "WAITING", &[sequence(1, 3), 0]);
    stage.run_numbers(Script::Leave, &[2, sequence(1, 2)]).await.is("OK", &[2]);
    stage.run_numbers(Script::Complete, &[2, sequence(1, 2)]).await.is("OK", &[2]);
    begins(&join(stage, 2).await, "WAITING", &[sequence(1, 3), 0]);

    stage.touch::<()>("ZADD", "active", &["1", "1"]).await;
    begins(&stage.run(Script::Admit, &[]).await, "OK", &[0, 0, 1]);
    stage.run_numbers(Script::Complete, &[1, sequence(1, 1)]).await.is("OK", &[1]);
    stage.run_numbers(Script::Leave, &[1, sequence(1, 1)]).await.is("OK", &[1]);

    // An entry that Redis does not have can end too: no ticket restores it.
    stage.run_numbers(Script::Complete, &[9, sequence(1, 9)]).await.is("OK", &[3]);
    stage.run_numbers(Script::Leave, &[9, sequence(1, 9)]).await.is("OK", &[3]);
    begins(&ticket(stage, 9, sequence(1, 9), now() + HOUR).await, "ENDED", &[3]);
}
