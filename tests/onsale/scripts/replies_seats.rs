//! Scenarios for the scripts of the seats, one for each subject. See `replies`.

use onsale::store::script::Script;

use super::stage::{HOUR, ScriptReply, Stage, now};

const FIRST: i64 = (1 << 40) + 1;

async fn inside(stage: &Stage, user: i64) -> i64 {
    stage.touch::<()>("HSET", "meta", &["tokens_at", "0"]).await;
    let reply = stage.run_numbers(Script::Join, &[user]).await;
    assert_eq!(reply.word, "ACTIVE");
    reply.get(0)
}

async fn take(stage: &Stage, user: i64, sequence: i64, hold: &str, seats: &[u32]) -> ScriptReply {
    take_at_most(stage, 100, (user, sequence), hold, seats).await
}

async fn take_at_most(
    stage: &Stage,
    limit: usize,
    (user, sequence): (i64, i64),
    hold: &str,
    seats: &[u32],
) -> ScriptReply {
    let mut args = vec![user.to_string(), sequence.to_string(), hold.to_owned(), limit.to_string()];
    args.extend(seats.iter().map(ToString::to_string));
    stage.run(Script::ClaimSeats, &args.iter().map(String::as_str).collect::<Vec<_>>()).await
}

async fn give_up(stage: &Stage, hold: &str, seats: &[u32]) -> ScriptReply {
    let mut args = vec![hold.to_owned()];
    args.extend(seats.iter().map(ToString::to_string));
    stage.run(Script::ReleaseClaims, &args.iter().map(String::as_str).collect::<Vec<_>>()).await
}

async fn apply(
    stage: &Stage,
    word: &str,
    hold: &str,
    left: i64,
    seats: &[(u32, i64)],
) -> ScriptReply {
    apply_for(stage, 0, (word, hold), left, seats).await
}

async fn apply_for(
    stage: &Stage,
    user: i64,
    (word, hold): (&str, &str),
    left: i64,
    seats: &[(u32, i64)],
) -> ScriptReply {
    let mut args = vec![word.to_owned(), hold.to_owned(), left.to_string()];
    args.extend(
        seats
            .iter()
            .flat_map(|(seat, fence)| [seat.to_string(), fence.to_string(), user.to_string()]),
    );
    stage.run(Script::ApplySeats, &args.iter().map(String::as_str).collect::<Vec<_>>()).await
}

#[track_caller]
fn begins(reply: &ScriptReply, word: &str, numbers: &[i64]) {
    assert_eq!(reply.word, word);
    assert_eq!(&reply.numbers()[..numbers.len()], numbers);
}

/// Whether a seat's deadline in `held` is in the future; `None` without a deadline.
async fn held(stage: &Stage, seat: u32) -> Option<bool> {
    let deadline: Option<i64> = stage.touch("ZSCORE", "held", &[&seat.to_string()]).await;
    deadline.map(|deadline| deadline > now())
}

pub async fn seats_are_claimed_all_or_none_by_whoever_is_inside(stage: &mut Stage) {
    let first = inside(stage, 1).await;
    let second = inside(stage, 2).await;
    stage.configure(&[("paused", 1)]).await;
    let third: i64 = stage.run_numbers(Script::Join, &[3]).await.get(0);

    take(stage, 3, third, "c", &[1]).await.is("NOT_ACTIVE", &[]);
    take(stage, 1, second, "a", &[1]).await.is("NOT_ACTIVE", &[]);
    begins(&take(stage, 1, first, "a", &[1, 2]).await, "OK", &[1]);
    take(stage, 2, second, "b", &[3, 2, 1]).await.is("TAKEN", &[0, 2, 1]);
    assert_eq!(held(stage, 3).await, None, "all or none");
    begins(&take(stage, 1, first, "a", &[1, 2]).await, "OK", &[2]);
    take(stage, 1, first, "a2", &[2]).await.is("TAKEN", &[1, 2]);
    begins(&take(stage, 2, second, "b", &[3]).await, "OK", &[3]);

    give_up(stage, "b", &[1, 2]).await.is("OK", &[0, 3]);
    give_up(stage, "a", &[1, 2, 3]).await.is("OK", &[2, 4]);
    give_up(stage, "a", &[1, 2]).await.is("OK", &[0, 4]);
    assert_eq!((held(stage, 1).await, held(stage, 3).await), (None, Some(true)));

    // An expired claim counts as free before the sweep too; a late release of it changes nothing.
    begins(&take(stage, 1, first, "a", &[1]).await, "OK", &[5]);
    stage.touch::<()>("ZADD", "held", &["1", "1"]).await;
    begins(&take(stage, 2, second, "b", &[1]).await, "OK", &[6]);
    give_up(stage, "a", &[1]).await.is("OK", &[0, 6]);

    // A hold can claim its own seats again, also when held or sold; a release does not free them then.
    apply(stage, "KEEP", "b", HOUR, &[(1, 1), (3, 1)]).await.is("OK", &[2, 7]);
    give_up(stage, "b", &[1, 3]).await.is("OK", &[0, 7]);
    begins(&take(stage, 2, second, "b", &[1, 3]).await, "OK", &[7]);
    apply(stage, "SELL", "b", 0, &[(1, 2), (3, 2)]).await.is("OK", &[2, 8]);
    stage.run_numbers(Script::Leave, &[2, second]).await.is("OK", &[2]);
    begins(&take(stage, 2, second, "b", &[1, 3]).await, "OK", &[8]);
    take(stage, 2, second, "b", &[1, 4]).await.is("NOT_ACTIVE", &[]);
    take(stage, 1, first, "a", &[4, 3]).await.is("TAKEN", &[1, 3]);

    stage.touch::<()>("ZADD", "active", &["1", "1"]).await;
    take(stage, 1, first, "a", &[4]).await.is("NOT_ACTIVE", &[]);
}

