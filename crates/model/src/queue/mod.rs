//! The queue of one schedule as a plain model: the entries, and the rules by which they move.
//!
//! It does what the scripts `queue/*` do in Redis, with the same bounds. `tests/onsale/scripts`
//! runs any order of calls on both and compares them; [`crate::simulation`] runs a sale on it.

mod calls;
mod entries;
mod presence;
mod round;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

pub use entries::{At, Entries, Entry};
pub use presence::PresenceRing;

/// An entry ended by time.
pub const EXPIRED: u8 = 1;
/// Its owner left.
pub const LEFT: u8 = 2;
/// Its owner paid.
pub const COMPLETED: u8 = 3;

/// Most entries that one round admits, passes over, or ends of each kind.
pub const BATCH: usize = 100;

/// Fewest entries that a notice covers. Fewer in a simulation that stands for a larger queue.
pub const MIN_REACH: u64 = 20_000;

/// The settings of a sale that the queue depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QueueRules {
    /// Limit of active slots.
    pub capacity: usize,
    /// Limit of admissions per second.
    pub rate: f64,
    /// Duration of a slot (ms).
    pub active_ms: i64,
    /// Time after admission until an owner who was not seen loses the slot (ms).
    pub claim_ms: i64,
    /// Time without a poll after which a waiting entry counts as absent (ms).
    pub presence_ms: i64,
    /// Time for which an entry that was passed over is kept (ms).
    pub grace_ms: i64,
    /// End of the sale (ms): no slot lasts longer.
    pub deadline_ms: i64,
    /// Fewest entries that a notice covers.
    pub min_reach: u64,
}

/// The reply of a call: a word, and the numbers after it without the clock.
pub type Answer = (&'static str, Vec<u64>);

/// Something that happened to an entry, as the log of the queue has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// `J` joined, `A` admitted, `P` passed over, `E` ended.
    pub letter: char,
    /// The entry.
    pub sequence: u64,
    /// Its user.
    pub user: u64,
    /// Of `A` the end of the slot (ms), of `E` the reason.
    pub extra: Option<i64>,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.letter, self.sequence, self.user)?;
        self.extra.map_or(Ok(()), |extra| write!(f, " {extra}"))
    }
}

/// The queue of one schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueModel {
    /// Number of the rebuild; sequences begin at `epoch << 40`.
    pub epoch: u64,
    /// The settings.
    pub rules: QueueRules,
    /// Whether the phase of the sale permits admission.
    pub open: bool,
    /// One entry per user, and their orders.
    pub entries: Entries,
    /// Ended entries, and why they ended.
    pub done: BTreeMap<u64, u8>,
    /// Tokens of the bucket at `tokens_at`.
    pub tokens: f64,
    /// Time of the last change to the bucket (ms).
    pub tokens_at: i64,
    /// Which entries are present.
    pub presence: PresenceRing,
    /// The last sequence whose clients are asked to poll.
    pub notice: u64,
    /// The last sequence before the current notice.
    pub noticed: u64,
    /// Time of the current notice (ms).
    pub notice_at: i64,
    /// Whether admission had to stop beyond the last sequence whose silence counts.
    pub notice_short: bool,
    /// Entries that the current notice covers.
    pub reach: u64,
    /// The last sequence that each process has merged; `None` after the end of its lease.
    pub mergers: BTreeMap<String, Option<u64>>,
    /// Entries created in this epoch.
    pub next: u64,
    /// Entries admitted in this epoch.
    pub admitted: u64,
    /// Entries ended by time in this epoch.
    pub expired: u64,
    /// What happened, oldest first. The caller may take it.
    pub log: Vec<Event>,
}

impl QueueModel {
    /// A newly built queue of `epoch`, with the entries that ended before.
    #[must_use]
    pub fn new(epoch: u64, rules: QueueRules, now: i64, done: BTreeMap<u64, u8>) -> Self {
        Self {
            epoch,
            rules,
            open: false,
            entries: Entries::default(),
            done,
            tokens: 0.0,
            tokens_at: now,
            presence: PresenceRing::new(now),
            notice: 0,
            noticed: 0,
            notice_at: 0,
            notice_short: false,
            reach: 0,
            mergers: BTreeMap::new(),
            next: 0,
            admitted: 0,
            expired: 0,
            log: Vec::new(),
        }
    }

    fn note(&mut self, letter: char, sequence: u64, user: u64, extra: Option<i64>) {
        self.log.push(Event { letter, sequence, user, extra });
    }

    fn mark_ended(&mut self, user: u64, sequence: u64, reason: u8) {
        self.done.insert(sequence, reason);
        self.expired += u64::from(reason == EXPIRED);
        self.note('E', sequence, user, Some(reason.into()));
    }

    /// Ends the entry of a user, if there is one.
    fn end(&mut self, user: u64, reason: u8) {
        if let Some(entry) = self.entries.remove(user) {
            self.mark_ended(user, entry.sequence, reason);
        }
    }

    /// Passes an entry over. It stays until its grace ends, which runs once, from the first time.
    fn pass_over(&mut self, user: u64, now: i64) {
        let Some(entry) = self.entries.get(user) else { return };
        let grace = entry.grace.unwrap_or(now + self.rules.grace_ms);
        if grace <= now {
            return self.end(user, EXPIRED);
        }
        self.entries.write(user, Entry { at: At::Parked, grace: Some(grace), ..entry });
        self.note('P', entry.sequence, user, None);
    }

    /// The tokens in the bucket: at most one second's worth, with fractions.
    #[must_use]
    pub fn bucket(&self, now: i64) -> f64 {
        let earned =
            crate::number::float_ms((now - self.tokens_at).max(0)) * self.rules.rate / 1000.0;
        self.rules.rate.max(1.0).min(self.tokens + earned)
    }

    /// Saves the tokens with six digits, as the scripts do.
    fn save_tokens(&mut self, tokens: f64, now: i64) {
        self.tokens = (tokens * 1e6).round() / 1e6;
        self.tokens_at = now;
    }

    fn end_of_slot(&self, now: i64) -> i64 {
        (now + self.rules.active_ms).min(self.rules.deadline_ms)
    }
}
