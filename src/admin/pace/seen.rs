//! What the pace of a sale is found from.

use chrono::{DateTime, Utc};

use crate::admin::auto_admission::model::AutoRate;
use crate::concert::model::Phase;

/// What the reason is found from.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Seen {
    /// Time of the answer.
    pub now: DateTime<Utc>,
    /// The last reading, if Redis has not answered for seconds.
    pub redis_lost_at: Option<DateTime<Utc>>,
    /// The keys are rebuilt, or admission pauses after a loss.
    pub recovering: bool,
    /// End of that pause, if it is known.
    pub pause_until: Option<DateTime<Utc>>,
    /// The concert is available.
    pub available: bool,
    /// Phase of the sale.
    pub phase: Phase,
    /// When the sale opens.
    pub opens_at: DateTime<Utc>,
    /// When the sale closes.
    pub deadline_at: DateTime<Utc>,
    /// Number of seats, of every state.
    pub seats: u64,
    /// Seats that are neither sold nor blocked.
    pub unsold: u64,
    /// The draw has not finished.
    pub drawing: bool,
    /// Who paused admission, and since when, if it is recorded.
    pub paused: Option<(String, DateTime<Utc>)>,
    /// Limit of active slots.
    pub capacity: u64,
    /// Active slots in use.
    pub active: u64,
    /// Entries that wait, with those that have returned.
    pub waiting: u64,
    /// Admissions per second that are set.
    pub set_per_second: u64,
    /// Admissions per second over the last 30 s.
    pub measured_per_second: Option<f64>,
    /// For how long that was measured, in ms.
    pub measured_ms: i64,
    /// Joins per second over the last 30 s.
    pub joins_per_second: Option<f64>,
    /// Expected seconds until the first in the queue is admitted.
    pub next_seconds: Option<u64>,
    /// The first entry is silent, and its client was asked to poll only seconds ago.
    pub asking: bool,
    /// Seats sold per second, and over how many seconds that was measured.
    pub sold_per_second: Option<(f64, u64)>,
    /// The automatic rate, if there is one.
    pub auto: Option<AutoRate>,
}

impl Seen {
    /// The set rate as a number.
    pub(super) fn set(&self) -> f64 {
        float(self.set_per_second)
    }
}

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
impl Seen {
    /// A healthy sale: 90 of 100 slots are in use, 5000 wait, and 10 a second are admitted, as set.
    pub(super) fn of_test() -> Self {
        let now = DateTime::from_timestamp(1_796_000_000, 0).unwrap_or_default();
        Self {
            now,
            redis_lost_at: None,
            recovering: false,
            pause_until: None,
            available: true,
            phase: Phase::Open,
            opens_at: now - chrono::TimeDelta::hours(1),
            deadline_at: now + chrono::TimeDelta::hours(8),
            seats: 1000,
            unsold: 900,
            drawing: false,
            paused: None,
            capacity: 100,
            active: 90,
            waiting: 5000,
            set_per_second: 10,
            measured_per_second: Some(10.0),
            measured_ms: 5_000,
            joins_per_second: Some(2.0),
            next_seconds: Some(1),
            asking: false,
            sold_per_second: None,
            auto: None,
        }
    }
}