/// Sets the deadlines of seats to `left` milliseconds from now.
async fn ends_in(stage: &Stage, left: i64, seats: &[u32]) {
    let deadline = (now() + left).to_string();
    for seat in seats {
        stage.touch::<()>("ZADD", "held", &[&deadline, &seat.to_string()]).await;
    }
}

pub async fn a_buyer_keeps_no_more_seats_than_the_limit(stage: &mut Stage) {
    let (one, two) = ((1, inside(stage, 1).await), (2, inside(stage, 2).await));
    let words = async |hold: &str, seats: &[u32]| {
        let reply = take_at_most(stage, 4, one, hold, seats).await;
        if reply.word == "OK" {
            ends_in(stage, HOUR, seats).await;
        }
        reply
    };
    assert_eq!(words("a", &[1, 2]).await.word, "OK");
    assert_eq!(words("b", &[3, 4]).await.word, "OK");
    words("c", &[5]).await.is("OVER_LIMIT", &[0]);
    assert_eq!(held(stage, 5).await, None);
    assert_eq!(words("b", &[3, 4]).await.try_get(2), Some(0), "a repeat counts its own claim once");
    words("b", &[3, 4, 5]).await.is("OVER_LIMIT", &[0]);
    assert_eq!(
        take_at_most(stage, 4, two, "d", &[5, 6, 7, 8]).await.word,
        "OK",
        "the limit is per buyer"
    );

    // Expired, released and refunded seats do not count any more.
    stage.touch::<()>("ZADD", "held", &["1", "1", "1", "2"]).await;
    assert_eq!(words("c", &[9, 10]).await.word, "OK");
    words("e", &[11]).await.is("OVER_LIMIT", &[0]);
    give_up(stage, "c", &[9, 10]).await.is("OK", &[2, 6]);
    assert_eq!(words("e", &[11, 12]).await.word, "OK");
    apply_for(stage, 1, ("KEEP", "b"), HOUR, &[(3, 1), (4, 1)]).await;
    apply_for(stage, 1, ("KEEP", "e"), HOUR, &[(11, 1), (12, 1)]).await;
    words("f", &[13]).await.is("OVER_LIMIT", &[0]);
    apply(stage, "SELL", "b", 0, &[(3, 2), (4, 2)]).await;
    words("f", &[13]).await.is("OVER_LIMIT", &[0]);
    apply(stage, "FREE", "-", 0, &[(4, 3), (11, 2)]).await;
    stage.touch::<()>("HSET", "user_seats", &["1", "12 12 3 3 4 11"]).await;
    assert_eq!(words("f", &[13, 14]).await.word, "OK", "a seat counts once, listed twice or not");
    let listed: String = stage.touch("HGET", "user_seats", &["1"]).await;
    assert_eq!(
        listed, "12 3 13 14",
        "seats that are no longer the buyer's are removed from the list"
    );

    // After a rebuild: held and sold seats count although nobody claimed them here.
    apply_for(stage, 2, ("SELL", "-"), 0, &[(21, 1), (22, 1)]).await;
    apply_for(stage, 2, ("KEEP", "g"), HOUR, &[(23, 1)]).await;
    give_up(stage, "d", &[5, 6, 7, 8]).await.is("OK", &[4, 15]);
    take_at_most(stage, 4, two, "h", &[5, 6]).await.is("OVER_LIMIT", &[0]);
    assert_eq!(take_at_most(stage, 4, two, "h", &[5]).await.word, "OK");
}

