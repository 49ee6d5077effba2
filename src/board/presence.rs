//! Which waiting entries this process has heard from, and what of that Redis knows.
//!
//! A poll by somebody who waits sets one bit here, and no store is asked. Admission asks Redis who is
//! present, so the bits are merged into it every second for everybody whose turn may be near: up to
//! the notice that the board carries. Those further back are remembered until the notice has come to
//! them, or for one presence window.
//!
//! A process states to Redis up to which sequence it has merged everything it heard, as a lease.
//! While the lease holds, a poll up to that sequence is answered from memory only where Redis was
//! given the entry's bit within half a presence window; else Redis is asked, which sets the bit
//! before the poll is answered. So admission passes nobody over who was heard from.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Ages of bits are known to this part of the presence window.
const SLOTS_PER_WINDOW: u32 = 8;

/// Bits by sequence / 64.
type Bits = BTreeMap<u64, u64>;

/// Sequences by the time when they were noted, to an eighth of a presence window; the newest first,
/// each with the time it was begun.
#[derive(Debug, Default)]
struct Aged(VecDeque<(Instant, Bits)>);

/// The presence of one schedule's queue, as this process knows it.
#[derive(Debug, Default)]
pub struct Presence {
    state: Mutex<State>,
    /// Held during a merge: what one merge has taken, another must not state as merged.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Heard from, and not merged into Redis since.
    heard: Aged,
    /// Merged into Redis.
    merged: Aged,
    /// The epoch that the bits were merged under.
    epoch: u64,
    /// Everything heard up to here is merged, or about to be. Never falls under one epoch.
    upto: u64,
    /// Until when Redis counts on that.
    lease_until: Option<Instant>,
}

impl Presence {
    /// Notes that the entry with `sequence` was heard from. False where Redis has to be asked before
    /// its owner is answered: [`Presence::confirm`] follows then.
    #[must_use]
    pub fn mark(&self, sequence: u64, window: Duration, now: Instant) -> bool {
        let mut state = self.lock();
        state.heard.insert(sequence, window, now);
        if sequence > state.upto {
            return state.lease_until.is_some_and(|until| now < until);
        }
        state.lease_until.is_some_and(|until| now < until)
            && state.merged.contains(sequence, window / 2, now)
    }

    /// Notes that Redis has set the bit of `sequence` itself.
    pub fn confirm(&self, sequence: u64, window: Duration, now: Instant) {
        self.lock().merged.insert(sequence, window, now);
    }

    /// Waits until no other merge is in progress; a merge holds this to its end.
    pub async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Takes out every entry up to `upto` that was heard from within `window`, to be merged under
    /// `epoch`, and gives up to where that is everything. Under a new epoch everything that was
    /// merged before is to be merged again: Redis lost it.
    #[must_use]
    pub fn begin_merge(
        &self,
        epoch: u64,
        upto: u64,
        window: Duration,
        now: Instant,
    ) -> (u64, Vec<u64>) {
        let mut state = self.lock();
        if state.epoch != epoch {
            let lost = std::mem::take(&mut state.merged);
            state.heard.0.extend(lost.0);
            *state = State { heard: std::mem::take(&mut state.heard), epoch, ..State::default() };
        }
        state.upto = state.upto.max(upto);
        state.merged.forget(window, now);
        let upto = state.upto;
        (upto, state.heard.take(upto, window, now))
    }

    /// Takes out everybody up to `upto` who was heard from within `window`, and states nothing.
    #[must_use]
    pub fn take(&self, upto: u64, window: Duration, now: Instant) -> Vec<u64> {
        self.lock().heard.take(upto, window, now)
    }

    /// Up to which sequence everything that was heard is merged, or about to be.
    #[must_use]
    pub fn merged_up_to(&self) -> u64 {
        self.lock().upto
    }

    /// Notes that Redis has taken the bits of a merge that was begun at `begun`; polls may rest on
    /// it until `lease_until`, and from now on not at all where there is none.
    pub fn end_merge(
        &self,
        sequences: &[u64],
        window: Duration,
        begun: Instant,
        lease_until: Option<Instant>,
    ) {
        let mut state = self.lock();
        for sequence in sequences {
            state.merged.insert(*sequence, window, begun);
        }
        state.lease_until = lease_until;
    }

