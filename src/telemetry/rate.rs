//! Computes rates from counters.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Minimum time over which a rate is measured.
const SPAN: Duration = Duration::from_secs(1);

/// The rate of a counter, measured when a caller asks for it.
#[derive(Debug)]
pub struct CounterRate {
    count: Arc<AtomicU64>,
    last: Mutex<Measurement>,
}

#[derive(Debug)]
struct Measurement {
    at: Instant,
    count: u64,
    rate: Option<f64>,
}

impl CounterRate {
    /// Measures the rate of `count`, which must never fall.
    #[must_use]
    pub fn new(count: Arc<AtomicU64>) -> Self {
        let last =
            Measurement { at: Instant::now(), count: count.load(Ordering::Relaxed), rate: None };
        Self { count, last: Mutex::new(last) }
    }

    /// The rate per second, measured between the last two calls that were at least 1 s apart.
    /// `None` before the first measurement.
    pub fn per_second(&self, now: Instant) -> Option<f64> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let span = now.saturating_duration_since(last.at);
        if span >= SPAN {
            let count = self.count.load(Ordering::Relaxed);
            let increase = u32::try_from(count.saturating_sub(last.count)).unwrap_or(u32::MAX);
            let rate = Some(f64::from(increase) / span.as_secs_f64());
            *last = Measurement { at: now, count, rate };
        }
        last.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_measured_after_one_second() {
        let count = Arc::new(AtomicU64::new(7));
        let (rate, begun) = (CounterRate::new(Arc::clone(&count)), Instant::now());
        assert_eq!(rate.per_second(begun), None);
        count.store(1007, Ordering::Relaxed);
        let measured = rate.per_second(begun + Duration::from_secs(2)).unwrap();
        assert!((499.0..=501.0).contains(&measured), "{measured}");
        assert_eq!(rate.per_second(begun + Duration::from_millis(2500)), Some(measured));
    }
}
