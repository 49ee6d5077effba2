//! Bounds that the tests of the scripts do not reach with their few users; they are those of
//! `lua/queue/admit.lua` and `lua/lib/presence.lua`.

use super::*;

fn rules(capacity: usize, rate: f64) -> QueueRules {
    QueueRules {
        capacity,
        rate,
        active_ms: 600_000,
        claim_ms: 60_000,
        presence_ms: 90_000,
        grace_ms: 600_000,
        deadline_ms: i64::MAX,
        min_reach: 20,
    }
}

fn queue(people: u64, capacity: usize, rate: f64) -> QueueModel {
    let mut queue = QueueModel::new(1, rules(capacity, rate), 0, BTreeMap::new());
    for user in 1..=people {
        queue.enter(user, false, 0);
    }
    queue.open = true;
    queue.tokens = rate;
    queue
}

#[test]
fn a_round_admits_at_most_a_batch_and_asks_for_another() {
    let mut queue = queue(250, 1_000, 1_000.0);
    assert_eq!(queue.admit(0), ("MORE", vec![100, 0, 0, 150, 100]));
    assert_eq!(queue.admit(0), ("MORE", vec![100, 0, 0, 50, 200]));
    assert_eq!(queue.admit(0), ("OK", vec![50, 0, 0, 0, 250]));
}

#[test]
fn capacity_and_tokens_bound_a_round() {
    assert_eq!(queue(50, 7, 1_000.0).admit(0).1[0], 7);
    assert_eq!(queue(50, 1_000, 3.0).admit(0).1[0], 3);
    let mut closed = queue(50, 1_000, 1_000.0);
    closed.open = false;
    assert_eq!(closed.admit(0).1[0], 0);
}

#[test]
fn the_unseen_are_passed_over_after_the_claim_window_and_end_with_their_grace() {
    let mut queue = queue(3, 3, 1_000.0);
    queue.admit(0);
    assert!(matches!(queue.resolve(1, (1 << 40) + 1, 0, 10).unwrap().at, At::Active { .. }));
    assert_eq!(queue.admit(60_000).1, [0, 2, 0, 0, 1]);
    assert_eq!(queue.resolve(2, (1 << 40) + 2, 0, 60_001).unwrap().at, At::Returned);
    assert_eq!(queue.admit(60_100).1[0], 1, "the one who is back");
    assert_eq!(queue.admit(660_001).1[2], 3, "two slots and one grace");
}

#[test]
fn silence_counts_only_up_to_the_notice_before() {
    let mut queue = queue(100, 1_000, 1_000.0);
    // Everybody was present at 0 only. The window is over at 135 s.
    queue.open = false;
    queue.admit(120_000);
    assert_eq!((queue.noticed, queue.notice & 0xFF), (0, 100), "a minute's admissions");
    queue.open = true;
    assert_eq!(queue.admit(140_000).1[1], 100, "all were asked before and are silent");
}

#[test]
fn admission_stops_at_a_silent_entry_that_was_not_asked() {
    let mut queue = queue(100, 1_000, 0.01);
    queue.open = false;
    for now in [120_000, 131_000] {
        queue.admit(now);
    }
    (queue.open, queue.tokens, queue.rules.rate) = (true, 1_000.0, 1_000.0);
    queue.tokens_at = 140_000;
    let reply = queue.admit(140_000);
    assert_eq!((reply.1[0], reply.1[1]), (0, 20), "the notice covers 20 entries");
    assert!(queue.notice_short, "the next notice covers more");
}
