//! The owners of seats: one owner at a time, and no more seats for one user than the limit.

use std::collections::HashMap;

use super::Evidence;
use crate::history::Moment;
use crate::stage::SEATS_PER_USER;

/// A seat has at most one live row, at the end and in every observation.
pub fn one_live_row(evidence: &Evidence) -> Vec<String> {
    let mut live: HashMap<i64, usize> = HashMap::new();
    for row in evidence.books.reservations.iter().filter(|row| row.is_live()) {
        *live.entry(row.seat).or_default() += 1;
    }
    let twice = live.into_iter().filter(|(_, rows)| *rows > 1);
    let twice = twice.map(|(seat, rows)| format!("seat {seat} has {rows} live rows"));
    let sold = evidence.books.seats.iter().filter_map(|seat| {
        let mut rows = evidence.books.reservations.iter().filter(|row| row.seat == seat.id);
        let sold = rows.any(|row| row.status == "COMPLETE");
        (sold != (seat.status == "UNAVAILABLE"))
            .then(|| format!("seat {} is {}, sold {sold}", seat.id, seat.status))
    });
    twice.chain(sold).chain(observed_violations(evidence, "a seat has one live row")).collect()
}

/// From the answer to a payment until a refund is requested, a seat has no other owner.
pub fn never_two_owners(evidence: &Evidence) -> Vec<String> {
    let (paid, refunds) = (evidence.paid(), evidence.refunds());
    let mut owned: HashMap<i64, Vec<(Moment, Moment, &str)>> = HashMap::new();
    for hold in evidence.holds() {
        let Some(from) = paid.get(hold.id).and_then(|op| op.acked()) else {
            continue;
        };
        for (seat, row) in hold.seats.iter().zip(&hold.rows) {
            let to = refunds.get(row).copied().unwrap_or(Moment::MAX);
            owned.entry(*seat).or_default().push((from, to, hold.id));
        }
    }
    let mut broken = Vec::new();
    for (seat, mut spans) in owned {
        spans.sort_unstable();
        for pair in spans.windows(2) {
            if pair[1].0 < pair[0].1 {
                broken.push(format!("seat {seat} was {}'s and {}'s at once", pair[0].2, pair[1].2));
            }
        }
    }
    broken
}

/// No user has more seats of a sale than the limit.
pub fn limits_kept(evidence: &Evidence) -> Vec<String> {
    let mut owned: HashMap<(i64, i64), i64> = HashMap::new();
    for row in evidence.books.reservations.iter().filter(|row| row.is_live()) {
        *owned.entry((row.user, row.schedule)).or_default() += 1;
    }
    let over = owned.into_iter().filter(|(_, seats)| *seats > SEATS_PER_USER);
    let over = over.map(|((user, schedule), seats)| {
        format!("user {user} has {seats} seats of schedule {schedule}")
    });
    let (claimed, at) = evidence.observed.most_claimed;
    let claimed = (claimed > usize::try_from(SEATS_PER_USER).unwrap_or(0))
        .then(|| format!("a user had claimed {claimed} seats at {at}"));
    let over = over.chain(claimed);
    over.chain(observed_violations(evidence, "a user has no more seats than the limit")).collect()
}

/// Violations of a rule that were observed during the run.
pub fn observed_violations(evidence: &Evidence, rule: &str) -> Vec<String> {
    let broken = evidence.observed.broken.iter().filter(|(broken, _)| *broken == rule);
    broken.map(|(rule, at)| format!("observed broken at {at}: {rule}")).collect()
}
