//! A latency histogram that is fine enough to compute percentiles.

use std::array::from_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Buckets between one power of two of a microsecond and the next: a percentile is at most a
/// quarter too high.
const STEPS: usize = 4;
/// Number of buckets: up to about two minutes.
const BUCKETS: usize = 27 * STEPS;

/// Counts answers by their latency, with one relaxed addition per answer. It exists beside the
/// histogram for Prometheus because the process itself cannot read that one.
#[derive(Debug)]
pub(super) struct LatencyHistogram([AtomicU64; BUCKETS]);

/// The counts of a [`LatencyHistogram`] at one time, or between two times. As JSON, the pairs of a
/// bucket and its count that are not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(usize, u64)>", into = "Vec<(usize, u64)>")]
pub struct Counts([u64; BUCKETS]);

impl From<Counts> for Vec<(usize, u64)> {
    fn from(counts: Counts) -> Self {
        counts.0.into_iter().enumerate().filter(|(_, count)| *count > 0).collect()
    }
}

impl From<Vec<(usize, u64)>> for Counts {
    /// Buckets that this release does not have count as the longest.
    fn from(pairs: Vec<(usize, u64)>) -> Self {
        let mut counts = Self::default();
        for (at, count) in pairs {
            counts.0[at.min(BUCKETS - 1)] += count;
        }
        counts
    }
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self(from_fn(|_| AtomicU64::default()))
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl LatencyHistogram {
    pub(super) fn observe(&self, took: Duration) {
        self.0[bucket(took)].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> Counts {
        Counts(from_fn(|at| self.0[at].load(Ordering::Relaxed)))
    }
}

impl Counts {
    /// Adds the counts of another histogram.
    pub fn add(&mut self, more: &Self) {
        for (count, more) in self.0.iter_mut().zip(more.0) {
            *count += more;
        }
    }

    /// The counts since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self(from_fn(|at| self.0[at].saturating_sub(before.0[at])))
    }

    /// The number of answers.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The time within which `per_mille` of 1,000 answers were given, at most a quarter too high.
    /// `None` without an answer.
    #[must_use]
    pub fn percentile(&self, per_mille: u64) -> Option<Duration> {
        let rank = self.total().saturating_mul(per_mille).div_ceil(1000).max(1);
        let mut counted = 0;
        let at = self.0.iter().position(|count| {
            counted += count;
            counted >= rank
        })?;
        Some(end(at))
    }
}

/// The bucket of a duration: its power of two in microseconds, and the quarter within it.
fn bucket(took: Duration) -> usize {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(STEPS as u64);
    let power = micros.ilog2();
    let quarter = usize::try_from(micros >> (power - STEPS.ilog2())).unwrap_or(STEPS) - STEPS;
    (usize::try_from(power).unwrap_or(BUCKETS) * STEPS + quarter).min(BUCKETS - 1)
}

/// The upper end of a bucket.
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
    fn a_percentile_is_the_longest_time_of_its_share_of_answers() {
        let histogram = LatencyHistogram::default();
        assert_eq!(histogram.counts().percentile(990), None);
        for _ in 0..98 {
            histogram.observe(Duration::from_millis(1));
        }
        let before = histogram.counts();
        histogram.observe(Duration::from_millis(100));
        histogram.observe(Duration::from_millis(100));
        let all = histogram.counts();
        assert_eq!((all.total(), all.since(&before).total()), (100, 2));
        let (half, most) = (all.percentile(500).unwrap(), all.percentile(990).unwrap());
        assert!((1000..=1280).contains(&half.as_micros()), "{half:?}");
        assert!((100_000..=128_000).contains(&most.as_micros()), "{most:?}");
    }

    #[test]
    fn counts_are_the_same_after_a_way_through_json() {
        let histogram = LatencyHistogram::default();
        for micros in [3, 900, 1000, 1000, 70_000_000] {
            histogram.observe(Duration::from_micros(micros));
        }
        let counts = histogram.counts();
        let json = serde_json::to_string(&counts).unwrap();
        assert!(json.len() < 60, "only what is not 0: {json}");
        assert_eq!(serde_json::from_str::<Counts>(&json).unwrap(), counts);
        let later: Counts = serde_json::from_str("[[100000,2]]").unwrap();
        assert_eq!(later.total(), 2);
    }

    proptest! {
        #[test]
        fn a_bucket_ends_at_most_a_quarter_after_each_of_its_durations(
            micros in 4u64..100_000_000
        ) {
            let took = Duration::from_micros(micros);
            let end = end(bucket(took));
            prop_assert!(end >= took && end <= took * 5 / 4 + Duration::from_micros(1));
        }
    }
}