    /// Notes entries that were heard from and are to be merged.
    pub fn remember(&self, sequences: &[u64], window: Duration, now: Instant) {
        let mut state = self.lock();
        for sequence in sequences {
            state.heard.insert(*sequence, window, now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Aged {
    fn insert(&mut self, sequence: u64, window: Duration, now: Instant) {
        let slot = window / SLOTS_PER_WINDOW;
        if self.0.front().is_none_or(|(begun, _)| now.saturating_duration_since(*begun) >= slot) {
            self.0.push_front((now, Bits::new()));
        }
        if let Some((_, bits)) = self.0.front_mut() {
            *bits.entry(sequence >> 6).or_default() |= 1 << (sequence & 63);
        }
    }

    /// Whether `sequence` was surely noted within `age`.
    fn contains(&self, sequence: u64, age: Duration, now: Instant) -> bool {
        let young = self.0.iter().take_while(|(begun, _)| now.duration_since(*begun) < age);
        let (word, bit) = (sequence >> 6, sequence & 63);
        young.into_iter().any(|(_, bits)| bits.get(&word).is_some_and(|word| word >> bit & 1 == 1))
    }

    /// Drops what was surely noted longer than `window` ago.
    fn forget(&mut self, window: Duration, now: Instant) {
        let kept = window + window / SLOTS_PER_WINDOW;
        self.0.retain(|(begun, bits)| now.duration_since(*begun) < kept && !bits.is_empty());
    }

    /// Takes out what is at most `upto` and not older than `window`, in ascending order.
    fn take(&mut self, upto: u64, window: Duration, now: Instant) -> Vec<u64> {
        self.forget(window, now);
        let mut words = Bits::new();
        for (_, bits) in &mut self.0 {
            while let Some(mut entry) = bits.first_entry()
                && *entry.key() <= upto >> 6
            {
                let (word, base) = (*entry.key(), entry.key() << 6);
                let due = if base + 63 <= upto { !0 } else { (2 << (upto & 63)) - 1 };
                let found = *entry.get() & due;
                if found == 0 {
                    break;
                }
                *words.entry(word).or_default() |= found;
                *entry.get_mut() &= !due;
                if *entry.get() == 0 {
                    entry.remove();
                }
            }
        }
        let of = |(word, bits): (u64, u64)| {
            (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| (word << 6) + bit)
        };
        words.into_iter().flat_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(90);
    const NOTHING: [u64; 0] = [];

    fn later(now: Instant, seconds: u64) -> Instant {
        now + Duration::from_secs(seconds)
    }

    #[test]
    fn entries_up_to_the_bound_are_taken_once_and_the_rest_stays() {
        let (presence, now) = (Presence::default(), Instant::now());
        for sequence in [700, 5, 63, 64, 130, 5] {
            let _ = presence.mark(sequence, WINDOW, now);
        }
        assert_eq!(presence.begin_merge(1, 130, WINDOW, now), (130, vec![5, 63, 64, 130]));
        assert_eq!(presence.begin_merge(1, 130, WINDOW, now), (130, vec![]));
        assert_eq!(presence.begin_merge(1, 1000, WINDOW, now), (1000, vec![700]));
    }

    #[test]
    fn a_bound_within_a_word_splits_it() {
        let (presence, now) = (Presence::default(), Instant::now());
        let _ = presence.mark(64, WINDOW, now);
        let _ = presence.mark(127, WINDOW, now);
        assert_eq!(presence.take(64, WINDOW, now), [64]);
        assert_eq!(presence.take(126, WINDOW, now), NOTHING);
        assert_eq!(presence.take(127, WINDOW, now), [127]);
    }

    #[test]
    fn an_entry_that_was_silent_for_the_window_is_not_merged() {
        let (presence, now) = (Presence::default(), Instant::now());
        let _ = presence.mark(1, WINDOW, now);
        assert_eq!(presence.take(9, WINDOW, later(now, 102)), NOTHING);
    }

    #[test]
    fn polls_rest_on_memory_only_while_redis_counts_on_this_process() {
        let (presence, now) = (Presence::default(), Instant::now());
        assert!(!presence.mark(500, WINDOW, now), "nothing was stated to Redis yet");
        let (upto, taken) = presence.begin_merge(1, 100, WINDOW, now);
        presence.end_merge(&taken, WINDOW, now, Some(later(now, 2)));
        assert_eq!((upto, taken), (100, vec![]));
        assert!(presence.mark(500, WINDOW, now), "beyond what was stated");
        assert!(!presence.mark(50, WINDOW, now), "Redis must hear of it before its owner does");
        presence.confirm(50, WINDOW, now);
        assert!(presence.mark(50, WINDOW, later(now, 1)));
        assert!(!presence.mark(50, WINDOW, later(now, 3)), "the lease is over");
        assert!(!presence.mark(500, WINDOW, later(now, 3)));
    }

    #[test]
    fn what_was_merged_half_a_window_ago_is_stated_again_before_an_answer() {
        let (presence, now) = (Presence::default(), Instant::now());
        let _ = presence.mark(50, WINDOW, now);
        let (_, taken) = presence.begin_merge(1, 100, WINDOW, now);
        presence.end_merge(&taken, WINDOW, now, Some(later(now, 1000)));
        assert!(presence.mark(50, WINDOW, later(now, 40)));
        assert!(!presence.mark(50, WINDOW, later(now, 46)));
    }

    #[test]
    fn a_bound_does_not_fall_and_a_merge_that_failed_is_made_again() {
        let (presence, now) = (Presence::default(), Instant::now());
        let _ = presence.mark(50, WINDOW, now);
        assert_eq!(presence.begin_merge(1, 100, WINDOW, now), (100, vec![50]));
        presence.remember(&[50], WINDOW, now);
        assert_eq!(presence.begin_merge(1, 7, WINDOW, now), (100, vec![50]));
    }

    #[test]
    fn under_a_new_epoch_everything_is_merged_again() {
        let (presence, now) = (Presence::default(), Instant::now());
        let _ = presence.mark(50, WINDOW, now);
        let (_, taken) = presence.begin_merge(1, 100, WINDOW, now);
        presence.end_merge(&taken, WINDOW, now, Some(later(now, 1000)));
        assert_eq!(presence.begin_merge(2, 60, WINDOW, now), (60, vec![50]));
        assert!(!presence.mark(70, WINDOW, now), "the lease was of the old epoch");
    }
}
