//! What a hold promises: the seat is nobody else's until its end, and can be paid until then only.

use std::collections::HashMap;

use super::Evidence;
use crate::history::{Moment, SECOND};

/// How far PostgreSQL's clock and ours, on one machine, may be apart.
const APART: Moment = SECOND / 50;

/// No other hold of a seat begins and is acknowledged between the acknowledgement of one and its
/// end. Whoever asks only whether some order explains all answers does not see this: a hold that
/// was given away looks like one that lapsed.
pub fn exclusive(evidence: &Evidence) -> Vec<String> {
    let (paid, releases, refunds) = (evidence.paid(), evidence.releases(), evidence.refunds());
    let holds = evidence.holds();
    let mut of_seat: HashMap<i64, Vec<_>> = HashMap::new();
    for hold in &holds {
        for (seat, row) in hold.seats.iter().zip(&hold.rows) {
            let end = if paid.contains_key(hold.id) {
                refunds.get(row).copied().unwrap_or(Moment::MAX)
            } else {
                let released = releases.get(hold.id).map_or(Moment::MAX, |op| op.invoked());
                (hold.ends - APART).min(released)
            };
            of_seat.entry(*seat).or_default().push((hold, end));
        }
    }
    let mut broken = Vec::new();
    for (seat, holds) in of_seat {
        for (first, end) in &holds {
            let inside =
                holds.iter().filter(|(it, _)| it.op.invoked() > first.acked && it.acked < *end);
            broken.extend(inside.map(|(other, _)| {
                format!("seat {seat}: hold {} was given away to {}", first.id, other.id)
            }));
        }
    }
    broken
}

/// A payment that was first asked for after the end of its hold does not succeed.
pub fn paid_in_time(evidence: &Evidence) -> Vec<String> {
    let paid = evidence.paid();
    let late = evidence.holds().into_iter().filter_map(|hold| {
        let late = paid.get(hold.id)?.invoked() - hold.ends;
        (late > APART).then(|| format!("hold {} was paid {late} us after its end", hold.id))
    });
    late.collect()
}
