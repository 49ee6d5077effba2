//! Each fault that a drill must find, over recorded observations. Without it, the same observations
//! pass.

mod restored_tests;

use std::collections::BTreeMap;

use super::verdict::Fault;
use super::*;
use crate::cli::drill::observations::{Account, Books, Kind, Outcome, Seen, Status};

const NONE: [Fault; 0] = [];

fn ms(at: u64) -> std::time::Duration {
    std::time::Duration::from_millis(at)
}

/// The time before, and one step from 10 s to 15 s that worked again at 20 s.
fn windows() -> Vec<Window> {
    let before = Window {
        name: "before".to_owned(),
        settled: Some(ms(9000)),
        back_within: ms(60_000),
        ..Window::default()
    };
    let step = Window {
        name: "step".to_owned(),
        begin: ms(10_000),
        ended: ms(15_000),
        settled: Some(ms(20_000)),
        back_within: ms(10_000),
        ..Window::default()
    };
    vec![before, step]
}

fn see(at: u64, buyer: usize, seen: Seen) -> Observation {
    Observation { at: ms(at), buyer, seen }
}

fn ticket(at: u64, buyer: usize, sequence: u64, ahead: u64) -> Observation {
    see(at, buyer, Seen::Ticket { sequence, status: Status::Waiting, ahead: Some(ahead) })
}

fn active(at: u64, buyer: usize, sequence: u64) -> Observation {
    see(at, buyer, Seen::Ticket { sequence, status: Status::Active, ahead: None })
}

fn held(at: u64, buyer: usize, hold: &str, seat: i64) -> Observation {
    see(at, buyer, Seen::Held { hold: hold.to_owned(), seat, until: ms(at + 60_000) })
}

fn paid(at: u64, buyer: usize, hold: &str) -> Observation {
    see(at, buyer, Seen::Paid { hold: hold.to_owned(), amount: 10 })
}

fn call(at: u64, attempt: u32, outcome: Outcome) -> Observation {
    see(at, 1, Seen::Call { kind: Kind::Join, attempt, outcome })
}

fn books(accounts: &[(usize, &[i64], i64)]) -> Books {
    let seats = |seats: &[i64]| seats.iter().map(|seat| (*seat, 10)).collect();
    let accounts: BTreeMap<usize, Account> = accounts
        .iter()
        .map(|(buyer, own, points)| (*buyer, Account { seats: seats(own), points: *points }))
        .collect();
    let sold = accounts.values().map(|account| account.seats.len()).sum::<usize>();
    let sold = i64::try_from(sold).unwrap();
    Books { accounts, totals: vec![("report", sold, sold * 10)] }
}

/// A drill in which all is well: two buyers keep their places, one buys seat 7, joins fail for a
/// while.
fn good() -> Vec<Observation> {
    vec![
        see(0, 3, Seen::Charged { balance: 100 }),
        see(100, 0, Seen::Slots { active: 1, capacity: 1 }),
        active(1000, 3, 5),
        ticket(2000, 1, 10, 0),
        ticket(2000, 2, 11, 1),
        see(9000, 0, Seen::RollCall),
        ticket(9100, 1, 10, 0),
        ticket(9200, 2, 11, 1),
        call(10_500, 1, Outcome::Refused(503)),
        call(11_500, 2, Outcome::Answered),
        held(11_600, 3, "a", 7),
        see(11_700, 3, Seen::GivesUp),
        paid(12_000, 3, "a"),
        see(20_000, 0, Seen::RollCall),
        ticket(21_000, 1, 10, 0),
        ticket(22_000, 2, 11, 1),
        see(23_000, 0, Seen::Books(books(&[(3, &[7], 90)]))),
    ]
}

