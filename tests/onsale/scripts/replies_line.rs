//! What the scripts of the line say, one scenario for each subject. Named in `replies`.

use onsale::store::script::Script;

use super::stage::{HOUR, Said, Stage, now};

/// The sequence of the `n`th join of an epoch.
pub fn place(epoch: i64, n: i64) -> i64 {
    (epoch << 40) + n
}

async fn join(stage: &Stage, user: i64) -> Said {
    stage.tell(Script::Join, &[user]).await
}

async fn ticket(stage: &Stage, user: i64, sequence: i64, until: i64) -> Said {
    stage.tell(Script::Ticket, &[user, sequence, until]).await
}

/// All tokens that can be saved up, at once.
async fn fill_bucket(stage: &Stage) {
    stage.touch::<()>("HSET", "meta", &["tokens_at", "0"]).await;
}

/// Nobody was heard from within the presence window, and everybody was asked to poll long ago.
pub async fn silence(stage: &Stage) {
    for slot in ["here:0", "here:1", "here:2"] {
        stage.touch::<()>("DEL", slot, &[]).await;
    }
    let all = &place(1000, 0).to_string();
    stage.touch::<()>("HSET", "meta", &["notice", all, "noticed", all]).await;
}

pub async fn number(stage: &Stage, field: &str) -> i64 {
    stage.touch("HGET", "meta", &[field]).await
}

/// Fails unless the word is this, and the numbers after it begin so.
#[track_caller]
fn begins(said: &Said, word: &str, numbers: &[i64]) {
    assert_eq!(said.word, word);
    assert_eq!(&said.numbers()[..numbers.len()], numbers);
}

pub async fn whoever_has_no_place_is_not_given_one_where_that_is_asked(stage: &mut Stage) {
    stage.configure(&[("capacity", 1)]).await;
    fill_bucket(stage).await;
    stage.tell(Script::Join, &[1, 1]).await.is("UNKNOWN", &[]);
    begins(&stage.tell(Script::Join, &[1, 0]).await, "ACTIVE", &[place(1, 1)]);
    begins(&join(stage, 2).await, "WAITING", &[place(1, 2), 0]);
    begins(&stage.tell(Script::Join, &[1, 1]).await, "ACTIVE", &[place(1, 1)]);
    begins(&stage.tell(Script::Join, &[2, 1]).await, "WAITING", &[place(1, 2), 0]);
}

pub async fn joining_gives_one_place_or_says_why_not(stage: &mut Stage) {
    stage.configure(&[("capacity", 1)]).await;
    fill_bucket(stage).await;
    let first = join(stage, 1).await;
    first.is("ACTIVE", &[place(1, 1), first.get::<i64>(2) + HOUR, first.get(2), 1]);
    begins(&join(stage, 1).await, "ACTIVE", &[place(1, 1), first.get(1)]);
    assert_eq!(join(stage, 1).await.get::<i64>(3), 0, "not new");
    begins(&join(stage, 2).await, "WAITING", &[place(1, 2), 0]);
    let third = join(stage, 3).await;
    third.is("WAITING", &[place(1, 3), 1, third.get(2), 1]);
    begins(&join(stage, 3).await, "WAITING", &[place(1, 3), 1]);

    silence(stage).await;
    stage.configure(&[("capacity", 9)]).await;
    fill_bucket(stage).await;
    begins(&stage.say(Script::Admit, &[]).await, "OK", &[0, 2]);
    begins(&join(stage, 3).await, "RETURNED", &[place(1, 3), 0]);
    begins(&join(stage, 2).await, "RETURNED", &[place(1, 2), 0]);
    begins(&join(stage, 3).await, "RETURNED", &[place(1, 3), 1]);

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
    begins(&join(stage, 2).await, "RETURNED", &[place(1, 2), 0]);

    stage.touch::<()>("ZADD", "active", &["1", "1"]).await;
    join(stage, 1).await.is("SOLD_OUT", &[]);
    assert_eq!(number(stage, "expired").await, 1, "a refused join counts the place it ended");
    assert_eq!(number(stage, "next_n").await, 3, "and refused ones take no number");
}

