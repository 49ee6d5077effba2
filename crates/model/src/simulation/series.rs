//! The course of a run, sampled.

use serde::Serialize;

/// Most samples of a series.
const MOST: usize = 2_000;

/// A sale at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Sample {
    /// Time since the opening (s).
    pub seconds: f64,
    /// People in the queue.
    pub waiting: f64,
    /// Slots in use.
    pub active: f64,
    /// Seats that wait for a payment.
    pub held: f64,
    /// Seats sold.
    pub sold: f64,
    /// Limit of admissions per second.
    pub rate: f64,
    /// 99th percentile of holds and payments (ms), with feedback admission.
    pub p99_ms: f64,
}

/// Samples at equal intervals. If there are too many, every second one is dropped, and the interval
/// doubles.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// The samples, oldest first.
    pub samples: Vec<Sample>,
    interval_ms: i64,
    next_at: i64,
}

impl Series {
    /// An empty series that begins at `at` (ms).
    pub(super) fn new(at: i64) -> Self {
        Self { samples: Vec::new(), interval_ms: 1_000, next_at: at }
    }

    /// Takes a sample, if one is due at `now` (ms).
    pub(super) fn take(&mut self, now: i64, sample: impl FnOnce() -> Sample) {
        if now < self.next_at {
            return;
        }
        self.samples.push(sample());
        if self.samples.len() >= MOST {
            let mut number = 0;
            self.samples.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.interval_ms *= 2;
        }
        self.next_at = now + self.interval_ms;
    }

    /// The last sample at or before a time (s); after the end, the last one.
    #[must_use]
    pub fn at(&self, seconds: f64) -> Sample {
        let upto = self.samples.partition_point(|sample| sample.seconds <= seconds);
        self.samples.get(upto.saturating_sub(1)).copied().unwrap_or_default()
    }
}