/// The faults of the step, once `change` was made to the good observations.
fn faults(change: impl Fn(&mut Vec<Observation>)) -> Vec<Fault> {
    let mut seen = good();
    change(&mut seen);
    seen.sort_by_key(|observation| observation.at);
    let verdicts = judge(&windows(), &seen);
    assert!(verdicts[0].passed, "{verdicts:#?}");
    let step = &verdicts[1];
    assert_eq!(step.passed, step.faults.is_empty());
    step.faults.keys().copied().collect()
}

fn with(more: &Observation) -> Vec<Fault> {
    faults(|seen| seen.push(more.clone()))
}

/// Replaces the books at the end.
fn with_books(books: &Books) -> Vec<Fault> {
    faults(|seen| {
        seen.pop();
        seen.push(see(23_000, 0, Seen::Books(books.clone())));
    })
}

#[test]
fn a_step_without_a_fault_passes_and_its_refusals_are_counted() {
    assert_eq!(faults(|_| {}), NONE);
    let verdict = &judge(&windows(), &good())[1];
    let joins = &verdict.requests[&Kind::Join];
    assert_eq!((joins.sent, joins.failed_twice, joins.back_after_ms), (1, 0, Some(1500)));
    assert_eq!(joins.failures, BTreeMap::from([("503".to_owned(), 1)]));
}

#[test]
fn a_lost_place_is_found() {
    let lost = [Fault::PlaceLost];
    let over = Seen::Ticket { sequence: 10, status: Status::Final, ahead: None };
    assert_eq!(with(&see(19_000, 1, over)), lost);
    let refused = Seen::TicketRefused { code: "ticket_invalid".to_owned() };
    assert_eq!(with(&see(22_500, 1, refused.clone())), lost);
    assert_eq!(with(&see(11_000, 3, refused)), lost, "an active slot");
    assert_eq!(with(&ticket(11_000, 3, 5, 0)), lost, "active, and waiting again");
}

#[test]
fn a_place_that_went_back_is_found() {
    let back = [Fault::WentBack];
    assert_eq!(with(&ticket(22_500, 1, 12, 0)), back, "another entry");
    let further = |seen: &mut Vec<Observation>| seen[15] = ticket(22_000, 2, 11, 2);
    assert_eq!(faults(further), back, "more entries ahead");
    let overtaken = |seen: &mut Vec<Observation>| {
        seen[14] = active(17_000, 2, 11);
        seen[15] = ticket(22_000, 1, 10, 0);
    };
    assert_eq!(faults(overtaken), back, "the entry behind was admitted");
    assert_eq!(with(&ticket(16_000, 2, 11, 9)), NONE, "a snapshot of a loss is no roll call");
}

#[test]
fn an_admission_that_was_lost_with_the_queue_is_no_place_that_went_back() {
    let overtaken = |loses_queue: bool, at: u64| {
        let mut windows = windows();
        windows[1].may_fail.extend(loses_queue.then_some(Kind::Poll));
        let mut seen = good();
        seen.push(active(at, 2, 11));
        seen.sort_by_key(|observation| observation.at);
        judge(&windows, &seen)[1].faults.contains_key(&Fault::WentBack)
    };
    assert!(!overtaken(true, 14_900), "its buyer had not polled when the queue was lost");
    assert!(overtaken(true, 15_100), "admitted after the loss");
    assert!(overtaken(false, 14_900), "nothing was lost");
}

#[test]
fn more_slots_than_the_capacity_are_found() {
    assert_eq!(
        with(&see(12_000, 0, Seen::Slots { active: 2, capacity: 1 })),
        [Fault::OverCapacity]
    );
    // By the answers that the buyers got, when the service does not admit it.
    assert_eq!(with(&active(11_650, 1, 10)), [Fault::PlaceLost, Fault::OverCapacity]);
}

