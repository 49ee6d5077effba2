//! How long answers took, counted finely enough for a percentile.

use std::array::from_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Steps between one power of two of a microsecond and the next: a percentile is right to a quarter.
const STEPS: usize = 4;
/// Up to about two minutes.
const BUCKETS: usize = 27 * STEPS;

/// Counts of answers by how long they took. One relaxed addition each, beside a histogram that
/// Prometheus reads and nobody else can.
#[derive(Debug)]
pub(super) struct Spread([AtomicU64; BUCKETS]);

/// What a [`Spread`] had counted at one moment, or between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts([u64; BUCKETS]);

impl Default for Spread {
    fn default() -> Self {
        Self(from_fn(|_| AtomicU64::default()))
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl Spread {
    pub(super) fn observe(&self, took: Duration) {
        self.0[bucket(took)].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> Counts {
        Counts(from_fn(|at| self.0[at].load(Ordering::Relaxed)))
    }
}

impl Counts {
    /// These and those.
    pub fn add(&mut self, more: &Self) {
        for (count, more) in self.0.iter_mut().zip(more.0) {
            *count += more;
        }
    }

    /// What was counted since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self(from_fn(|at| self.0[at].saturating_sub(before.0[at])))
    }

    /// How many answers.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The time within which `per_mille` of a thousand answers were given, to a quarter; nothing
    /// where there was none.
    #[must_use]
    pub fn percentile(&self, per_mille: u64) -> Option<Duration> {
        let wanted = self.total().saturating_mul(per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        let at = self.0.iter().position(|count| {
            seen += count;
            seen >= wanted
        })?;
        Some(end(at))
    }
}

/// The bucket of a duration: its power of two, and the quarter within it.
fn bucket(took: Duration) -> usize {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(STEPS as u64);
    let power = micros.ilog2();
    let quarter = usize::try_from(micros >> (power - STEPS.ilog2())).unwrap_or(STEPS) - STEPS;
    (usize::try_from(power).unwrap_or(BUCKETS) * STEPS + quarter).min(BUCKETS - 1)
}

/// Where a bucket ends.
fn end(at: usize) -> Duration {
    let (power, quarter) = (at / STEPS, at % STEPS);
    let steps = u64::try_from(STEPS + quarter + 1).unwrap_or(u64::MAX);
    Duration::from_micros((steps << power) / STEPS as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_percentile_is_the_time_that_so_many_took_at_most() {
        let spread = Spread::default();
        assert_eq!(spread.counts().percentile(990), None);
        for _ in 0..98 {
            spread.observe(Duration::from_millis(1));
        }
        let before = spread.counts();
        spread.observe(Duration::from_millis(100));
        spread.observe(Duration::from_millis(100));
        let all = spread.counts();
        assert_eq!((all.total(), all.since(&before).total()), (100, 2));
        let (half, most) = (all.percentile(500).unwrap(), all.percentile(990).unwrap());
        assert!((1000..=1280).contains(&half.as_micros()), "{half:?}");
        assert!((100_000..=128_000).contains(&most.as_micros()), "{most:?}");
    }

    proptest! {
        #[test]
        fn a_bucket_ends_after_what_is_in_it_and_at_most_a_quarter_later(
            micros in 4u64..100_000_000
        ) {
            let took = Duration::from_micros(micros);
            let end = end(bucket(took));
            prop_assert!(end >= took && end <= took * 5 / 4 + Duration::from_micros(1));
        }
    }
}
