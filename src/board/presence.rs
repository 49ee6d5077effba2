//! Which waiting entries polled at this process, and which of these marks Redis has.
//!
//! A poll of a waiting entry sets one bit here and reads no store. Admission reads presence from
//! Redis. So the bits of entries whose turn may be near are merged into Redis every second: up to
//! the notice that the board carries. The bits of later entries stay here until the notice reaches
//! them, or for one presence window.
//!
//! Each process has a lease in Redis with a sequence: up to it, the process has merged every entry
//! that polled there. While the lease holds, a poll up to that sequence is answered from memory
//! only if Redis got the entry's bit within half a presence window. Otherwise Redis is called
//! first, and sets the bit before the poll is answered. So admission passes over no entry that
//! polls.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The age of a bit is known to this fraction of the presence window.
const SLOTS_PER_WINDOW: u32 = 8;

/// Words of 64 bits, by sequence / 64.
type Bits = BTreeMap<u64, u64>;

/// Sequences grouped by the time when they were noted. A group covers an eighth of a presence
/// window; the newest is first, each with its start.
#[derive(Debug, Default)]
struct Aged(VecDeque<(Instant, Bits)>);

/// The presence of one schedule's waiting entries, as far as they polled at this process.
#[derive(Debug, Default)]
pub struct Presence {
    state: Mutex<State>,
    /// Held during a merge. Without it, one merge could report entries as merged that another merge
    /// has taken and not yet sent.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Entries that polled and were not merged into Redis since.
    unmerged: Aged,
    /// Entries that were merged into Redis.
    merged: Aged,
    /// The epoch under which the bits were merged.
    epoch: u64,
    /// Every entry up to this sequence that polled at this process is merged, or is part of the
    /// current merge. Never falls within one epoch.
    upto: u64,
    /// Until when this process relies on its lease.
    lease_until: Option<Instant>,
}

impl Presence {
    /// Marks the entry with `sequence` as present. Returns false if Redis must be called before the
    /// poll is answered; the caller then calls [`Presence::confirm`].
    #[must_use]
    pub fn mark(&self, sequence: u64, window: Duration, now: Instant) -> bool {
        let mut state = self.lock();
        state.unmerged.insert(sequence, window, now);
        if sequence > state.upto {
            return state.lease_until.is_some_and(|until| now < until);
        }
        state.lease_until.is_some_and(|until| now < until)
            && state.merged.contains(sequence, window / 2, now)
    }

    /// Notes that Redis has set the bit of `sequence`.
    pub fn confirm(&self, sequence: u64, window: Duration, now: Instant) {
        self.lock().merged.insert(sequence, window, now);
    }