#[test]
fn a_seat_with_two_buyers_is_found() {
    let twice = [Fault::SoldTwice];
    assert_eq!(with(&held(11_650, 1, "b", 7)), twice, "while it is held");
    assert_eq!(with(&held(80_000, 1, "b", 7)), twice, "after it was paid for");
    let released = |seen: &mut Vec<Observation>| {
        seen.push(held(16_000, 1, "b", 8));
        seen.push(see(17_000, 1, Seen::Releases { hold: "b".to_owned() }));
        seen.push(held(17_001, 2, "c", 8));
    };
    assert_eq!(faults(released), NONE);
    let ended = |seen: &mut Vec<Observation>| {
        seen.push(held(16_000, 1, "b", 8));
        seen.push(held(76_000, 2, "c", 8));
    };
    assert_eq!(faults(ended), NONE);
    let both = books(&[(2, &[7], 0), (3, &[7], 90)]);
    assert_eq!(with_books(&both), twice);
}

#[test]
fn a_hold_that_ends_early_is_found() {
    let refused = |at| {
        faults(move |seen| {
            seen.push(held(16_000, 1, "b", 8));
            seen.push(see(
                at,
                1,
                Seen::HoldRefused { hold: "b".to_owned(), code: "hold_expired".to_owned() },
            ));
        })
    };
    assert_eq!(refused(17_000), [Fault::HoldLost]);
    assert_eq!(refused(77_000), NONE);
}

#[test]
fn sums_that_differ_are_found() {
    let differ = [Fault::SumsDiffer];
    assert_eq!(with_books(&books(&[(3, &[7], 80)])), differ, "points");
    assert_eq!(with_books(&books(&[(3, &[7, 8], 80)])), differ, "a seat that nobody was sold");
    let mut wrong = books(&[(3, &[7], 90)]);
    wrong.totals.push(("statistics", 2, 10));
    assert_eq!(with_books(&wrong), differ, "a total");
}

#[test]
fn an_answer_that_must_not_be_is_found() {
    assert_eq!(
        with(&call(12_000, 1, Outcome::Wrong("500: joins null".to_owned()))),
        [Fault::WrongAnswer, Fault::NotBack]
    );
    let answered = |seen: &mut Vec<Observation>| {
        seen.push(call(12_000, 1, Outcome::Wrong("500: joins null".to_owned())));
        seen.push(call(12_001, 1, Outcome::Answered));
    };
    assert_eq!(faults(answered), [Fault::WrongAnswer]);
}

#[test]
fn a_request_that_fails_again_is_found_unless_the_step_allows_it() {
    let twice = |seen: &mut Vec<Observation>| {
        seen.push(call(12_000, 1, Outcome::Refused(503)));
        seen.push(call(13_000, 2, Outcome::Unreached("connection broken".to_owned())));
        seen.push(call(14_000, 3, Outcome::Answered));
    };
    assert_eq!(faults(twice), [Fault::FailedTwice]);
    let (mut windows, mut seen) = (windows(), good());
    twice(&mut seen);
    seen.sort_by_key(|observation| observation.at);
    windows[1].may_fail = vec![Kind::Hold];
    assert!(!judge(&windows, &seen)[1].passed);
    windows[1].may_fail = vec![Kind::Hold, Kind::Join];
    assert!(judge(&windows, &seen)[1].passed);
}

#[test]
fn what_does_not_work_again_in_time_is_found() {
    let late = |seen: &mut Vec<Observation>| {
        seen.push(call(24_000, 1, Outcome::Refused(503)));
        seen.push(call(25_500, 2, Outcome::Answered));
    };
    assert_eq!(faults(late), [Fault::NotBack]);
    let mut windows = windows();
    windows[1].settled = None;
    assert_eq!(
        judge(&windows, &good())[1].faults.keys().copied().collect::<Vec<_>>(),
        [Fault::NotBack]
    );
    windows[1].settled = Some(ms(20_000));
    windows[1].errors.push("`false` failed".to_owned());
    assert_eq!(
        judge(&windows, &good())[1].faults.keys().copied().collect::<Vec<_>>(),
        [Fault::Drill]
    );
}
