//! The highest counters that this process has read from a schedule's keys.
//!
//! A Redis server may lose recent data and keep its `run_id`: it is demoted, becomes a copy of the
//! primary that replaced it, and is promoted again before a process notices. Its counters of queue
//! entries or of seat changes are then lower than those it has answered before. Such keys count as
//! lost, and are rebuilt.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters that only rise within an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Number of queue entries created in this epoch.
    pub joined: u64,
    /// Number of changes to the seat map.
    pub changes: u64,
}

impl Counters {
    /// Whether one of the counters is lower than in `floor`.
    #[must_use]
    pub fn behind(self, floor: Self) -> bool {
        self.joined < floor.joined || self.changes < floor.changes
    }
}

/// The highest counters read in one epoch.
#[derive(Debug, Default)]
pub struct Seen {
    joined: AtomicU64,
    changes: AtomicU64,
}

impl Seen {
    /// The counters that every later answer must reach.
    #[must_use]
    pub fn floor(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters { joined: read(&self.joined), changes: read(&self.changes) }
    }

    /// Records the number of a new queue entry.
    pub fn joined(&self, number: u64) {
        self.joined.fetch_max(number, Ordering::Relaxed);
    }

    /// Records a version of the seat map.
    pub fn changed(&self, version: u64) {
        self.changes.fetch_max(version, Ordering::Relaxed);
    }

    /// Records the counters of an answer.
    pub fn note(&self, counters: Counters) {
        self.joined(counters.joined);
        self.changed(counters.changes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_counter_keeps_its_highest_value_and_a_lower_one_is_behind() {
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
