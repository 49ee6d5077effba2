//! How long a client still has to wait.

use super::rate::Rates;

/// Expected seconds until the entry with `ahead` others before it is admitted, at the measured
/// rate; `None` while no rate is known.
#[must_use]
pub fn wait_estimate(rates: &Rates, ahead: u64) -> Option<WaitEstimate> {
    let rate = rates.admit?;
    let (slow, fast) = rates.admit_range.unwrap_or((rate, rate));
    let seconds = |rate: f64| whole((as_float(ahead) + 1.0) / rate.max(0.001));
    let (seconds, low, high) = (seconds(rate), seconds(fast), seconds(slow));
    Some(WaitEstimate { seconds, low: low.min(seconds), high: high.max(seconds) })
}

/// An expected wait and its range, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitEstimate {
    /// At the average rate of the last half minute.
    pub seconds: u64,
    /// At the fastest rate of its thirds.
    pub low: u64,
    /// At the slowest rate of its thirds.
    pub high: u64,
}

#[expect(clippy::cast_precision_loss, reason = "a number of entries is far below 2^52")]
fn as_float(entries: u64) -> f64 {
    entries as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds are positive, and `as` saturates"
)]
fn whole(seconds: f64) -> u64 {
    seconds.ceil() as u64
}