pub async fn a_ticket_is_worth_what_its_place_has_come_to(stage: &mut Stage) {
    stage.configure(&[("capacity", 1)]).await;
    fill_bucket(stage).await;
    let until: i64 = join(stage, 1).await.get(1);
    for user in 2..=4 {
        join(stage, user).await;
    }
    begins(&ticket(stage, 1, place(1, 1), until).await, "ACTIVE", &[place(1, 1), until]);
    begins(&ticket(stage, 3, place(1, 3), 0).await, "WAITING", &[place(1, 3), 1]);

    silence(stage).await;
    stage.say(Script::MarkPresent, &["", "0", "0", &place(1, 2).to_string()]).await.is("OK", &[1]);
    stage.configure(&[("capacity", 9)]).await;
    fill_bucket(stage).await;
    begins(&stage.say(Script::Admit, &[]).await, "OK", &[1, 2, 0, 0, 2]);
    begins(&ticket(stage, 3, place(1, 3), 0).await, "RETURNED", &[place(1, 3), 0]);
    fill_bucket(stage).await;
    begins(&stage.say(Script::Admit, &[]).await, "OK", &[1, 0, 0, 0, 3]);
    let grace: String = stage.touch("HGET", "place", &["3"]).await;
    assert!(grace.contains(' '), "the grace goes on until they are seen: {grace}");
    begins(&ticket(stage, 3, place(1, 3), 0).await, "ACTIVE", &[place(1, 3)]);
    let unclaimed: Vec<i64> = stage.touch("ZRANGE", "called", &["0", "-1"]).await;
    assert_eq!(unclaimed, [2], "asking claims the slot");

    stage.touch::<()>("HSET", "place", &["4", &format!("{} 1", place(1, 4))]).await;
    begins(&ticket(stage, 4, place(1, 4), 0).await, "ENDED", &[1]);
    stage.touch::<()>("ZADD", "active", &["1", "3"]).await;
    begins(&ticket(stage, 3, place(1, 3), 0).await, "ENDED", &[1]);
    assert_eq!(number(stage, "expired").await, 2);
    stage.tell(Script::Leave, &[2, place(1, 2)]).await.is("OK", &[2]);
    begins(&ticket(stage, 2, place(1, 2), 0).await, "ENDED", &[2]);
    stage.tell(Script::Complete, &[1, place(1, 1)]).await.is("OK", &[3]);
    begins(&ticket(stage, 1, place(1, 1), until).await, "ENDED", &[3]);
}

pub async fn a_ticket_of_before_a_loss_puts_its_owner_back(stage: &mut Stage) {
    stage.at_epoch(2);
    stage.build().await;
    stage.configure(&[("capacity", 1)]).await;
    stage.say(Script::Ready, &["0"]).await;
    let (past, future) = (now() - 1, now() + HOUR);

    begins(&ticket(stage, 3, place(1, 3), 0).await, "WAITING", &[place(1, 3), 0]);
    begins(&ticket(stage, 2, place(1, 2), 0).await, "WAITING", &[place(1, 2), 0]);
    begins(&ticket(stage, 1, place(1, 1), future).await, "ACTIVE", &[place(1, 1), future]);
    // Without room the slot's owner is first in line instead, and counts in nobody's `ahead`.
    begins(&ticket(stage, 5, place(1, 5), future).await, "RETURNED", &[place(1, 5), 0]);
    begins(&ticket(stage, 3, place(1, 3), 0).await, "WAITING", &[place(1, 3), 1]);

    // Whoever joined again before showing the older ticket has the lower place, and only that.
    begins(&join(stage, 4).await, "WAITING", &[place(2, 1), 2]);
    begins(&ticket(stage, 4, place(1, 4), 0).await, "WAITING", &[place(1, 4), 2]);
    begins(&ticket(stage, 4, place(2, 1), 0).await, "ENDED", &[2]);

    // A slot that ran out while Redis had lost it is over; it does not come back as a place.
    begins(&ticket(stage, 6, place(1, 6), past).await, "ENDED", &[1]);
    begins(&ticket(stage, 6, place(1, 6), past).await, "ENDED", &[1]);
    assert_eq!(number(stage, "expired").await, 1);
    begins(&join(stage, 7).await, "WAITING", &[place(2, 2), 3]);
    begins(&ticket(stage, 7, place(1, 7), past).await, "WAITING", &[place(2, 2), 3]);

    // An older ticket for the inside gives its owner the slot, not a place behind it.
    begins(&join(stage, 8).await, "WAITING", &[place(2, 3), 4]);
    stage.configure(&[("capacity", 2)]).await;
    begins(&ticket(stage, 8, place(1, 8), future).await, "ACTIVE", &[place(1, 8), future]);
    let waiting: Vec<i64> = stage.touch("ZRANGE", "waiting", &["0", "-1"]).await;
    assert_eq!(waiting, [2, 3, 4, 7]);
    begins(&ticket(stage, 8, place(2, 3), 0).await, "ENDED", &[2]);
}

