//! The model's round of admission, and the state that it expects in Redis.

use super::dump::QueueState;
use super::queue_model::{Answer, At, EXPIRED, Entry, OVER, QueueModel};
use super::stage::HOUR;

/// How long clients must have been asked to poll before their silence counts.
const NOTICE_MS: i64 = 10_000;

impl QueueModel {
    fn pass_over(&mut self, user: u64, now: i64) {
        let entry = self.entries.get_mut(&user).expect("an entry");
        let grace = entry.grace.unwrap_or(now + HOUR);
        (entry.at, entry.grace) = (At::Parked, Some(grace));
        if grace <= now {
            self.end(user, EXPIRED);
        } else {
            let sequence = self.entries[&user].sequence;
            self.note("P", sequence, user, None);
        }
    }

    /// Users whose `time` has passed, the earliest first.
    fn overdue(&self, now: i64, time: impl Fn(&Entry) -> Option<i64>) -> Vec<u64> {
        let all = self.entries.iter().filter_map(|(user, entry)| Some((time(entry)?, *user)));
        let mut all: Vec<(i64, u64)> = all.filter(|(time, _)| *time <= now).collect();
        all.sort_unstable();
        all.into_iter().map(|(_, user)| user).collect()
    }

    fn is_present(&self, sequence: u64) -> bool {
        self.present.iter().any(|marked| marked.contains(&Self::present_bit(sequence)))
    }

    /// Extends the notice if that is due; returns the last sequence whose silence counts.
    fn extend_notice(&mut self, now: i64) -> u64 {
        if now - self.notice_at >= NOTICE_MS {
            let last = self.in_order(At::Waiting).last().map_or(0, |(sequence, _)| *sequence);
            self.noticed = self.notice;
            self.notice = self.notice.max(last);
            self.notice_at = now;
        }
        self.mergers.retain(|_, upto| upto.is_some());
        self.mergers.values().flatten().copied().min().unwrap_or(u64::MAX).min(self.noticed)
    }

    pub fn admit(&mut self, now: i64) -> Answer {
        self.turn_ring(now);
        let expired_before = self.expired;
        let unseen = self.overdue(now, |entry| match entry.at {
            At::Active { claim_by, .. } => claim_by,
            _ => None,
        });
        let passed_over = unseen.len() as u64;
        for user in unseen {
            self.pass_over(user, now);
        }
        let over = self.overdue(now, |entry| match entry.at {
            At::Active { until, .. } => Some(until),
            _ => None,
        });
        for user in over {
            self.end(user, EXPIRED);
        }
        let grace_over = self.overdue(now, |entry| entry.grace.filter(|_| entry.at == At::Parked));
        for user in grace_over {
            self.end(user, EXPIRED);
        }

        let tokens = self.bucket(now);
        let counts_up_to = self.extend_notice(now);
        let (mut admitted, mut parked) = (0u32, passed_over);
        for at in [At::Returned, At::Waiting] {
            for (sequence, user) in self.in_order(at) {
                let room = self.open && self.active() < self.capacity;
                if !room || f64::from(admitted) + 1.0 > tokens {
                    break;
                }
                let present = self.is_present(sequence);
                if !present && sequence > counts_up_to {
                    break;
                }
                if present {
                    let entry = self.entries.get_mut(&user).expect("an entry");
                    entry.at = At::Active { until: now + HOUR, claim_by: Some(now + HOUR) };
                    self.note("A", sequence, user, Some(now + HOUR));
                    admitted += 1;
                } else {
                    self.pass_over(user, now);
                    parked += 1;
                }
            }
        }
        self.spend(tokens - f64::from(admitted), now);
        self.admitted += u64::from(admitted);
        let waiting = self.in_order(At::Waiting).len() as u64;
        let expired = self.expired - expired_before;
        ("OK", vec![u64::from(admitted), parked, expired, waiting, self.active() as u64])
    }

    /// The state that Redis must have.
    pub fn state(&self) -> QueueState {
        let mut state = QueueState {
            waiting: self.in_order(At::Waiting),
            returned: self.in_order(At::Returned),
            done: self.done.clone(),
            present: self.present.clone(),
            ring: (self.slot, self.since),
            notices: (self.notice, self.noticed),
            counted: (self.next, self.admitted, self.expired),
            tokens: (format!("{:.6}", self.tokens), self.tokens_at),
            log: self.log.clone(),
            ..QueueState::default()
        };
        let merged = self.mergers.iter();
        state.mergers =
            merged.map(|(process, upto)| (process.clone(), upto.unwrap_or(OVER))).collect();
        state.bits = state.waiting.iter().map(|(sequence, _)| *sequence).collect();
        for (user, entry) in &self.entries {
            if let At::Active { until, claim_by } = entry.at {
                state.active.insert(*user, until);
                state.called.extend(claim_by.map(|by| (*user, by)));
            }
            state.parked.extend(entry.grace.filter(|_| entry.at == At::Parked).map(|g| (*user, g)));
            if entry.at != At::Waiting {
                let grace = entry.grace.map_or_else(String::new, |grace| format!(" {grace}"));
                state.place.insert(*user, format!("{}{grace}", entry.sequence));
            }
        }
        state
    }
}
