//! After the last fault: well again soon, and nothing left over.

use super::Evidence;
use crate::run::RECOVERY;

/// Ten seconds after the last fault 99 of 100 requests are answered; within a minute every free
/// seat can be held; and no outcome stays unknown.
pub fn well_again(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    let since = evidence.healed + RECOVERY;
    let after = evidence.record.traffic.iter().filter(|it| it.from >= since);
    let (all, well) = after.fold((0, 0), |(all, well), it| (all + 1, well + i64::from(it.well)));
    if well * 100 < all * 99 {
        broken.push(format!("{well} of {all} requests were answered"));
    }
    let unknown = evidence.record.ops.iter().filter(|op| op.answer().is_none());
    broken.extend(unknown.map(|op| format!("unknown: {:?} of user {}", op.act, op.user)));
    broken.extend(evidence.aftermath.unsellable.iter().map(|seat| format!("unsellable: {seat}")));
    broken
}

/// Redis has heard of everything, no hold waits past its end, and every process shows what is.
pub fn nothing_lingers(evidence: &Evidence) -> Vec<String> {
    if evidence.closed < evidence.healed + RECOVERY {
        return Vec::new();
    }
    let mut broken = evidence.aftermath.misshown.clone();
    let books = &evidence.books;
    if books.untold > 0 {
        broken.push(format!("Redis has yet to hear of {}", books.untold));
    }
    let waiting = books.reservations.iter().filter(|row| row.status == "PAYMENT_WAITING");
    broken.extend(waiting.map(|row| format!("hold {} still waits", row.hold)));
    broken
}