pub async fn claims_of_one_hold_are_found_while_they_live(stage: &mut Stage) {
    let one = (1, inside(stage, 1).await);
    let find = async |hold: &str| stage.run(Script::FindClaims, &["1", hold]).await;
    find("a").await.is("OK", &[0]);
    assert_eq!(take_at_most(stage, 4, one, "a", &[1, 2]).await.word, "OK");
    assert_eq!(take_at_most(stage, 4, one, "b", &[3]).await.word, "OK");
    find("a").await.is("OK", &[2]);
    give_up(stage, "a", &[1, 2]).await;
    find("a").await.is("OK", &[0]);
    // A claim past its deadline, and a claim that became a hold.
    stage.touch::<()>("HSET", "claim", &["3", "b 1 1"]).await;
    find("b").await.is("OK", &[0]);
    assert_eq!(take_at_most(stage, 4, one, "c", &[4]).await.word, "OK");
    apply_for(stage, 1, ("KEEP", "c"), HOUR, &[(4, 1)]).await;
    find("c").await.is("OK", &[0]);
}

pub async fn whose_hold_is_past_its_end_may_claim_its_seats_again_at_once(stage: &mut Stage) {
    let (one, two) = ((1, inside(stage, 1).await), (2, inside(stage, 2).await));
    apply_for(stage, 1, ("KEEP", "a"), HOUR, &[(1, 1), (2, 1)]).await;
    take_at_most(stage, 2, one, "b", &[1, 2]).await.is("TAKEN", &[0, 1, 2]);
    // After its end a hold keeps others from its seats for 5.5 s.
    ends_in(stage, 5_499, &[1, 2]).await;
    take_at_most(stage, 2, two, "c", &[1]).await.is("TAKEN", &[0, 1]);
    ends_in(stage, 5_499, &[1, 2]).await;
    take_at_most(stage, 2, one, "b", &[3]).await.is("OVER_LIMIT", &[2]);
    ends_in(stage, 5_499, &[1, 2]).await;
    let kept: i64 = stage.touch("ZSCORE", "held", &["1"]).await;
    assert_eq!(take_at_most(stage, 2, one, "b", &[1, 2]).await.try_get(2), Some(2));
    // After the release the seat is kept from others until the same time as before.
    give_up(stage, "b", &[1, 2]).await.is("OK", &[2, 2]);
    assert_eq!(stage.touch::<i64>("ZSCORE", "held", &["1"]).await, kept);
    let claim: Option<String> = stage.touch("HGET", "claim", &["1"]).await;
    assert_eq!(claim, None);
    ends_in(stage, 5_499, &[1, 2]).await;
    take_at_most(stage, 2, two, "c", &[1]).await.is("TAKEN", &[0, 1]);
    ends_in(stage, 5_499, &[1, 2]).await;
    assert_eq!(take_at_most(stage, 2, one, "b", &[1, 2]).await.try_get(2), Some(2));
    apply_for(stage, 1, ("KEEP", "b"), HOUR, &[(1, 3), (2, 3)]).await;
    take_at_most(stage, 2, one, "d", &[1, 2]).await.is("TAKEN", &[1, 1, 2]);
    apply(stage, "FREE", "-", 0, &[(1, 4), (2, 4)]).await;
    assert_eq!(take_at_most(stage, 2, two, "c", &[1, 2]).await.word, "OK");
}

