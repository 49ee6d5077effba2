//! Negative controls: a run must find a violation when one guard is removed, in the database and at
//! run time. A check that never fails proves nothing.

use crate::checker::check;
use crate::plan::Kind;
use crate::run::{Form, run};

/// Faults of the connection to Redis, during which holds continue without Redis.
const WITHOUT_REDIS: [Kind; 3] = [Kind::RedisCut, Kind::RedisHole, Kind::RedisAnswersLost];
/// Drops the index that would refuse what a missing lock allows.
const NO_INDEX: &str = "drop index reservation_one_live_per_seat;";

/// SQL that replaces a part of a function; it fails if the function does not have that part.
fn swap(function: &str, part: &str, by: &str) -> String {
    format!(
        "do $mutant$ declare
           v_old text := pg_get_functiondef('{function}'::regproc);
           v_new text := replace(v_old, $part${part}$part$, $by${by}$by$);
         begin
           if v_new = v_old then
             raise exception 'the guard of {function} was not found';
           end if;
           execute v_new;
         end $mutant$;"
    )
}

/// Runs without the guard until one of these invariants is violated: with up to four seeds, because
/// chance is part of it.
async fn check_detection(mutant: String, kinds: &[Kind], by: &[&str]) {
    for seed in 1..=4 {
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
    let mutant = swap("key_store", "insert into idempotency_key", "insert into forgotten");
    let table = "create table forgotten (user_id bigint, key text, fingerprint bytea,
                   outcome jsonb);";
    let by = ["I4 one key, one answer", "I5b balances are what was answered"];
    check_detection(format!("{table} {mutant}"), &[Kind::ClientsCut], &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seats_checked_only_in_redis_are_detected() {
    let mutant = swap("hold_seats", "if v_found.taken is not null then", "if false then");
    let by = ["I1 one owner by the books", "I1 one owner by the answers", "I7 a hold is exclusive"];
    check_detection(format!("{NO_INDEX} {mutant}"), &WITHOUT_REDIS, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_given_to_another_buyer_before_its_end_is_detected() {
    let margin = "else make_interval(secs => p_takeover_after) end <= v_now as lapsed";
    let mutant = swap("hold_seats", margin, "else interval '-1 day' end <= v_now as lapsed");
    check_detection(mutant, &WITHOUT_REDIS, &["I7 a hold is exclusive"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_seat_lock_is_detected() {
    let lock = "perform from seat where id = any (p_seats) and concert_schedule_id = p_schedule
      order by id for no key update;";
    let unlocked = swap("hold_seats", lock, "");
    // A pause between the check and the write, as on a busy machine.
    let slow = swap("hold_seats", "-- Then write.", "perform pg_sleep(0.1); --");
    let by = ["I1 one owner by the books", "I1 one owner by the answers", "I7 a hold is exclusive"];
    check_detection(format!("{NO_INDEX} {unlocked} {slow}"), &WITHOUT_REDIS, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ignored_hold_deadline_is_detected() {
    let mutant = swap("pay_hold", "or clock_timestamp() >= v_look.expires_at", "");
    check_detection(mutant, &[Kind::ClientsCut], &["I7b no payment past the deadline"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn points_moved_without_a_history_row_are_detected() {
    let mutant = swap("point_change", "if found then", "if found and p_kind <> 'CHARGE' then");
    let by = ["I5 balances are their history", "I5b balances are what was answered"];
    check_detection(mutant, &[Kind::ClientsCut], &by).await;
}
