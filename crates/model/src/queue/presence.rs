//! Which entries are present: a ring of three bitmaps, each for half a presence window.

use std::collections::BTreeSet;

/// The ring of `lua/lib/presence.lua`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceRing {
    /// The bits of each bitmap that are set.
    pub marked: [BTreeSet<u64>; 3],
    /// The bitmap in use, 1 to 3.
    pub slot: usize,
    /// Since when it is in use (ms).
    pub since: i64,
}

impl PresenceRing {
    /// An empty ring.
    #[must_use]
    pub fn new(now: i64) -> Self {
        Self { marked: Default::default(), slot: 1, since: now }
    }

    /// The bit of a sequence: neighbouring epochs do not share one.
    #[must_use]
    pub fn bit(sequence: u64) -> u64 {
        2 * (sequence & ((1 << 40) - 1)) + (sequence >> 40) % 2
    }

    /// Turns the ring as time passes.
    pub fn turn(&mut self, presence_ms: i64, now: i64) {
        let half = (presence_ms / 2).max(1);
        let turns = (now - self.since) / half;
        if turns < 1 {
            return;
        }
        for _ in 0..turns.min(3) {
            self.slot = self.slot % 3 + 1;
            self.marked[self.slot - 1].clear();
        }
        self.since += turns * half;
    }

    /// Marks an entry as present now. The ring must have been turned.
    pub fn mark(&mut self, sequence: u64) {
        self.marked[self.slot - 1].insert(Self::bit(sequence));
    }

    /// Whether an entry was present within the window.
    #[must_use]
    pub fn has(&self, sequence: u64) -> bool {
        let bit = Self::bit(sequence);
        self.marked.iter().any(|marked| marked.contains(&bit))
    }
}
