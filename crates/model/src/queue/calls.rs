//! What users and their clients do: join, show a ticket, leave, complete.

use super::{Answer, At, EXPIRED, Entry, LEFT, QueueModel};

impl QueueModel {
    /// Marks `sequence` as present.
    pub fn mark_present(&mut self, sequence: u64, now: i64) {
        self.presence.turn(self.rules.presence_ms, now);
        self.presence.mark(sequence);
    }

    /// Updates a user's entry for the time that has passed, when the user calls.
    fn find(&mut self, user: u64, now: i64) -> Option<Entry> {
        let entry = self.entries.get(user)?;
        let found = match entry.at {
            At::Waiting | At::Returned => return Some(entry),
            At::Active { until, .. } if until > now => {
                Entry { at: At::Active { until, claim_by: None }, grace: None, ..entry }
            }
            At::Parked if entry.grace.is_some_and(|grace| grace > now) => {
                Entry { at: At::Returned, ..entry }
            }
            At::Active { .. } | At::Parked => {
                self.end(user, EXPIRED);
                return None;
            }
        };
        self.entries.write(user, found);
        Some(found)
    }

    /// An entry is present unless it is active.
    fn mark_found(&mut self, entry: &Entry, now: i64) {
        if !matches!(entry.at, At::Active { .. }) {
            self.mark_present(entry.sequence, now);
        }
    }

    /// The entry of a user who joins, and whether it is new; `None` if `refused` and there is none.
    pub fn enter(&mut self, user: u64, refused: bool, now: i64) -> Option<(Entry, bool)> {
        if let Some(entry) = self.find(user, now) {
            self.mark_found(&entry, now);
            return Some((entry, false));
        }
        if refused {
            return None;
        }
        self.next += 1;
        let sequence = (self.epoch << 40) + self.next;
        self.note('J', sequence, user, None);
        let is_empty = self.entries.are_none_waiting();
        let has_slot = self.entries.active_count() < self.rules.capacity;
        let tokens = self.bucket(now);
        let mut at = At::Waiting;
        if self.open && is_empty && has_slot && tokens >= 1.0 {
            self.save_tokens(tokens - 1.0, now);
            let until = self.end_of_slot(now);
            at = At::Active { until, claim_by: None };
            self.admitted += 1;
            self.note('A', sequence, user, Some(until));
        }
        let entry = Entry { sequence, grace: None, at };
        self.entries.write(user, entry);
        self.mark_found(&entry, now);
        Some((entry, true))
    }

    /// `queue/join`. `refusal` is the reply for a user without an entry, if joining is refused.
    pub fn join(&mut self, user: u64, refusal: Option<&'static str>, now: i64) -> Answer {
        match self.enter(user, refusal.is_some(), now) {
            Some((entry, is_new)) => {
                let (word, mut numbers) = self.describe(user, &entry);
                numbers.push(u64::from(is_new));
                (word, numbers)
            }
            None => (refusal.unwrap_or_default(), Vec::new()),
        }
    }

    fn describe(&self, user: u64, entry: &Entry) -> Answer {
        let word = match entry.at {
            At::Active { until, .. } => {
                return ("ACTIVE", vec![entry.sequence, until.unsigned_abs()]);
            }
            At::Waiting => "WAITING",
            At::Returned | At::Parked => "RETURNED",
        };
        (word, vec![entry.sequence, self.entries.ahead(user)])
    }

    /// The entry of a user who shows a ticket for the sequence `shown`, or why that entry ended.
    /// `until` is 0 unless the ticket was signed for an active slot.
    ///
    /// # Errors
    /// The reason of the end.
    pub fn resolve(&mut self, user: u64, shown: u64, until: i64, now: i64) -> Result<Entry, u8> {
        if let Some(reason) = self.done.get(&shown) {
            return Err(*reason);
        }
        let is_over = until > 0 && until <= now;
        // An older ticket brought the entry back as waiting: this one says that it was admitted.
        let found = match self.find(user, now) {
            Some(entry) if entry.at == At::Waiting && until > 0 && entry.sequence == shown => {
                self.entries.remove(user);
                None
            }
            Some(entry) if entry.at == At::Waiting && until > 0 && !is_over => {
                self.end(user, LEFT);
                None
            }
            found => found,
        };
        let entry = match found {
            None => {
                if is_over && !self.done.contains_key(&shown) {
                    self.mark_ended(user, shown, EXPIRED);
                }
                if let Some(reason) = self.done.get(&shown) {
                    return Err(*reason);
                }
                self.put_back(user, shown, until, now)
            }
            Some(entry) if entry.at == At::Waiting && shown < entry.sequence && !is_over => {
                self.end(user, LEFT);
                self.put_back(user, shown, until, now)
            }
            Some(entry) => entry,
        };
        self.mark_found(&entry, now);
        Ok(entry)
    }

    /// `queue/resolve_ticket`.
    pub fn ticket(&mut self, user: u64, shown: u64, until: i64, now: i64) -> Answer {
        match self.resolve(user, shown, until, now) {
            Ok(entry) => self.describe(user, &entry),
            Err(reason) => ("ENDED", vec![u64::from(reason)]),
        }
    }

    /// Whether a waiting ticket's entry waits under its sequence, or is nowhere and has not ended.
    #[must_use]
    pub fn is_plain(&self, user: u64, sequence: u64) -> bool {
        let is_it = |entry: Entry| entry.at == At::Waiting && entry.sequence == sequence;
        self.entries.get(user).map_or(!self.done.contains_key(&sequence), is_it)
    }

    /// Restores a waiting entry if it is lost, and marks it as present.
    pub fn restore_waiting(&mut self, user: u64, sequence: u64, now: i64) {
        if self.entries.get(user).is_none() {
            self.put_back(user, sequence, 0, now);
        }
        self.mark_present(sequence, now);
    }

    fn put_back(&mut self, user: u64, sequence: u64, until: i64, now: i64) -> Entry {
        self.note('J', sequence, user, None);
        let mut entry = Entry { sequence, grace: None, at: At::Waiting };
        if until > 0 && self.entries.active_count() < self.rules.capacity {
            entry.at = At::Active { until, claim_by: None };
            self.note('A', sequence, user, Some(until));
        } else if until > 0 {
            (entry.at, entry.grace) = (At::Returned, Some(now + self.rules.grace_ms));
        }
        self.entries.write(user, entry);
        entry
    }

    /// `queue/leave` and `queue/complete`: end only the entry with this sequence.
    pub fn finish(&mut self, user: u64, sequence: u64, reason: u8) -> Answer {
        if let Some(before) = self.done.get(&sequence) {
            return ("OK", vec![u64::from(*before)]);
        }
        match self.entries.get(user) {
            Some(entry) if entry.sequence == sequence => self.end(user, reason),
            _ => self.mark_ended(user, sequence, reason),
        }
        ("OK", vec![u64::from(reason)])
    }
}
