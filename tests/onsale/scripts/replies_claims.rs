//! Scenarios for seat claims: their limit, their end, and claims by the previous holder. See
//! `replies`.

use onsale::store::script::Script;

use super::replies_seats::{
    admit, apply, apply_for, assert_starts_with, claim, claim_at_most, held, release,
};
use super::stage::{HOUR, Stage, now};

pub async fn an_active_buyer_claims_all_seats_or_none(stage: &mut Stage) {
    let first = admit(stage, 1).await;
    let second = admit(stage, 2).await;
    stage.configure(&[("paused", 1)]).await;
    let third: i64 = stage.run_numbers(Script::Join, &[3]).await.get(0);

    claim(stage, 3, third, "c", &[1]).await.is("NOT_ACTIVE", &[]);
    claim(stage, 1, second, "a", &[1]).await.is("NOT_ACTIVE", &[]);
    assert_starts_with(&claim(stage, 1, first, "a", &[1, 2]).await, "OK", &[1]);
    claim(stage, 2, second, "b", &[3, 2, 1]).await.is("TAKEN", &[0, 2, 1]);
    assert_eq!(held(stage, 3).await, None, "all or none");
    assert_starts_with(&claim(stage, 1, first, "a", &[1, 2]).await, "OK", &[2]);
    claim(stage, 1, first, "a2", &[2]).await.is("TAKEN", &[1, 2]);
    assert_starts_with(&claim(stage, 2, second, "b", &[3]).await, "OK", &[3]);

    release(stage, "b", &[1, 2]).await.is("OK", &[0, 3]);
    release(stage, "a", &[1, 2, 3]).await.is("OK", &[2, 4]);
    release(stage, "a", &[1, 2]).await.is("OK", &[0, 4]);
    assert_eq!((held(stage, 1).await, held(stage, 3).await), (None, Some(true)));

    // An expired claim counts as free before the sweep too; a late release of it changes nothing.
    assert_starts_with(&claim(stage, 1, first, "a", &[1]).await, "OK", &[5]);
    stage.touch::<()>("ZADD", "held", &["1", "1"]).await;
    assert_starts_with(&claim(stage, 2, second, "b", &[1]).await, "OK", &[6]);
    release(stage, "a", &[1]).await.is("OK", &[0, 6]);

    // A hold can claim its own seats again, also when held or sold; a release does not free them
    // then.
    apply(stage, "KEEP", "b", HOUR, &[(1, 1), (3, 1)]).await.is("OK", &[2, 7]);
    release(stage, "b", &[1, 3]).await.is("OK", &[0, 7]);
    assert_starts_with(&claim(stage, 2, second, "b", &[1, 3]).await, "OK", &[7]);
    apply(stage, "SELL", "b", 0, &[(1, 2), (3, 2)]).await.is("OK", &[2, 8]);
    stage.run_numbers(Script::Leave, &[2, second]).await.is("OK", &[2]);
    assert_starts_with(&claim(stage, 2, second, "b", &[1, 3]).await, "OK", &[8]);
    claim(stage, 2, second, "b", &[1, 4]).await.is("NOT_ACTIVE", &[]);
    claim(stage, 1, first, "a", &[4, 3]).await.is("TAKEN", &[1, 3]);

    stage.touch::<()>("ZADD", "active", &["1", "1"]).await;
    claim(stage, 1, first, "a", &[4]).await.is("NOT_ACTIVE", &[]);
}

/// Sets the deadlines of seats to `left` milliseconds from now.
async fn set_deadlines(stage: &Stage, left: i64, seats: &[u32]) {
    let deadline = (now() + left).to_string();
    for seat in seats {
        stage.touch::<()>("ZADD", "held", &[&deadline, &seat.to_string()]).await;
    }
}

pub async fn a_buyer_claims_no_more_seats_than_the_limit(stage: &mut Stage) {
    let (one, two) = ((1, admit(stage, 1).await), (2, admit(stage, 2).await));
    let claim_as_one = async |hold: &str, seats: &[u32]| {
        let reply = claim_at_most(stage, 4, one, hold, seats).await;
        if reply.word == "OK" {
            set_deadlines(stage, HOUR, seats).await;
        }
        reply
    };
    assert_eq!(claim_as_one("a", &[1, 2]).await.word, "OK");
    assert_eq!(claim_as_one("b", &[3, 4]).await.word, "OK");
    claim_as_one("c", &[5]).await.is("OVER_LIMIT", &[0]);
    assert_eq!(held(stage, 5).await, None);
    assert_eq!(
        claim_as_one("b", &[3, 4]).await.try_get(2),
        Some(0),
        "a repeat counts its own claim once"
    );
    claim_as_one("b", &[3, 4, 5]).await.is("OVER_LIMIT", &[0]);
    assert_eq!(
        claim_at_most(stage, 4, two, "d", &[5, 6, 7, 8]).await.word,
        "OK",
        "the limit is per buyer"
    );

    // Expired, released and refunded seats do not count any more.
    stage.touch::<()>("ZADD", "held", &["1", "1", "1", "2"]).await;
    assert_eq!(claim_as_one("c", &[9, 10]).await.word, "OK");
    claim_as_one("e", &[11]).await.is("OVER_LIMIT", &[0]);
    release(stage, "c", &[9, 10]).await.is("OK", &[2, 6]);
    assert_eq!(claim_as_one("e", &[11, 12]).await.word, "OK");
    apply_for(stage, 1, ("KEEP", "b"), HOUR, &[(3, 1), (4, 1)]).await;
    apply_for(stage, 1, ("KEEP", "e"), HOUR, &[(11, 1), (12, 1)]).await;
    claim_as_one("f", &[13]).await.is("OVER_LIMIT", &[0]);
    apply(stage, "SELL", "b", 0, &[(3, 2), (4, 2)]).await;
    claim_as_one("f", &[13]).await.is("OVER_LIMIT", &[0]);
    apply(stage, "FREE", "-", 0, &[(4, 3), (11, 2)]).await;
    stage.touch::<()>("HSET", "user_seats", &["1", "12 12 3 3 4 11"]).await;
    assert_eq!(
        claim_as_one("f", &[13, 14]).await.word,
        "OK",
        "a seat counts once, listed twice or not"
    );
    let listed: String = stage.touch("HGET", "user_seats", &["1"]).await;
    assert_eq!(
        listed, "12 3 13 14",
        "seats that are no longer the buyer's are removed from the list"
    );

    seats_of_a_rebuild_count(stage, two).await;
}

