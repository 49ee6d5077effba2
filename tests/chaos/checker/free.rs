//! Refusals of best available seats: nobody is refused while enough seats are free.

use std::collections::{HashMap, HashSet};

use super::Evidence;
use crate::history::{Act, Attempt, Moment, Op, SECOND};

/// How long a claim keeps a seat if it is not released, and a hold after its end, with a margin.
const LINGERS: Moment = 6 * SECOND;

/// A hold by quantity is refused only if too few seats may have been free. The check leaves out all
/// seats that anything may have kept at that time, so it finds no violation where little is known.
pub fn refused_only_if_taken(evidence: &Evidence) -> Vec<String> {
    let kept = kept_seats(evidence);
    let mut broken = Vec::new();
    for op in &evidence.record.ops {
        let Act::Hold { schedule, quantity } = op.act else { continue };
        let refused =
            op.finals().filter(|(_, answer)| answer.code() == "not_enough_seats").map(|it| it.0);
        for attempt in refused {
            let seats = kept.iter().filter(|(_, seat)| seat.schedule == schedule);
            let free = seats.filter(|(_, seat)| seat.is_free(attempt)).count();
            let claimed = may_be_claimed(evidence, schedule, attempt, op);
            if free >= quantity + claimed {
                broken.push(format!(
                    "user {} was refused {quantity} seats at {} while {free} were free, and {claimed} \
                     perhaps claimed",
                    op.user, attempt.from
                ));
            }
        }
    }
    broken
}

/// When one seat was kept from buyers.
struct Kept {
    schedule: i64,
    /// It was blocked, or its history is not known completely.
    always: bool,
    spans: Vec<(Moment, Moment)>,
}

impl Kept {
    fn is_free(&self, attempt: &Attempt) -> bool {
        let overlaps = |span: &(Moment, Moment)| span.0 <= attempt.to && attempt.from <= span.1;
        !self.always && !self.spans.iter().any(overlaps)
    }
}

/// Every seat that was ever reserved, and when it was kept.
fn kept_seats(evidence: &Evidence) -> HashMap<i64, Kept> {
    let (paid, refunds) = (evidence.paid(), evidence.refunds());
    let mut spans = HashMap::new();
    for hold in evidence.holds() {
        for row in &hold.rows {
            let refunded = refunds.get(row).copied().unwrap_or(Moment::MAX - LINGERS);
            let end = if paid.contains_key(hold.id) { refunded } else { hold.ends };
            spans.insert(*row, (hold.op.invoked(), end.saturating_add(LINGERS)));
        }
    }
    let blocked: HashSet<i64> = evidence.record.ops.iter().flat_map(blocked_seats).collect();
    let mut kept: HashMap<i64, Kept> = HashMap::new();
    for row in &evidence.books.reservations {
        let new = Kept { schedule: row.schedule, always: false, spans: Vec::new() };
        let seat = kept.entry(row.seat).or_insert(new);
        // Without an acknowledged hold, or sold without an acknowledged payment: times unknown.
        let sold = ["COMPLETE", "REFUNDED"].contains(&row.status.as_str());
        match spans.get(&row.id) {
            Some(span) if !sold || paid.contains_key(row.hold.as_str()) => seat.spans.push(*span),
            _ => seat.always = true,
        }
        seat.always |= blocked.contains(&row.seat);
    }
    kept
}

fn blocked_seats(op: &Op) -> Vec<i64> {
    if let Act::Block { seats, .. } = &op.act { seats.clone() } else { Vec::new() }
}

/// How many seats other requests may have claimed while `attempt` was in progress: requests in
/// progress, and earlier ones whose claims may not have been released.
fn may_be_claimed(evidence: &Evidence, schedule: i64, attempt: &Attempt, own: &Op) -> usize {
    let since = attempt.from - LINGERS;
    let is_calm =
        !evidence.faults.iter().any(|fault| fault.from <= attempt.to && since <= fault.to);
    let may_claim = |other: &Attempt| {
        let in_progress = other.from <= attempt.to && attempt.from <= other.to;
        let unknown = other.answer.as_ref().is_none_or(|answer| !answer.is_final());
        in_progress || (other.to >= since && other.from <= attempt.to && (unknown || !is_calm))
    };
    let others = evidence.record.ops.iter().filter(|op| !std::ptr::eq(*op, own));
    let quantity = |op: &Op| match op.act {
        Act::Hold { schedule: of, quantity } if of == schedule => quantity,
        _ => 0,
    };
    others.filter(|op| op.attempts.iter().any(may_claim)).map(quantity).sum()
}
