//! Negative controls: a run must find a violation when one guard is removed, in the database and at
//! run time. A check that never fails proves nothing.

use crate::checker::check;
use crate::plan::Kind;
use crate::run::{Form, run};
use crate::support::patch::Patch;

/// Faults of the connection to Redis, during which holds continue without Redis.
const WITHOUT_REDIS: [Kind; 3] = [Kind::RedisCut, Kind::RedisHole, Kind::RedisAnswersLost];
/// Drops the index that would refuse what a missing lock allows.
const NO_INDEX: &str = "drop index reservation_one_live_per_seat;";

/// Runs without the guard until one of these invariants is violated: with up to eight seeds, because
/// chance is part of it, and a busy machine makes few requests.
async fn check_detection(mutant: String, kinds: &[Kind], by: &[&str]) {
    for seed in 1..=8 {
        let mutant = Some(mutant.clone());
        let form = Form { seed, seconds: 10, kinds, cluster: false, mutant, aftermath: false };
        let violations = check(&run(form).await);
        let found = violations.iter().find(|it| by.contains(&it.invariant));
        if let Some(violation) = found {
            println!("found with seed {seed}, among {}: {violation}", violations.len());
            return;
        }
    }
    panic!("the guard is removed, and no violation was found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_not_stored_under_its_key_is_detected() {
    let mutant = Patch::of("key_store").replace("store_outcome", "null;").sql();
    let by = ["I4 one key, one answer", "I5b balances are what was answered"];
    check_detection(mutant, &[Kind::ClientsCut], &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seats_checked_only_in_redis_are_detected() {
    let mutant = Patch::of("write_hold").replace("taken_seats", "null;").sql();
    let by = ["I1 one owner by the books", "I1 one owner by the answers", "I7 a hold is exclusive"];
    check_detection(format!("{NO_INDEX} {mutant}"), &WITHOUT_REDIS, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_given_to_another_buyer_before_its_end_is_detected() {
    let early = "v_lapsed := v_now + interval '1 day';";
    let mutant = Patch::of("write_hold").replace("takeover_margin", early).sql();
    check_detection(mutant, &WITHOUT_REDIS, &["I7 a hold is exclusive"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_seat_lock_is_detected() {
    let unlocked = Patch::of("write_hold").replace("lock_seats", "null;");
    // A pause between the check and the write, as on a busy machine.
    let slow = unlocked.insert_before("first_write", "perform pg_sleep(0.1);").sql();
    let by = ["I1 one owner by the books", "I1 one owner by the answers", "I7 a hold is exclusive"];
    check_detection(format!("{NO_INDEX} {slow}"), &WITHOUT_REDIS, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ignored_hold_deadline_is_detected() {
    let mutant = Patch::of("settle_payment").replace("deadline", "v_ended := false;").sql();
    check_detection(mutant, &[Kind::ClientsCut], &["I7b no payment past the deadline"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn points_moved_without_a_history_row_are_detected() {
    let but_charges = "insert into point_history (user_id, kind, amount, balance_after, reference)
                         select p_user, p_kind, p_amount, v_balance, p_reference
                          where p_kind <> 'CHARGE';";
    let mutant = Patch::of("point_change").replace("write_history", but_charges).sql();
    let by = ["I5 balances are their history", "I5b balances are what was answered"];
    check_detection(mutant, &[Kind::ClientsCut], &by).await;
}
