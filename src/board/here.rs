//! Whom this process has heard from lately.
//!
//! A poll by somebody who waits writes one bit here. Admission asks Redis who is present, so the
//! bits of those near the front are merged into it several times per presence window; those further
//! back are remembered until the line has come to them, or for one window.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How finely the age of a bit is known.
const SLOT: Duration = Duration::from_secs(10);

/// Bits by sequence / 64.
type Bits = BTreeMap<u64, u64>;

/// Sequences heard from, by age.
#[derive(Debug, Default)]
pub struct Here {
    /// The newest first, each with the time it was begun.
    slots: Mutex<VecDeque<(Instant, Bits)>>,
}

impl Here {
    /// Notes that whoever has `sequence` was heard from now.
    pub fn mark(&self, sequence: u64, now: Instant) {
        let mut slots = self.lock();
        if slots.front().is_none_or(|(begun, _)| now.duration_since(*begun) >= SLOT) {
            slots.push_front((now, Bits::new()));
        }
        if let Some((_, bits)) = slots.front_mut() {
            *bits.entry(sequence >> 6).or_default() |= 1 << (sequence & 63);
        }
    }

    /// Takes out everybody up to and including `horizon` who was heard from within `window`, at
    /// most `limit` of them, lowest first within a slot; forgets what is older.
    pub fn take(&self, horizon: u64, window: Duration, limit: usize, now: Instant) -> Vec<u64> {
        let mut slots = self.lock();
        slots
            .retain(|(begun, bits)| now.duration_since(*begun) < window + SLOT && !bits.is_empty());
        let mut taken = Vec::new();
        for (_, bits) in slots.iter_mut() {
            while taken.len() < limit
                && let Some(mut entry) = bits.first_entry()
                && *entry.key() <= horizon >> 6
            {
                let base = entry.key() << 6;
                let due = if base + 63 <= horizon { !0 } else { (2 << (horizon & 63)) - 1 };
                let found = *entry.get() & due;
                if found == 0 {
                    break;
                }
                taken.extend((0..64).filter(|bit| found >> bit & 1 == 1).map(|bit| base + bit));
                *entry.get_mut() &= !due;
                if *entry.get() == 0 {
                    entry.remove();
                }
            }
        }
        taken
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Instant, Bits)>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(90);

    #[test]
    fn those_up_to_the_horizon_are_taken_once_and_the_rest_stays() {
        let (here, now) = (Here::default(), Instant::now());
        for sequence in [5, 63, 64, 130, 700] {
            here.mark(sequence, now);
        }
        assert_eq!(here.take(130, WINDOW, 100, now), [5, 63, 64, 130]);
        assert_eq!(here.take(130, WINDOW, 100, now), [0u64; 0]);
        assert_eq!(here.take(1000, WINDOW, 100, now), [700]);
    }

    #[test]
    fn a_horizon_within_a_word_splits_it() {
        let (here, now) = (Here::default(), Instant::now());
        here.mark(64, now);
        here.mark(127, now);
        assert_eq!(here.take(64, WINDOW, 100, now), [64]);
        assert_eq!(here.take(126, WINDOW, 100, now), [0u64; 0]);
        assert_eq!(here.take(127, WINDOW, 100, now), [127]);
    }

    #[test]
    fn whoever_was_silent_for_the_window_is_forgotten() {
        let (here, now) = (Here::default(), Instant::now());
        here.mark(1, now);
        assert_eq!(here.take(9, WINDOW, 100, now + WINDOW + SLOT), [0u64; 0]);
    }
}
