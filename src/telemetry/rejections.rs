//! Whom this process turned away, and why: counted here, written down by a loop.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// So many different counts are kept at most: with PostgreSQL away anybody can name schedules that
/// there are not.
const MOST: usize = 10_000;

/// A refusal that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Refusal {
    /// The schedule that somebody wanted into, or seats of.
    pub schedule: i64,
    /// What they wanted: `join` or `hold`.
    pub wanted: &'static str,
    /// The problem's code.
    pub reason: &'static str,
}

/// How often each was given since it was last written down.
#[derive(Debug, Default)]
pub(super) struct TurnedAway(Mutex<HashMap<Refusal, u64>>);

impl TurnedAway {
    pub(super) fn add(&self, refusal: Refusal, times: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&refusal) {
            *count += times;
        } else if counts.len() < MOST {
            counts.insert(refusal, times);
        }
    }

    pub(super) fn take(&self) -> Vec<(Refusal, u64)> {
        let counts = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(counts).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_counted_until_they_are_taken_and_no_more_kinds_than_there_is_room_for() {
        let counts = TurnedAway::default();
        let of = |schedule| Refusal { schedule, wanted: "join", reason: "sold_out" };
        counts.add(of(1), 1);
        counts.add(of(1), 2);
        assert_eq!(counts.take(), [(of(1), 3)]);
        assert!(counts.take().is_empty());
        for schedule in 0..20_000 {
            counts.add(of(schedule), 1);
        }
        counts.add(of(0), 1);
        let taken: HashMap<Refusal, u64> = counts.take().into_iter().collect();
        assert_eq!((taken.len(), taken[&of(0)]), (MOST, 2));
    }
}
