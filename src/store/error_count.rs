//! Counts the calls to each store that failed, for the metrics.
//!
//! The counts are those of the operating-system process: a driver's error is converted in many
//! places, none of which has the metrics at hand.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Store;

static REDIS: AtomicU64 = AtomicU64::new(0);
static POSTGRESQL: AtomicU64 = AtomicU64::new(0);

fn of(store: Store) -> &'static AtomicU64 {
    match store {
        Store::Redis => &REDIS,
        Store::PostgreSql => &POSTGRESQL,
    }
}

/// Counts a call that failed because the store is unavailable or refused it.
pub(super) fn note(store: Store) {
    of(store).fetch_add(1, Ordering::Relaxed);
}

/// Number of calls to a store that failed so far.
#[must_use]
pub fn failed_calls(store: Store) -> u64 {
    of(store).load(Ordering::Relaxed)
}