pub async fn the_highest_fence_has_the_last_word(stage: &mut Stage) {
    let user = inside(stage, 1).await;
    assert_eq!(user, FIRST);
    let history = [
        ("KEEP", "a", HOUR),
        ("FREE", "-", 0),
        ("KEEP", "b", HOUR),
        ("SELL", "b", 0),
        ("FREE", "-", 0),
        ("BLOCK", "-", 0),
        ("FREE", "-", 0),
        ("KEEP", "c", -1),
    ];
    let mut seat = 0;
    for length in 1..=history.len() {
        // Every rotation, forwards and backwards, with repeats, with a claim and without one.
        for turn in 0..length * 4 {
            seat += 1;
            if turn % 2 == 0 {
                assert_eq!(take(stage, 1, user, "z", &[seat]).await.word, "OK");
            }
            let mut order: Vec<usize> = (0..length).map(|i| (i + turn) % length).collect();
            if turn >= length * 2 {
                order.reverse();
            }
            for step in order.iter().flat_map(|step| [*step, order[0]]) {
                let (word, hold, left) = history[step];
                let fence = i64::try_from(step).expect("small") + 1;
                apply(stage, word, hold, left, &[(seat, fence)]).await;
            }
            let (word, hold, left) = history[length - 1];
            let owner: String = stage.touch("HGET", "holder", &[&seat.to_string()]).await;
            assert_eq!(owner, format!("{length} {word} {hold}"));
            assert_eq!(held(stage, seat).await, (left > 0).then_some(true));
            let gone: u8 = stage.touch("GETBIT", "sold", &[&seat.to_string()]).await;
            assert_eq!(gone == 1, ["SELL", "BLOCK"].contains(&word));
            let claim: Option<String> = stage.touch("HGET", "claim", &[&seat.to_string()]).await;
            assert_eq!(claim, None);
        }
    }
    let counted: Vec<i64> = stage.touch("HMGET", "meta", &["gone", "blocked"]).await;
    assert_eq!(counted, [4 * 4 + 6 * 4, 6 * 4], "a seat counts once, however often it is applied");
}

pub async fn lapsed_seats_are_taken_off_the_map(stage: &mut Stage) {
    let seats: Vec<(u32, i64)> = (1..=1200).map(|seat| (seat, 1)).collect();
    for some in seats.chunks(400) {
        apply(stage, "KEEP", "a", 1, some).await;
    }
    apply(stage, "KEEP", "b", HOUR, &[(1201, 1)]).await;
    let begun = now();
    while now() < begun + 2 {
        tokio::task::yield_now().await;
    }
    stage.run(Script::SweepSeats, &[]).await.is("MORE", &[500, 5]);
    stage.run(Script::SweepSeats, &[]).await.is("MORE", &[500, 6]);
    stage.run(Script::SweepSeats, &[]).await.is("OK", &[200, 7]);
    stage.run(Script::SweepSeats, &[]).await.is("OK", &[0, 7]);
    assert_eq!((held(stage, 1).await, held(stage, 1201).await), (None, Some(true)));
    let owner: String = stage.touch("HGET", "holder", &["1"]).await;
    assert_eq!(owner, "1 KEEP a", "the fence stays");
}

pub async fn counts_that_drifted_are_counted_anew(stage: &mut Stage) {
    apply(stage, "SELL", "a", 0, &[(1, 1), (2, 1), (3, 1)]).await;
    apply(stage, "BLOCK", "-", 0, &[(4, 1), (5, 1)]).await;
    stage.run(Script::RecountSeats, &["1"]).await.is("OK", &[0, 0]);
    stage.touch::<()>("HSET", "meta", &["gone", "9", "blocked", "1"]).await;
    stage.run(Script::RecountSeats, &["0"]).await.is("OK", &[4, 0]);
    stage.run(Script::RecountSeats, &["1"]).await.is("OK", &[0, -1]);
    let counted: (i64, i64) = stage.touch("HMGET", "meta", &["gone", "blocked"]).await;
    assert_eq!(counted, (5, 2));
}

pub async fn a_script_takes_as_many_seats_as_it_is_ever_given(stage: &mut Stage) {
    let (user, hold) = (inside(stage, 1).await, "0192d0a4-5a4c-5c3e-9d3f-0123456789ab");
    let seats: Vec<u32> = (1..=100).collect();
    begins(&take(stage, 1, user, hold, &seats).await, "OK", &[1]);
    let taken = take(stage, 1, user, "other", &seats).await;
    assert_eq!((taken.word.as_str(), taken.numbers().len()), ("TAKEN", 101));
    give_up(stage, hold, &seats).await.is("OK", &[100, 2]);
    let seats: Vec<(u32, i64)> = (199_501..=200_000).map(|seat| (seat, 1)).collect();
    apply(stage, "SELL", hold, 0, &seats).await.is("OK", &[500, 3]);
    assert_eq!(stage.touch::<i64>("HGET", "meta", &["gone"]).await, 500);
}