    /// Waits until no other merge is in progress. A merge holds the guard until it ends.
    pub async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Takes out every entry up to `upto` that polled within `window`, to merge it under `epoch`.
    /// Also returns the sequence up to which the merge is complete: never lower than before. Under
    /// a new epoch all merged entries are merged again, because Redis lost their bits.
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
            state.unmerged.0.extend(lost.0);
            *state =
                State { unmerged: std::mem::take(&mut state.unmerged), epoch, ..State::default() };
        }
        state.upto = state.upto.max(upto);
        state.merged.drop_old(window, now);
        let upto = state.upto;
        (upto, state.unmerged.take(upto, window, now))
    }

    /// Takes out every entry up to `upto` that polled within `window`, without a merge up to there.
    #[must_use]
    pub fn take(&self, upto: u64, window: Duration, now: Instant) -> Vec<u64> {
        self.lock().unmerged.take(upto, window, now)
    }

    /// The sequence up to which every entry that polled is merged, or is part of the current merge.
    #[must_use]
    pub fn merged_up_to(&self) -> u64 {
        self.lock().upto
    }

    /// Notes that Redis has the bits of a merge that began at `begun`. Polls may be answered from
    /// memory until `lease_until`; with `None`, no longer.
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

    /// Answers no more polls from memory. Returns true if this process may have a lease in Redis: a
    /// merge with the duration zero then gives it back.
    #[must_use]
    pub fn stop_answering(&self, now: Instant) -> bool {
        let mut state = self.lock();
        state.lease_until = state.lease_until.map(|until| until.min(now));
        state.lease_until.is_some()
    }

    /// Notes entries that polled and must still be merged.
    pub fn remember(&self, sequences: &[u64], window: Duration, now: Instant) {
        let mut state = self.lock();
        for sequence in sequences {
            state.unmerged.insert(*sequence, window, now);
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

    /// Whether `sequence` was noted within `age`. Only groups that began within `age` count.
    fn contains(&self, sequence: u64, age: Duration, now: Instant) -> bool {
        let recent = self.0.iter().take_while(|(begun, _)| now.duration_since(*begun) < age);
        let (word, bit) = (sequence >> 6, sequence & 63);
        recent.into_iter().any(|(_, bits)| bits.get(&word).is_some_and(|word| word >> bit & 1 == 1))
    }

    /// Drops the groups in which every sequence was noted more than `window` ago.
    fn drop_old(&mut self, window: Duration, now: Instant) {
        let max_age = window + window / SLOTS_PER_WINDOW;
        self.0.retain(|(begun, bits)| now.duration_since(*begun) < max_age && !bits.is_empty());
    }

    /// Takes out the sequences up to `upto` that are not older than `window`, in ascending order.
    fn take(&mut self, upto: u64, window: Duration, now: Instant) -> Vec<u64> {
        self.drop_old(window, now);
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
        let sequences = |(word, bits): (u64, u64)| {
            (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| (word << 6) + bit)
        };
        words.into_iter().flat_map(sequences).collect()
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
    fn an_entry_that_was_silent_for_the_presence_window_is_not_merged() {
        let (presence, now) = (Presence::default(), Instant::now());
        let _ = presence.mark(1, WINDOW, now);
        assert_eq!(presence.take(9, WINDOW, later(now, 102)), NOTHING);
    }

    #[test]
    fn polls_are_answered_from_memory_only_while_the_lease_holds() {
        let (presence, now) = (Presence::default(), Instant::now());
        assert!(!presence.mark(500, WINDOW, now), "there was no lease yet");
        let (upto, taken) = presence.begin_merge(1, 100, WINDOW, now);
        presence.end_merge(&taken, WINDOW, now, Some(later(now, 2)));
        assert_eq!((upto, taken), (100, vec![]));
        assert!(presence.mark(500, WINDOW, now), "beyond the lease");
        assert!(!presence.mark(50, WINDOW, now), "Redis must have the bit before the answer");
        presence.confirm(50, WINDOW, now);
        assert!(presence.mark(50, WINDOW, later(now, 1)));
        assert!(!presence.mark(50, WINDOW, later(now, 3)), "the lease is over");
        assert!(!presence.mark(500, WINDOW, later(now, 3)));
    }

    #[test]
    fn polls_are_not_answered_from_memory_once_the_lease_is_to_be_given_back() {
        let (presence, now) = (Presence::default(), Instant::now());
        assert!(!presence.stop_answering(now), "there was no lease yet");
        let (_, taken) = presence.begin_merge(1, 100, WINDOW, now);
        presence.end_merge(&taken, WINDOW, now, Some(later(now, 2)));
        assert!(presence.mark(500, WINDOW, now));
        assert!(presence.stop_answering(now));
        assert!(!presence.mark(500, WINDOW, now));
        assert!(presence.stop_answering(now), "not given back yet");
        presence.end_merge(&[], WINDOW, now, None);
        assert!(!presence.stop_answering(now));
    }

    #[test]
    fn a_bit_that_was_merged_half_a_window_ago_is_set_again_before_an_answer() {
        let (presence, now) = (Presence::default(), Instant::now());
        let _ = presence.mark(50, WINDOW, now);
        let (_, taken) = presence.begin_merge(1, 100, WINDOW, now);
        presence.end_merge(&taken, WINDOW, now, Some(later(now, 1000)));
        assert!(presence.mark(50, WINDOW, later(now, 40)));
        assert!(!presence.mark(50, WINDOW, later(now, 46)));
    }

    #[test]
    fn the_bound_does_not_fall_and_a_failed_merge_is_repeated() {
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
