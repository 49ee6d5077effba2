//! The entries of a queue, and the orders in which rounds look at them.

use std::collections::{BTreeMap, BTreeSet};

/// The state of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// In the queue.
    Waiting,
    /// Back after it was passed over: admitted before all waiting entries.
    Returned,
    /// Passed over, and not back yet.
    Parked,
    /// Admitted.
    Active {
        /// End of the slot (ms).
        until: i64,
        /// End of the claim window (ms), unless the owner was seen.
        claim_by: Option<i64>,
    },
}

/// The entry of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub sequence: u64,
    /// End of its grace (ms), if it was passed over.
    pub grace: Option<i64>,
    /// Its state.
    pub at: At,
}

/// One entry per user, by user and in each order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entries {
    all: BTreeMap<u64, Entry>,
    /// (sequence, user).
    waiting: BTreeSet<(u64, u64)>,
    returned: BTreeSet<(u64, u64)>,
    /// (deadline, user).
    active: BTreeSet<(i64, u64)>,
    called: BTreeSet<(i64, u64)>,
    parked: BTreeSet<(i64, u64)>,
}

impl Entries {
    /// The entry of a user.
    #[must_use]
    pub fn get(&self, user: u64) -> Option<Entry> {
        self.all.get(&user).copied()
    }

    /// All entries, by user.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Entry)> + '_ {
        self.all.iter().map(|(user, entry)| (*user, *entry))
    }

    /// Sets the entry of a user.
    pub fn write(&mut self, user: u64, entry: Entry) {
        self.remove(user);
        match entry.at {
            At::Waiting => {
                self.waiting.insert((entry.sequence, user));
            }
            At::Returned => {
                self.returned.insert((entry.sequence, user));
            }
            At::Parked => {
                self.parked.insert((entry.grace.unwrap_or(i64::MAX), user));
            }
            At::Active { until, claim_by } => {
                self.active.insert((until, user));
                self.called.extend(claim_by.map(|by| (by, user)));
            }
        }
        self.all.insert(user, entry);
    }

    /// Takes the entry of a user out.
    pub fn remove(&mut self, user: u64) -> Option<Entry> {
        let entry = self.all.remove(&user)?;
        match entry.at {
            At::Waiting => {
                self.waiting.remove(&(entry.sequence, user));
            }
            At::Returned => {
                self.returned.remove(&(entry.sequence, user));
            }
            At::Parked => {
                self.parked.remove(&(entry.grace.unwrap_or(i64::MAX), user));
            }
            At::Active { until, claim_by } => {
                self.active.remove(&(until, user));
                if let Some(by) = claim_by {
                    self.called.remove(&(by, user));
                }
            }
        }
        Some(entry)
    }

    /// (sequence, user) of the waiting entries, in order.
    #[must_use]
    pub fn waiting(&self) -> &BTreeSet<(u64, u64)> {
        &self.waiting
    }

    /// (sequence, user) of the returned entries, in order.
    #[must_use]
    pub fn returned(&self) -> &BTreeSet<(u64, u64)> {
        &self.returned
    }

    /// Whether nobody is to be admitted.
    #[must_use]
    pub fn are_none_waiting(&self) -> bool {
        self.waiting.is_empty() && self.returned.is_empty()
    }

    /// Number of active slots in use.
    #[must_use]
    pub fn active_count(&self) -> usize {
        self.active.len()
    }

    /// Entries before the one of a user in its order.
    #[must_use]
    pub fn ahead(&self, user: u64) -> u64 {
        let before = |order: &BTreeSet<(u64, u64)>, sequence| order.range(..(sequence, 0)).count();
        let ahead = self.get(user).map_or(0, |entry| match entry.at {
            At::Waiting => before(&self.waiting, entry.sequence),
            At::Returned => before(&self.returned, entry.sequence),
            At::Parked | At::Active { .. } => 0,
        });
        ahead as u64
    }

    /// Users whose claim window has ended, the first first, at most `limit`.
    pub(super) fn unseen(&self, now: i64, limit: usize) -> Vec<u64> {
        first_due(&self.called, now, limit)
    }

    /// Users whose slot has ended.
    pub(super) fn over(&self, now: i64, limit: usize) -> Vec<u64> {
        first_due(&self.active, now, limit)
    }

    /// Users who were passed over, and whose grace has ended.
    pub(super) fn grace_over(&self, now: i64, limit: usize) -> Vec<u64> {
        first_due(&self.parked, now, limit)
    }
}

fn first_due(order: &BTreeSet<(i64, u64)>, now: i64, limit: usize) -> Vec<u64> {
    order.range(..=(now, u64::MAX)).take(limit).map(|(_, user)| *user).collect()
}
