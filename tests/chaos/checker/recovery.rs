//! After the last fault: requests work again soon, and nothing is left over.

use super::Evidence;
use crate::run::RECOVERY;

/// From ten seconds after the last fault on, 99 of 100 requests are answered; within a minute every
/// free seat can be held; and no outcome stays unknown.
pub fn works_again(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    let since = evidence.healed + RECOVERY;
    let after = evidence.record.traffic.iter().filter(|it| it.from >= since);
    let (mut all, mut answered) = (0, 0);
    for request in after {
        all += 1;
        answered += i64::from(request.answered);
    }
    if answered * 100 < all * 99 {
        broken.push(format!("{answered} of {all} requests were answered"));
    }
    let unknown = evidence.record.ops.iter().filter(|op| op.answer().is_none());
    broken.extend(unknown.map(|op| format!("unknown: {:?} of user {}", op.act, op.user)));
    broken.extend(evidence.aftermath.unsellable.iter().map(|seat| format!("unsellable: {seat}")));
    broken
}

/// Redis has every change, no hold waits past its end, and every process shows the current seat
/// map.
pub fn nothing_lingers(evidence: &Evidence) -> Vec<String> {
    if evidence.closed < evidence.healed + RECOVERY {
        return Vec::new();
    }
    let mut broken = evidence.aftermath.misshown.clone();
    let books = &evidence.books;
    if books.undelivered > 0 {
        broken.push(format!("{} events are still in the outbox", books.undelivered));
    }
    let waiting = books.reservations.iter().filter(|row| row.status == "PAYMENT_WAITING");
    broken.extend(waiting.map(|row| format!("hold {} still waits", row.hold)));
    broken
}
