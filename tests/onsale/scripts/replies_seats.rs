//! Scenarios for the scripts of the seats, except those for claims. See `replies`.

use onsale::store::script::Script;

use super::stage::{HOUR, ScriptReply, Stage, now};

const FIRST: i64 = (1 << 40) + 1;

/// Admits a user and returns the sequence of the entry.
pub async fn admit(stage: &Stage, user: i64) -> i64 {
    stage.touch::<()>("HSET", "meta", &["tokens_at", "0"]).await;
    let reply = stage.run_numbers(Script::Join, &[user]).await;
    assert_eq!(reply.word, "ACTIVE");
    reply.get(0)
}

pub async fn claim(
    stage: &Stage,
    user: i64,
    sequence: i64,
    hold: &str,
    seats: &[u32],
) -> ScriptReply {
    claim_at_most(stage, 100, (user, sequence), hold, seats).await
}

/// Claims seats with a limit of seats per buyer.
pub async fn claim_at_most(
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

pub async fn release(stage: &Stage, hold: &str, seats: &[u32]) -> ScriptReply {
    let mut args = vec![hold.to_owned()];
    args.extend(seats.iter().map(ToString::to_string));
    stage.run(Script::ReleaseClaims, &args.iter().map(String::as_str).collect::<Vec<_>>()).await
}

pub async fn apply(
    stage: &Stage,
    word: &str,
    hold: &str,
    left: i64,
    seats: &[(u32, i64)],
) -> ScriptReply {
    apply_for(stage, 0, (word, hold), left, seats).await
}

pub async fn apply_for(
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
pub fn assert_starts_with(reply: &ScriptReply, word: &str, numbers: &[i64]) {
    assert_eq!(reply.word, word);
    assert_eq!(&reply.numbers()[..numbers.len()], numbers);
}

/// Whether a seat's deadline in `held` is in the future; `None` without a deadline.
pub async fn held(stage: &Stage, seat: u32) -> Option<bool> {
    let deadline: Option<i64> = stage.touch("ZSCORE", "held", &[&seat.to_string()]).await;
    deadline.map(|deadline| deadline > now())
}

pub async fn the_change_with_the_highest_fence_wins(stage: &mut Stage) {
    let user = admit(stage, 1).await;
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
                assert_eq!(claim(stage, 1, user, "z", &[seat]).await.word, "OK");
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
            let sold: u8 = stage.touch("GETBIT", "sold", &[&seat.to_string()]).await;
            assert_eq!(sold == 1, ["SELL", "BLOCK"].contains(&word));
            let claim: Option<String> = stage.touch("HGET", "claim", &[&seat.to_string()]).await;
            assert_eq!(claim, None);
        }
    }
    let counted: Vec<i64> = stage.touch("HMGET", "meta", &["gone", "blocked"]).await;
    assert_eq!(counted, [4 * 4 + 6 * 4, 6 * 4], "a seat counts once, however often it is applied");
}

pub async fn expired_seats_are_removed_from_the_map(stage: &mut Stage) {
    let seats: Vec<(u32, i64)> = (1..=1200).map(|seat| (seat, 1)).collect();
    for some in seats.chunks(400) {
        apply(stage, "KEEP", "a", 1, some).await;
    }
    apply(stage, "KEEP", "b", HOUR, &[(1201, 1)]).await;
    let started = now();
    while now() < started + 2 {
        tokio::task::yield_now().await;
    }
    stage.run(Script::SweepSeats, &[]).await.is("MORE", &[500, 5, 0, 701]);
    stage.run(Script::SweepSeats, &[]).await.is("MORE", &[500, 6, 0, 201]);
    for left in [200, 0] {
        let swept = stage.run(Script::SweepSeats, &[]).await;
        assert_eq!((swept.word.as_str(), &swept.numbers()[..2]), ("OK", &[left, 7][..]));
    }
    assert_eq!((held(stage, 1).await, held(stage, 1201).await), (None, Some(true)));
    let owner: String = stage.touch("HGET", "holder", &["1"]).await;
    assert_eq!(owner, "1 KEEP a", "the fence stays");
}

pub async fn counts_that_drifted_are_recounted(stage: &mut Stage) {
    apply(stage, "SELL", "a", 0, &[(1, 1), (2, 1), (3, 1)]).await;
    apply(stage, "BLOCK", "-", 0, &[(4, 1), (5, 1)]).await;
    stage.run(Script::RecountSeats, &["1"]).await.is("OK", &[0, 0]);
    stage.touch::<()>("HSET", "meta", &["gone", "9", "blocked", "1"]).await;
    stage.run(Script::RecountSeats, &["0"]).await.is("OK", &[4, 0]);
    stage.run(Script::RecountSeats, &["1"]).await.is("OK", &[0, -1]);
    let counted: (i64, i64) = stage.touch("HMGET", "meta", &["gone", "blocked"]).await;
    assert_eq!(counted, (5, 2));
}

pub async fn the_scripts_take_the_largest_number_of_seats_they_are_ever_given(stage: &mut Stage) {
    let (user, hold) = (admit(stage, 1).await, "0192d0a4-5a4c-5c3e-9d3f-0123456789ab");
    let seats: Vec<u32> = (1..=100).collect();
    assert_starts_with(&claim(stage, 1, user, hold, &seats).await, "OK", &[1]);
    let taken = claim(stage, 1, user, "other", &seats).await;
    assert_eq!((taken.word.as_str(), taken.numbers().len()), ("TAKEN", 101));
    release(stage, hold, &seats).await.is("OK", &[100, 2]);
    let seats: Vec<(u32, i64)> = (199_501..=200_000).map(|seat| (seat, 1)).collect();
    apply(stage, "SELL", hold, 0, &seats).await.is("OK", &[500, 3]);
    assert_eq!(stage.touch::<i64>("HGET", "meta", &["gone"]).await, 500);
}
