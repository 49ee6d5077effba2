//! The highest counters of a schedule's keys that this process has seen.
//!
//! A server may go back in time under the same `run_id`: demoted, made a copy of the primary that
//! replaced it, and promoted again before anybody asked. Its keys then say that fewer places were
//! given out, or fewer changes made to the seats, than it had answered before. Such keys are lost.

use std::sync::atomic::{AtomicU64, Ordering};

/// What only ever rises within an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Places given out in this epoch.
    pub joined: u64,
    /// How often the seat map changed.
    pub changes: u64,
}

impl Counters {
    /// Whether either is lower than what was seen before.
    #[must_use]
    pub fn behind(self, floor: Self) -> bool {
        self.joined < floor.joined || self.changes < floor.changes
    }
}

/// The highest seen in one epoch.
#[derive(Debug, Default)]
pub struct Seen {
    joined: AtomicU64,
    changes: AtomicU64,
}

impl Seen {
    /// What every answer to a call that is made from now on must have reached.
    #[must_use]
    pub fn floor(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters { joined: read(&self.joined), changes: read(&self.changes) }
    }

    /// Notes that a place was given out.
    pub fn joined(&self, number: u64) {
        self.joined.fetch_max(number, Ordering::Relaxed);
    }

    /// Notes a version of the seat map.
    pub fn changed(&self, version: u64) {
        self.changes.fetch_max(version, Ordering::Relaxed);
    }

    /// Notes what an answer says.
    pub fn note(&self, counters: Counters) {
        self.joined(counters.joined);
        self.changed(counters.changes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_of_each_stays_and_either_may_be_behind_it() {
        let seen = Seen::default();
        seen.note(Counters { joined: 5, changes: 2 });
        seen.note(Counters { joined: 3, changes: 9 });
        let floor = seen.floor();
        assert_eq!(floor, Counters { joined: 5, changes: 9 });
        for (joined, changes, behind) in [(5, 9, false), (6, 9, false), (4, 9, true), (6, 8, true)]
        {
            assert_eq!(Counters { joined, changes }.behind(floor), behind);
        }
    }
}
