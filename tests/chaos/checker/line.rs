//! The line: in order, at most so many inside, and nobody loses their place.

use std::collections::HashMap;

use super::Evidence;
use crate::books::Place;
use crate::history::{Act, Moment, SECOND, Sight};
use crate::run::last_loss;
use crate::stage::CAPACITY;

/// Whoever was heard from within this time is there.
const HEARD: Moment = 15 * SECOND;
/// It takes no longer for the line to hear of somebody from the process that was asked, whatever
/// is broken.
const DELAY: Moment = 7 * SECOND;
/// And for a process to hear of what became of the line, while nothing is.
const NEWS: Moment = 3 * SECOND;
/// No slot ends sooner.
const SLOT: Moment = 20 * SECOND;

/// The sights of each place, in the order of their answers.
fn sights(evidence: &Evidence) -> HashMap<(i64, i64), Vec<&Sight>> {
    let mut places: HashMap<_, Vec<&Sight>> = HashMap::new();
    for sight in &evidence.record.sights {
        places.entry((sight.schedule, sight.sequence)).or_default().push(sight);
    }
    for sights in places.values_mut() {
        sights.sort_by_key(|sight| sight.to);
    }
    places
}

/// Nobody who waits, and whom the line has heard from, is passed by a later place. After a loss of
/// Redis that is asked of those alone who have polled since.
pub fn nobody_is_passed(evidence: &Evidence) -> Vec<String> {
    let sights = sights(evidence);
    let of = |place: &Place| {
        let key = (place.schedule, place.sequence);
        sights.get(&key).map_or(&[][..], Vec::as_slice)
    };
    let mut broken = Vec::new();
    for passer in &evidence.books.places {
        let Some(at) = passer.entered().filter(|at| !was_inside(of(passer), *at)) else {
            continue;
        };
        let earlier = evidence.books.places.iter();
        let earlier = earlier
            .filter(|it| it.schedule == passer.schedule && it.sequence < passer.sequence)
            .filter(|it| was_there(evidence, of(it), at) && waited_on(evidence, it, of(it), at));
        broken.extend(earlier.map(|passed| {
            let (schedule, sequence, later) = (passed.schedule, passed.sequence, passer.sequence);
            format!("place {sequence} of schedule {schedule} was passed by {later} at {at}")
        }));
    }
    broken
}

/// How many were passed over by later ones in the queue that is mostly silent.
pub fn passed_over(evidence: &Evidence) -> usize {
    let places = || evidence.books.places.iter().filter(|it| it.schedule == evidence.silent);
    let entered = places().filter(|it| it.entered.is_some());
    let last = entered.map(|it| it.sequence).max().unwrap_or(0);
    places().filter(|it| it.entered.is_none() && it.sequence < last).count()
}

/// Whether somebody had been let in before, as far as they were told.
fn was_inside(sights: &[&Sight], at: Moment) -> bool {
    sights.iter().any(|it| it.status != "WAITING" && it.to < at)
}

/// Whether the line had heard from somebody, long enough before a moment and since the last loss.
fn was_there(evidence: &Evidence, sights: &[&Sight], at: Moment) -> bool {
    let since = last_loss(&evidence.faults, at).map_or(Moment::MIN, |healed| healed + NEWS);
    let heard = (at - HEARD).max(since)..at - DELAY;
    let mut waiting = sights.iter().filter(|it| it.status == "WAITING");
    waiting.any(|it| heard.contains(&it.from) && it.to < heard.end) && !was_inside(sights, at)
}

/// Whether somebody still waited after a moment: by the row that says when they were let in, or,
/// where that was lost with Redis, by what they were told while nothing was broken.
fn waited_on(evidence: &Evidence, place: &Place, sights: &[&Sight], at: Moment) -> bool {
    let told = sights.iter().any(|it| it.status == "WAITING" && it.from > at + NEWS);
    match place.entered() {
        Some(entered) => entered > at,
        None => told && is_calm(evidence, at),
    }
}

/// Whether nothing was broken around a moment: else a process may have told what was true before.
fn is_calm(evidence: &Evidence, at: Moment) -> bool {
    evidence.faults.iter().all(|span| span.to < at - NEWS || span.from > at + 3 * NEWS)
}

/// A number is one person's; a place ends by its owner's doing, or by its time; none is refused.
pub fn places_are_kept(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    for ((schedule, sequence), sights) in sights(evidence) {
        let first = sights[0];
        if sights.iter().any(|it| it.user != first.user || it.ticket != first.ticket) {
            broken.push(format!("place {sequence} of schedule {schedule} is two people's"));
        }
        for pair in sights.windows(2) {
            if let Some(how) = lost(evidence, pair[0], pair[1]) {
                broken.push(format!("place {sequence} of schedule {schedule}: {how}"));
            }
        }
    }
    broken
}

/// How a place that waited came to an end that nobody brought about.
fn lost(evidence: &Evidence, before: &Sight, after: &Sight) -> Option<String> {
    if before.status != "WAITING" {
        return None;
    }
    let mut ops = evidence.record.ops.iter().filter(|op| op.user == before.user);
    let told = format!("waiting at {}, {} at {}", before.to, after.status, after.to);
    match after.status.as_str() {
        "EXPIRED" if after.to - before.from < SLOT => Some(told),
        "LEFT" => {
            let left = ops.any(|op| matches!(op.act, Act::Leave { .. }) && op.invoked() < after.to);
            (!left).then_some(told)
        }
        "COMPLETED" => {
            let paid = ops.any(|op| matches!(op.act, Act::Pay { .. }) && op.invoked() < after.to);
            (!paid).then_some(told)
        }
        _ => None,
    }
}

/// Never more are inside than the highest capacity that was set.
pub fn capacity_kept(evidence: &Evidence) -> Vec<String> {
    let (most, at) = evidence.seen.most_inside;
    let over = (most > CAPACITY).then(|| format!("{most} of {CAPACITY} were inside at {at}"));
    over.into_iter().collect()
}
