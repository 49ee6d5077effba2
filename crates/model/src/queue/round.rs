//! A round of admission.

use super::{Answer, At, BATCH, EXPIRED, Entry, QueueModel};
use crate::number;

/// Longest time between two notices (ms).
const NOTICE_MS: i64 = 10_000;

/// What a round did so far.
#[derive(Debug, Default)]
struct Round {
    /// Entries that the round may admit.
    room: usize,
    admitted: usize,
    parked: usize,
    /// A bound was reached: another round must follow at once.
    is_full: bool,
}

impl QueueModel {
    /// Sets a new notice if that is due; returns the last sequence whose silence counts.
    fn extend_notice(&mut self, now: i64) -> u64 {
        if now - self.notice_at >= NOTICE_MS.min(self.rules.presence_ms / 4) {
            let reach = if self.notice_short { self.reach * 4 } else { self.reach / 2 };
            let minute = number::floor(self.rules.rate * 60.0);
            self.reach = reach.max(self.rules.min_reach).max(minute);
            let waiting = self.entries.waiting();
            let rank = usize::try_from(self.reach).unwrap_or(usize::MAX).saturating_sub(1);
            let covered = if rank < waiting.len() { waiting.iter().nth(rank) } else { None };
            let last = covered.or_else(|| waiting.last()).map_or(0, |(sequence, _)| *sequence);
            self.noticed = self.notice;
            self.notice = self.notice.max(last);
            self.notice_at = now;
            self.notice_short = false;
        }
        self.mergers.retain(|_, upto| upto.is_some());
        self.mergers.values().flatten().copied().min().unwrap_or(u64::MAX).min(self.noticed)
    }

    /// Passes over and ends the entries that are overdue.
    fn end_overdue(&mut self, now: i64, round: &mut Round) -> usize {
        // Admitted and not seen first: after a stall both are overdue, and such an entry is passed
        // over.
        let unseen = self.entries.unseen(now, BATCH);
        round.is_full |= unseen.len() == BATCH;
        for user in &unseen {
            self.pass_over(*user, now);
        }
        for find in [super::Entries::over, super::Entries::grace_over] {
            let users = find(&self.entries, now, BATCH);
            round.is_full |= users.len() == BATCH;
            for user in users {
                self.end(user, EXPIRED);
            }
        }
        unseen.len()
    }

    /// Admits from the head of one order, and passes over the silent.
    fn walk(&mut self, at: At, counts_up_to: u64, now: i64, round: &mut Round) {
        let order =
            if at == At::Returned { self.entries.returned() } else { self.entries.waiting() };
        let most = round.room.saturating_sub(round.admitted) + BATCH;
        let head: Vec<(u64, u64)> = order.iter().take(most).copied().collect();
        for (sequence, user) in head {
            if round.admitted >= round.room || round.parked >= BATCH {
                return;
            }
            let is_present = self.presence.has(sequence);
            if !is_present && sequence > counts_up_to {
                self.notice_short |= sequence > self.noticed;
                return;
            }
            if is_present {
                let until = self.end_of_slot(now);
                let claim_by = Some(now + self.rules.claim_ms);
                let grace = self.entries.get(user).and_then(|entry| entry.grace);
                self.entries
                    .write(user, Entry { sequence, grace, at: At::Active { until, claim_by } });
                self.note('A', sequence, user, Some(until));
                round.admitted += 1;
            } else {
                self.pass_over(user, now);
                round.parked += 1;
            }
        }
    }

    /// `queue/admit`: ends what is overdue, then admits as capacity, rate and presence allow. The
    /// word is `MORE` if a bound was reached. The numbers: admitted, passed over, ended by time,
    /// waiting, active.
    pub fn admit(&mut self, now: i64) -> Answer {
        self.presence.turn(self.rules.presence_ms, now);
        let expired_before = self.expired;
        let mut round = Round::default();
        let unseen = self.end_overdue(now, &mut round);
        let tokens = self.bucket(now);
        let free = self.rules.capacity.saturating_sub(self.entries.active_count());
        if self.open {
            let tokens = usize::try_from(number::floor(tokens)).unwrap_or(usize::MAX);
            round.room = free.min(tokens).min(BATCH);
        }
        let counts_up_to = self.extend_notice(now);
        if round.room > 0 {
            self.walk(At::Returned, counts_up_to, now, &mut round);
            self.walk(At::Waiting, counts_up_to, now, &mut round);
        }
        self.save_tokens(tokens - number::float(round.admitted as u64), now);
        self.admitted += round.admitted as u64;
        let is_full = round.is_full || round.parked >= BATCH || round.admitted >= BATCH;
        let numbers = [
            round.admitted as u64,
            (round.parked + unseen) as u64,
            self.expired - expired_before,
            self.entries.waiting().len() as u64,
            self.entries.active_count() as u64,
        ];
        (if is_full { "MORE" } else { "OK" }, numbers.to_vec())
    }
}