pub async fn admission_asks_to_be_called_again_while_there_is_more_to_do(stage: &mut Stage) {
    stage.configure(&[("paused", 1)]).await;
    for user in 1..=250 {
        join(stage, user).await;
    }
    begins(&stage.say(Script::Admit, &[]).await, "OK", &[0, 0, 0, 250, 0]);
    stage.configure(&[]).await;
    fill_bucket(stage).await;
    begins(&stage.say(Script::Admit, &[]).await, "MORE", &[100, 0, 0, 150, 100]);
    begins(&stage.say(Script::Admit, &[]).await, "MORE", &[100, 0, 0, 50, 200]);
    begins(&stage.say(Script::Admit, &[]).await, "OK", &[50, 0, 0, 0, 250]);

    // Nobody came for their slot within the claim window.
    let called: Vec<String> = stage.touch("ZRANGE", "called", &["0", "-1"]).await;
    for user in &called {
        stage.touch::<()>("ZADD", "called", &["1", user]).await;
    }
    begins(&stage.say(Script::Admit, &[]).await, "MORE", &[0, 100, 0, 0, 150]);
    // Both their slot and their claim overdue: passed over all the same.
    stage.touch::<()>("ZADD", "active", &["1", called.last().expect("somebody")]).await;
    begins(&stage.say(Script::Admit, &[]).await, "MORE", &[0, 100, 0, 0, 50]);
    begins(&stage.say(Script::Admit, &[]).await, "OK", &[0, 50, 0, 0, 0]);
    // Nor within the grace.
    for user in &called {
        stage.touch::<()>("ZADD", "parked", &["1", user]).await;
    }
    begins(&stage.say(Script::Admit, &[]).await, "MORE", &[0, 0, 100, 0, 0]);
    begins(&stage.say(Script::Admit, &[]).await, "MORE", &[0, 0, 100, 0, 0]);
    begins(&stage.say(Script::Admit, &[]).await, "OK", &[0, 0, 50, 0, 0]);
    assert_eq!((number(stage, "expired").await, number(stage, "admitted").await), (250, 250));

    // Those who are away cost no slot; without a grace they are out.
    stage.configure(&[("paused", 1)]).await;
    for user in 301..=450 {
        join(stage, user).await;
    }
    silence(stage).await;
    stage.configure(&[("grace_ms", 0)]).await;
    fill_bucket(stage).await;
    begins(&stage.say(Script::Admit, &[]).await, "MORE", &[0, 100, 100, 50, 0]);
    begins(&stage.say(Script::Admit, &[]).await, "OK", &[0, 50, 50, 0, 0]);
    assert_eq!(number(stage, "expired").await, 400);
}

pub async fn tokens_come_with_time_and_fractions_are_kept(stage: &mut Stage) {
    stage.configure(&[("paused", 1)]).await;
    for user in 1..=40 {
        join(stage, user).await;
    }
    stage.configure(&[("rate", 10)]).await;
    let at = now() - 520;
    stage.touch::<()>("HSET", "meta", &["tokens", "0.25", "tokens_at", &at.to_string()]).await;
    let said = stage.say(Script::Admit, &[]).await;
    // In thousandths: 10 come per second, and there are never more than a second's worth.
    let tokens = (250 + (said.get::<i64>(5) - at) * 10).min(10_000);
    assert_eq!(said.get::<i64>(0), tokens / 1000);
    assert_eq!(thousandths(stage).await, tokens % 1000);
    stage.touch::<()>("HSET", "meta", &["tokens", "0", "tokens_at", &at.to_string()]).await;
    for _ in 0..5 {
        let said = stage.say(Script::Admit, &[]).await;
        let all: i64 = number(stage, "admitted").await - tokens / 1000;
        let tokens = ((said.get::<i64>(5) - at) * 10).min(10_000 + all * 1000);
        assert_eq!(all * 1000 + thousandths(stage).await, tokens, "five steps lose nothing");
    }

    fill_bucket(stage).await;
    assert_eq!(
        stage.say(Script::Admit, &[]).await.get::<i64>(0),
        10,
        "an hour saves up one second"
    );
    stage.configure(&[("rate", 2)]).await;
    stage.touch::<()>("HSET", "meta", &["tokens", "10"]).await;
    assert_eq!(stage.say(Script::Admit, &[]).await.get::<i64>(0), 2, "by the rate in force");
    for user in 1..=40 {
        stage.tell(Script::Leave, &[user, place(1, user)]).await;
    }
    fill_bucket(stage).await;
    for (user, word) in [(51, "ACTIVE"), (52, "ACTIVE"), (53, "WAITING")] {
        // The clock stands still for the bucket.
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

pub async fn a_place_ends_once_and_for_the_first_reason(stage: &mut Stage) {
    fill_bucket(stage).await;
    join(stage, 1).await;
    stage.configure(&[("paused", 1)]).await;
    join(stage, 2).await;
    stage.tell(Script::Leave, &[2, place(1, 2)]).await.is("OK", &[2]);
    begins(&join(stage, 2).await, "WAITING", &[place(1, 3), 0]);
    stage.tell(Script::Leave, &[2, place(1, 2)]).await.is("OK", &[2]);
    stage.tell(Script::Complete, &[2, place(1, 2)]).await.is("OK", &[2]);
    begins(&join(stage, 2).await, "WAITING", &[place(1, 3), 0]);

    stage.touch::<()>("ZADD", "active", &["1", "1"]).await;
    begins(&stage.say(Script::Admit, &[]).await, "OK", &[0, 0, 1]);
    stage.tell(Script::Complete, &[1, place(1, 1)]).await.is("OK", &[1]);
    stage.tell(Script::Leave, &[1, place(1, 1)]).await.is("OK", &[1]);

    // Unknown to Redis, and ended all the same: no ticket brings it back.
    stage.tell(Script::Complete, &[9, place(1, 9)]).await.is("OK", &[3]);
    stage.tell(Script::Leave, &[9, place(1, 9)]).await.is("OK", &[3]);
    begins(&ticket(stage, 9, place(1, 9), now() + HOUR).await, "ENDED", &[3]);
}
