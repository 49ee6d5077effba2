//! What a schedule's scripts leave for the loops of this process to do.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The activity of one schedule, in all epochs.
#[derive(Debug, Default)]
pub struct Activity {
    changes: AtomicU64,
    is_archived: AtomicBool,
}

impl Activity {
    /// Number of scripts of this process that ended the schedule's rest
    /// ([`Script::ends_rest`](super::script::Script::ends_rest)).
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Counts a script that ends the rest. Call it once the script has run: a loop that read the
    /// count before it called Redis itself then sees that it must call again.
    pub fn note_change(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// Whether the queue's log was empty when `queue/admit` last ran. False before that.
    #[must_use]
    pub fn is_archived(&self) -> bool {
        self.is_archived.load(Ordering::Relaxed)
    }

    /// Notes the number of entries in the queue's log.
    pub fn note_log(&self, entries: u64) {
        self.is_archived.store(entries == 0, Ordering::Relaxed);
    }
}
