//! A step that may lose what was done shortly before it: PostgreSQL is restored to an earlier moment.

use super::*;

#[test]
fn a_missing_paid_seat_is_found_unless_the_step_may_lose_it() {
    let gone = books(&[(3, &[], 100)]);
    assert_eq!(with_books(&gone), [Fault::PaidMissing]);
    let mut seen = good();
    seen.pop();
    seen.push(see(23_000, 0, Seen::Books(gone)));
    let judged = |may_lose| {
        let mut windows = windows();
        windows[1].may_lose = ms(may_lose);
        judge(&windows, &seen)[1].passed
    };
    assert!(judged(1), "it was paid during the step");
    assert!(!judged(0));
    // All of it 9 s earlier, but the answer to the join.
    for observation in &mut seen {
        if observation.at > ms(11_500) && observation.at < ms(13_000) {
            observation.at -= ms(9000);
        }
    }
    seen.sort_by_key(|observation| observation.at);
    let judged = |may_lose| {
        let mut windows = windows();
        windows[1].may_lose = ms(may_lose);
        judge(&windows, &seen)[1].passed
    };
    assert!(judged(8000) && !judged(6000), "it was paid 7 s before the step");
}

/// The verdict on a step that may lose what was done in the second before it, in a drill with these
/// further observations and these books at its end.
fn restored(more: Vec<Observation>, end: Books) -> Verdict {
    let mut seen = good();
    seen.pop();
    seen.extend(more);
    seen.push(see(90_000, 0, Seen::Books(end)));
    seen.sort_by_key(|observation| observation.at);
    let mut windows = windows();
    windows[1].may_lose = ms(1000);
    judge(&windows, &seen).remove(1)
}

#[test]
fn lost_payments_are_counted_and_their_seats_must_not_be_sold_again() {
    let gone = || books(&[(3, &[], 100)]);
    let lost = restored(Vec::new(), gone());
    assert_eq!((lost.passed, lost.lost_payments), (true, 1));
    let kept = restored(Vec::new(), books(&[(3, &[7], 90)]));
    assert_eq!((kept.passed, kept.lost_payments), (true, 0));
    let again = restored(vec![held(16_000, 1, "b", 7)], gone());
    assert_eq!(again.faults.keys().collect::<Vec<_>>(), [&Fault::SoldTwice]);
    // A hold that was not paid is free after the restore.
    let unpaid = vec![held(11_000, 1, "b", 8), held(16_000, 2, "c", 8)];
    assert_eq!(restored(unpaid, gone()).faults, BTreeMap::new());
}
