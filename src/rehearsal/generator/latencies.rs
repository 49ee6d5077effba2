//! Latencies in buckets that grow by a twentieth: percentiles are exact to 5 %.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Buckets: from 50 µs to more than a minute.
const BUCKETS: usize = 300;
/// Upper end of the first bucket, in ms.
const FIRST_MS: f64 = 0.05;
/// Each bucket ends at this multiple of the one before.
const GROWTH: f64 = 1.05;

/// Counts latencies.
#[derive(Debug)]
pub struct Latencies {
    buckets: Vec<AtomicU64>,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect() }
    }
}

/// Upper ends of the buckets, in ms.
fn ends() -> impl Iterator<Item = f64> {
    std::iter::successors(Some(FIRST_MS), |end| Some(end * GROWTH))
}

impl Latencies {
    /// Counts one latency.
    pub fn add(&self, latency: Duration) {
        let ms = latency.as_secs_f64() * 1e3;
        let bucket = ends().take(BUCKETS - 1).position(|end| ms <= end).unwrap_or(BUCKETS - 1);
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The number of latencies.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }

    /// The latency in ms that `percent` of 100 do not exceed; 0 without any.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> f64 {
        percentile(&[self], percent)
    }
}

/// As [`Latencies::percentile`], of several together.
#[must_use]
pub fn percentile(all: &[&Latencies], percent: u64) -> f64 {
    let total: u64 = all.iter().map(|one| one.count()).sum();
    let rank = (total * percent).div_ceil(100);
    let mut below = 0;
    for (bucket, end) in (0..BUCKETS).zip(ends()) {
        let counts = all.iter().filter_map(|one| one.buckets.get(bucket));
        below += counts.map(|count| count.load(Ordering::Relaxed)).sum::<u64>();
        if below >= rank && rank > 0 {
            return end;
        }
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_exact_to_a_twentieth() {
        let latencies = Latencies::default();
        assert!(latencies.percentile(99).abs() < f64::EPSILON, "none");
        for ms in 1..=1000 {
            latencies.add(Duration::from_millis(ms));
        }
        for (percent, expected) in [(50, 500.0), (99, 990.0), (100, 1000.0)] {
            let found = latencies.percentile(percent);
            assert!((expected..expected * 1.06).contains(&found), "{percent}: {found}");
        }
        let slow = Latencies::default();
        slow.add(Duration::from_hours(1));
        assert!(slow.percentile(99) > 60_000.0);
        assert_eq!((slow.count(), latencies.count()), (1, 1000));
        assert!(percentile(&[&slow, &latencies], 50) < 600.0);
    }
}
