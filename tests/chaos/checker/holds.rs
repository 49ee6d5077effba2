//! The guarantees of a hold: until its end no other buyer gets the seat, and it can be paid only
//! until then.

use std::collections::HashMap;

use super::Evidence;
use crate::history::{Moment, SECOND};

/// Largest difference between PostgreSQL's clock and ours, on one machine.
const APART: Moment = SECOND / 50;

/// Between the acknowledgement of a hold and its end no other hold of the seat begins and is
/// acknowledged. The search for an order that explains all answers cannot find this: for it, a hold
/// that was given to another buyer looks like one that expired.
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
            let others =
                holds.iter().filter(|(it, _)| it.op.invoked() > first.acked && it.acked < *end);
            broken.extend(others.map(|(other, _)| {
                format!("seat {seat}: hold {} was given to {} before its end", first.id, other.id)
            }));
        }
    }
    broken
}

/// A payment that was first sent after the end of its hold does not succeed.
pub fn paid_in_time(evidence: &Evidence) -> Vec<String> {
    let paid = evidence.paid();
    let late = evidence.holds().into_iter().filter_map(|hold| {
        let late = paid.get(hold.id)?.invoked() - hold.ends;
        (late > APART).then(|| format!("hold {} was paid {late} us after its end", hold.id))
    });
    late.collect()
}
