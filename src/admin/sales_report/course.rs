//! The course of a sale in intervals of ten seconds. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::model::Part;
use super::prediction::MeasuredArrivals;

/// Length of an interval, in seconds.
const TEN: i64 = 10;

/// What happened in one interval.
#[derive(Debug, Clone, Copy, Default)]
#[expect(missing_docs, reason = "the counts are those of `Part`")]
pub struct Counts {
    pub joined: i64,
    pub admitted: i64,
    pub sold: i64,
    pub paid: i64,
    pub refunded: i64,
    pub rejections: i64,
}

/// What happened in each interval of ten seconds.
#[derive(Debug, Default)]
pub struct Course(BTreeMap<DateTime<Utc>, Counts>);

impl Course {
    /// The counts of the interval that begins at `at`.
    pub fn at(&mut self, at: DateTime<Utc>) -> &mut Counts {
        self.0.entry(at).or_default()
    }

    /// How many joined in each interval.
    #[must_use]
    pub fn joins(&self) -> BTreeMap<DateTime<Utc>, i64> {
        self.0.iter().map(|(at, counts)| (*at, counts.joined)).collect()
    }

    /// When people came: of `joined` entries `early` before the opening, the first at `first`.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of entries, far below 2^52")]
    pub fn arrivals(
        &self,
        opening: DateTime<Utc>,
        first: DateTime<Utc>,
        early: i64,
        joined: i64,
    ) -> MeasuredArrivals {
        let late = joined - early;
        // 19 of 20.
        let most = late - late / 20;
        let (mut seen, mut late_seconds) = (-early, 0.0);
        for (at, counts) in self.0.iter().filter(|(_, counts)| counts.joined > 0) {
            if seen >= most {
                break;
            }
            seen += counts.joined;
            late_seconds = (*at + TimeDelta::seconds(TEN) - opening).as_seconds_f64();
        }
        MeasuredArrivals {
            early_share: early as f64 / joined.max(1) as f64,
            early_seconds: (opening - first).as_seconds_f64().max(0.0),
            // The model divides by it.
            late_seconds: late_seconds.max(1.0),
        }
    }

    /// Joins intervals of ten seconds to longer ones, which begin at multiples of `interval_seconds`
    /// since 1970.
    #[must_use]
    pub fn parts(&self, interval_seconds: i64) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        for (at, counts) in &self.0 {
            let since = at.timestamp() - at.timestamp().rem_euclid(interval_seconds);
            let since = DateTime::from_timestamp(since, 0).unwrap_or(*at);
            if parts.last().is_none_or(|part| part.since != since) {
                parts.push(Part { since, ..Part::default() });
            }
            if let Some(part) = parts.last_mut() {
                part.joined += counts.joined;
                part.admitted += counts.admitted;
                part.sold += counts.sold;
                part.paid += counts.paid;
                part.refunded += counts.refunded;
                part.rejections += counts.rejections;
                part.turned_away = part.rejections;
            }
        }
        parts
    }
}
