//! The queue as a plain model: one entry per user, which moves by the rules of the design.

use std::collections::{BTreeMap, BTreeSet};

use super::stage::HOUR;

pub const EXPIRED: u8 = 1;
pub const LEFT: u8 = 2;

/// The state of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    Waiting,
    /// Admitted before all waiting entries.
    Returned,
    Parked,
    Active {
        until: i64,
        claim_by: Option<i64>,
    },
}

/// The entry of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub sequence: u64,
    pub grace: Option<i64>,
    pub at: At,
}

/// The reply of a call: a word, and the numbers after it without the clock.
pub type Answer = (&'static str, Vec<u64>);

#[derive(Debug, Clone, PartialEq)]
pub struct QueueModel {
    pub epoch: u64,
    pub capacity: usize,
    pub rate: f64,
    /// Whether settings and seats allow admission.
    pub open: bool,
    pub entries: BTreeMap<u64, Entry>,
    pub done: BTreeMap<u64, u8>,
    pub tokens: f64,
    pub tokens_at: i64,
    pub present: [BTreeSet<u64>; 3],
    /// The last sequence whose clients are asked to poll.
    pub notice: u64,
    /// The last sequence before the current notice, and the time of the current notice.
    pub noticed: u64,
    pub notice_at: i64,
    /// The last sequence that each process has merged; `None` after the end of its lease.
    pub mergers: BTreeMap<String, Option<u64>>,
    pub slot: usize,
    pub since: i64,
    pub next: u64,
    pub admitted: u64,
    pub expired: u64,
    pub log: Vec<String>,
}

/// The sequence in the statement of a process whose lease has ended, in these tests.
pub const OVER: u64 = 7;

impl QueueModel {
    /// A newly built queue of `epoch`, with the entries that ended before.
    pub fn new(epoch: u64, now: i64, done: BTreeMap<u64, u8>) -> Self {
        Self {
            epoch,
            capacity: 0,
            rate: 1.0,
            open: false,
            entries: BTreeMap::new(),
            done,
            tokens: 0.0,
            tokens_at: now,
            present: Default::default(),
            notice: 0,
            noticed: 0,
            notice_at: 0,
            mergers: BTreeMap::new(),
            slot: 1,
            since: now,
            next: 0,
            admitted: 0,
            expired: 0,
            log: Vec::new(),
        }
    }

    pub fn active(&self) -> usize {
        self.entries.values().filter(|entry| matches!(entry.at, At::Active { .. })).count()
    }

    /// (sequence, user) of the entries in a state, in order.
    pub fn in_order(&self, at: At) -> Vec<(u64, u64)> {
        let there = self.entries.iter().filter(|(_, entry)| entry.at == at);
        let mut all: Vec<_> = there.map(|(user, entry)| (entry.sequence, *user)).collect();
        all.sort_unstable();
        all
    }

    pub fn ahead(&self, user: u64) -> u64 {
        let entry = self.entries[&user];
        let before = |(sequence, _): &(u64, u64)| *sequence < entry.sequence;
        self.in_order(entry.at).into_iter().filter(before).count() as u64
    }

    /// Adds an event to the log; `extra` is the reason of an end, or the end of a slot.
    pub fn note(&mut self, letter: &str, sequence: u64, user: u64, extra: Option<i64>) {
        let extra = extra.map_or_else(String::new, |extra| format!(" {extra}"));
        self.log.push(format!("{letter} {sequence} {user}{extra}"));
    }

    fn mark_ended(&mut self, user: u64, sequence: u64, reason: u8) {
        self.done.insert(sequence, reason);
        self.expired += u64::from(reason == EXPIRED);
        self.note("E", sequence, user, Some(reason.into()));
    }

    pub fn end(&mut self, user: u64, reason: u8) {
        let entry = self.entries.remove(&user).expect("an entry");
        self.mark_ended(user, entry.sequence, reason);
    }

    pub fn turn_ring(&mut self, now: i64) {
        let half = HOUR / 2;
        let turns = (now - self.since) / half;
        if turns < 1 {
            return;
        }
        for _ in 0..turns.min(3) {
            self.slot = self.slot % 3 + 1;
            self.present[self.slot - 1].clear();
        }
        self.since += turns * half;
    }

    pub fn present_bit(sequence: u64) -> u64 {
        2 * (sequence & ((1 << 40) - 1)) + (sequence >> 40) % 2
    }

    /// Marks `sequence` as present.
    pub fn mark_present(&mut self, sequence: u64, now: i64) {
        self.turn_ring(now);
        self.present[self.slot - 1].insert(Self::present_bit(sequence));
    }

    /// Updates a user's entry for the time that has passed, when the user calls.
    fn find(&mut self, user: u64, now: i64) {
        let Some(entry) = self.entries.get_mut(&user) else {
            return;
        };
        match entry.at {
            At::Waiting | At::Returned => {}
            At::Active { until, .. } if until > now => {
                entry.at = At::Active { until, claim_by: None };
                entry.grace = None;
            }
            At::Parked if entry.grace.is_some_and(|grace| grace > now) => entry.at = At::Returned,
            At::Active { .. } | At::Parked => self.end(user, EXPIRED),
        }
    }

    fn answer(&mut self, user: u64, now: i64) -> Answer {
        let entry = self.entries[&user];
        let word = match entry.at {
            At::Active { until, .. } => {
                return ("ACTIVE", vec![entry.sequence, until.unsigned_abs()]);
            }
            At::Waiting => "WAITING",
            At::Returned | At::Parked => "RETURNED",
        };
        self.mark_present(entry.sequence, now);
        (word, vec![entry.sequence, self.ahead(user)])
    }

    pub fn bucket(&self, now: i64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds are below 2^52")]
        let earned = (now - self.tokens_at).max(0) as f64 * self.rate / 1000.0;
        self.rate.max(1.0).min(self.tokens + earned)
    }

    pub fn spend(&mut self, tokens: f64, now: i64) {
        self.tokens = format!("{tokens:.6}").parse().expect("a number");
        self.tokens_at = now;
    }

    /// `refusal` is the reply for a user without an entry, if joining is not allowed.
    pub fn join(&mut self, user: u64, refusal: Option<&'static str>, now: i64) -> Answer {
        self.find(user, now);
        if self.entries.contains_key(&user) {
            let (word, mut numbers) = self.answer(user, now);
            numbers.push(0);
            return (word, numbers);
        }
        if let Some(refusal) = refusal {
            return (refusal, Vec::new());
        }
        self.next += 1;
        let sequence = (self.epoch << 40) + self.next;
        self.note("J", sequence, user, None);
        let is_empty =
            self.in_order(At::Waiting).is_empty() && self.in_order(At::Returned).is_empty();
        let tokens = self.bucket(now);
        let mut at = At::Waiting;
        if self.open && is_empty && self.active() < self.capacity && tokens >= 1.0 {
            self.spend(tokens - 1.0, now);
            at = At::Active { until: now + HOUR, claim_by: None };
            self.admitted += 1;
            self.note("A", sequence, user, Some(now + HOUR));
        }
        self.entries.insert(user, Entry { sequence, grace: None, at });
        let (word, mut numbers) = self.answer(user, now);
        numbers.push(1);
        (word, numbers)
    }

    /// `until` is 0 unless the ticket was signed for an active slot.
    pub fn ticket(&mut self, user: u64, shown: u64, until: i64, now: i64) -> Answer {
        if let Some(reason) = self.done.get(&shown) {
            return ("ENDED", vec![u64::from(*reason)]);
        }
        self.find(user, now);
        let over = until > 0 && until <= now;
        // An older ticket brought the entry back as waiting: this one says that it was admitted.
        let waits_as = self.entries.get(&user).filter(|entry| entry.at == At::Waiting);
        match waits_as.map(|entry| entry.sequence) {
            Some(sequence) if until > 0 && sequence == shown => {
                self.entries.remove(&user);
            }
            Some(_) if until > 0 && !over => self.end(user, LEFT),
            _ => {}
        }
        match self.entries.get(&user) {
            None => {
                if over && !self.done.contains_key(&shown) {
                    self.mark_ended(user, shown, EXPIRED);
                }
                if let Some(reason) = self.done.get(&shown) {
                    return ("ENDED", vec![u64::from(*reason)]);
                }
                self.put_back(user, shown, until, now);
            }
            Some(entry) if entry.at == At::Waiting && shown < entry.sequence && !over => {
                self.end(user, LEFT);
                self.put_back(user, shown, until, now);
            }
            Some(_) => {}
        }
        self.answer(user, now)
    }

    /// Whether a waiting ticket's entry waits under its sequence, or is nowhere and has not ended.
    pub fn is_plain(&self, user: u64, sequence: u64) -> bool {
        let is_it = |entry: &Entry| entry.at == At::Waiting && entry.sequence == sequence;
        self.entries.get(&user).map_or(!self.done.contains_key(&sequence), is_it)
    }

    /// Restores a waiting entry if it is lost, and marks it as present.
    pub fn restore_waiting(&mut self, user: u64, sequence: u64, now: i64) {
        if !self.entries.contains_key(&user) {
            self.put_back(user, sequence, 0, now);
        }
        self.mark_present(sequence, now);
    }

    fn put_back(&mut self, user: u64, sequence: u64, until: i64, now: i64) {
        self.note("J", sequence, user, None);
        let mut entry = Entry { sequence, grace: None, at: At::Waiting };
        if until > 0 && self.active() < self.capacity {
            entry.at = At::Active { until, claim_by: None };
            self.note("A", sequence, user, Some(until));
        } else if until > 0 {
            (entry.at, entry.grace) = (At::Returned, Some(now + HOUR));
        }
        self.entries.insert(user, entry);
    }

    /// Leaves or completes: changes only the entry with this sequence.
    pub fn finish(&mut self, user: u64, sequence: u64, reason: u8) -> Answer {
        let reason = self.done.get(&sequence).copied().unwrap_or_else(|| {
            match self.entries.get(&user) {
                Some(entry) if entry.sequence == sequence => self.end(user, reason),
                _ => self.mark_ended(user, sequence, reason),
            }
            reason
        });
        ("OK", vec![u64::from(reason)])
    }
}
