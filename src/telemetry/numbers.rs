//! The numbers of metrics: their types, and the bounds of latency buckets.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::gauge::Gauge;

/// Upper bounds of the latency buckets, in seconds: from half a millisecond to the request timeout.
pub(super) const LATENCY_BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// A gauge in seconds.
pub(super) type Seconds = Gauge<f64, AtomicU64>;

/// The value of a gauge.
pub(super) fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
