//! The queue: admission is in order and within the capacity, and nobody loses an entry.

use std::collections::HashMap;

use super::Evidence;
use crate::books::Place;
use crate::history::{Act, Moment, SECOND, TicketView};
use crate::run::last_loss;
use crate::stage::CAPACITY;

/// A user who polled within this time is present.
const PRESENT: Moment = 15 * SECOND;
/// Longest time until Redis has the presence of a user who polled, during any fault.
const DELAY: Moment = 7 * SECOND;
/// Longest time until a process shows a change of the queue, without a fault.
const BOARD_DELAY: Moment = 3 * SECOND;
/// Shortest active slot.
const SLOT: Moment = 20 * SECOND;

/// The observed states of each entry, in the order of the answers.
fn ticket_views(evidence: &Evidence) -> HashMap<(i64, i64), Vec<&TicketView>> {
    let mut places: HashMap<_, Vec<&TicketView>> = HashMap::new();
    for ticket_view in &evidence.record.ticket_views {
        places.entry((ticket_view.schedule, ticket_view.sequence)).or_default().push(ticket_view);
    }
    for ticket_views in places.values_mut() {
        ticket_views.sort_by_key(|ticket_view| ticket_view.to);
    }
    places
}

/// No later entry overtakes a waiting user who is present. After a loss of Redis only users who
/// have polled since count.
pub fn nobody_is_overtaken(evidence: &Evidence) -> Vec<String> {
    let ticket_views = ticket_views(evidence);
    let of = |place: &Place| {
        let key = (place.schedule, place.sequence);
        ticket_views.get(&key).map_or(&[][..], Vec::as_slice)
    };
    let mut broken = Vec::new();
    for passer in &evidence.books.places {
        let Some(at) = passer.entered().filter(|at| !was_admitted(of(passer), *at)) else {
            continue;
        };
        let earlier = evidence.books.places.iter();
        let earlier = earlier
            .filter(|it| it.schedule == passer.schedule && it.sequence < passer.sequence)
            .filter(|it| was_present(evidence, of(it), at) && waited_on(evidence, it, of(it), at));
        broken.extend(earlier.map(|passed| {
            let (schedule, sequence, later) = (passed.schedule, passed.sequence, passer.sequence);
            format!("entry {sequence} of schedule {schedule} was overtaken by {later} at {at}")
        }));
    }
    broken
}

/// The number of entries that were passed over in the mostly silent queue.
pub fn passed_over(evidence: &Evidence) -> usize {
    let places = || evidence.books.places.iter().filter(|it| it.schedule == evidence.silent);
    let entered = places().filter(|it| it.entered.is_some());
    let last = entered.map(|it| it.sequence).max().unwrap_or(0);
    places().filter(|it| it.entered.is_none() && it.sequence < last).count()
}

/// Whether an answer before a moment showed that the entry was no longer waiting.
fn was_admitted(ticket_views: &[&TicketView], at: Moment) -> bool {
    ticket_views.iter().any(|it| it.status != "WAITING" && it.to < at)
}

/// Whether a user polled recently enough to be present at a moment, and since the last loss.
fn was_present(evidence: &Evidence, ticket_views: &[&TicketView], at: Moment) -> bool {
    let since = last_loss(&evidence.faults, at).map_or(Moment::MIN, |healed| healed + BOARD_DELAY);
    let recent = (at - PRESENT).max(since)..at - DELAY;
    let mut waiting = ticket_views.iter().filter(|it| it.status == "WAITING");
    waiting.any(|it| recent.contains(&it.from) && it.to < recent.end)
        && !was_admitted(ticket_views, at)
}

/// Whether an entry still waited after a moment: by its row, which has the time of admission, or,
/// if that was lost with Redis, by an answer from a time without faults.
fn waited_on(evidence: &Evidence, place: &Place, ticket_views: &[&TicketView], at: Moment) -> bool {
    let shown = ticket_views.iter().any(|it| it.status == "WAITING" && it.from > at + BOARD_DELAY);
    match place.entered() {
        Some(entered) => entered > at,
        None => shown && is_calm(evidence, at),
    }
}

/// Whether there was no fault around a moment; during a fault a process may show an old state.
fn is_calm(evidence: &Evidence, at: Moment) -> bool {
    let mut faults = evidence.faults.iter();
    faults.all(|span| span.to < at - BOARD_DELAY || span.from > at + 3 * BOARD_DELAY)
}

/// A sequence belongs to one user, and an entry ends only by its owner's request or by its
/// deadline.
pub fn entries_are_kept(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    for ((schedule, sequence), ticket_views) in ticket_views(evidence) {
        let first = ticket_views[0];
        if ticket_views.iter().any(|it| it.user != first.user || it.ticket != first.ticket) {
            broken.push(format!("entry {sequence} of schedule {schedule} has two users"));
        }
        for pair in ticket_views.windows(2) {
            if let Some(how) = lost(evidence, pair[0], pair[1]) {
                broken.push(format!("entry {sequence} of schedule {schedule}: {how}"));
            }
        }
    }
    broken
}

/// How a waiting entry ended without a reason.
fn lost(evidence: &Evidence, before: &TicketView, after: &TicketView) -> Option<String> {
    if before.status != "WAITING" {
        return None;
    }
    let mut ops = evidence.record.ops.iter().filter(|op| op.user == before.user);
    let change = format!("waiting at {}, {} at {}", before.to, after.status, after.to);
    match after.status.as_str() {
        "EXPIRED" if after.to - before.from < SLOT => Some(change),
        "LEFT" => {
            let left = ops.any(|op| matches!(op.act, Act::Leave { .. }) && op.invoked() < after.to);
            (!left).then_some(change)
        }
        "COMPLETED" => {
            let paid = ops.any(|op| matches!(op.act, Act::Pay { .. }) && op.invoked() < after.to);
            (!paid).then_some(change)
        }
        _ => None,
    }
}

/// There are never more active slots than the highest capacity that was set.
pub fn capacity_kept(evidence: &Evidence) -> Vec<String> {
    let (most, at) = evidence.observed.most_active;
    let over = (most > CAPACITY).then(|| format!("{most} of {CAPACITY} slots were active at {at}"));
    over.into_iter().collect()
}