/// Held and sold seats count although nobody claimed them here.
async fn seats_of_a_rebuild_count(stage: &Stage, two: (i64, i64)) {
    apply_for(stage, 2, ("SELL", "-"), 0, &[(21, 1), (22, 1)]).await;
    apply_for(stage, 2, ("KEEP", "g"), HOUR, &[(23, 1)]).await;
    release(stage, "d", &[5, 6, 7, 8]).await.is("OK", &[4, 15]);
    claim_at_most(stage, 4, two, "h", &[5, 6]).await.is("OVER_LIMIT", &[0]);
    assert_eq!(claim_at_most(stage, 4, two, "h", &[5]).await.word, "OK");
}

pub async fn claims_of_one_hold_are_found_while_they_live(stage: &mut Stage) {
    let one = (1, admit(stage, 1).await);
    let find = async |hold: &str| stage.run(Script::FindClaims, &["1", hold]).await;
    find("a").await.is("OK", &[0]);
    assert_eq!(claim_at_most(stage, 4, one, "a", &[1, 2]).await.word, "OK");
    assert_eq!(claim_at_most(stage, 4, one, "b", &[3]).await.word, "OK");
    find("a").await.is("OK", &[2]);
    release(stage, "a", &[1, 2]).await;
    find("a").await.is("OK", &[0]);
    // A claim past its deadline, and a claim that became a hold.
    stage.touch::<()>("HSET", "claim", &["3", "b 1 1"]).await;
    find("b").await.is("OK", &[0]);
    assert_eq!(claim_at_most(stage, 4, one, "c", &[4]).await.word, "OK");
    apply_for(stage, 1, ("KEEP", "c"), HOUR, &[(4, 1)]).await;
    find("c").await.is("OK", &[0]);
}

pub async fn a_buyer_whose_hold_expired_can_claim_its_seats_again_at_once(stage: &mut Stage) {
    let (one, two) = ((1, admit(stage, 1).await), (2, admit(stage, 2).await));
    apply_for(stage, 1, ("KEEP", "a"), HOUR, &[(1, 1), (2, 1)]).await;
    claim_at_most(stage, 2, one, "b", &[1, 2]).await.is("TAKEN", &[0, 1, 2]);
    // After its end a hold keeps others from its seats for 5.5 s.
    set_deadlines(stage, 5_499, &[1, 2]).await;
    claim_at_most(stage, 2, two, "c", &[1]).await.is("TAKEN", &[0, 1]);
    set_deadlines(stage, 5_499, &[1, 2]).await;
    claim_at_most(stage, 2, one, "b", &[3]).await.is("OVER_LIMIT", &[2]);
    set_deadlines(stage, 5_499, &[1, 2]).await;
    let kept: i64 = stage.touch("ZSCORE", "held", &["1"]).await;
    assert_eq!(claim_at_most(stage, 2, one, "b", &[1, 2]).await.try_get(2), Some(2));
    // After the release the seat is kept from others until the same time as before.
    release(stage, "b", &[1, 2]).await.is("OK", &[2, 2]);
    assert_eq!(stage.touch::<i64>("ZSCORE", "held", &["1"]).await, kept);
    let claim: Option<String> = stage.touch("HGET", "claim", &["1"]).await;
    assert_eq!(claim, None);
    set_deadlines(stage, 5_499, &[1, 2]).await;
    claim_at_most(stage, 2, two, "c", &[1]).await.is("TAKEN", &[0, 1]);
    set_deadlines(stage, 5_499, &[1, 2]).await;
    assert_eq!(claim_at_most(stage, 2, one, "b", &[1, 2]).await.try_get(2), Some(2));
    apply_for(stage, 1, ("KEEP", "b"), HOUR, &[(1, 3), (2, 3)]).await;
    claim_at_most(stage, 2, one, "d", &[1, 2]).await.is("TAKEN", &[1, 1, 2]);
    apply(stage, "FREE", "-", 0, &[(1, 4), (2, 4)]).await;
    assert_eq!(claim_at_most(stage, 2, two, "c", &[1, 2]).await.word, "OK");
}
