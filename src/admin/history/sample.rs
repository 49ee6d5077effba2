//! One reading of a sale, or a bucket of them.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::concert::model::Phase;

/// How long a reading stands at most, in seconds, unless a later one follows.
pub const STANDS: i16 = 2;
/// The same for a sale in which nothing happens, which is written this seldom.
pub const IDLE_STANDS: i16 = 11;

/// One reading of a sale, or a bucket of them. Serialized, it is a row of `sale_sample`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sample {
    /// When it was written; the start of a bucket.
    #[serde(skip)]
    pub at: DateTime<Utc>,
    /// When its counters were read: in a bucket, with its last reading.
    #[serde(skip)]
    pub counted_at: DateTime<Utc>,
    /// Seconds of the bucket; 1: one reading.
    pub step: i16,
    /// For how many seconds it stands unless a later one follows.
    pub stands: i16,
    /// Phase of the sale.
    pub phase: Phase,
    /// The keys are rebuilt, or admission pauses after a loss.
    pub recovering: bool,
    /// The draw has not finished.
    pub drawing: bool,
    /// Sizes and counters of the queue and the seats. `None` while the keys are rebuilt.
    #[serde(flatten)]
    pub sale: Option<SaleSizes>,
    /// What PostgreSQL counts, at most five seconds old.
    #[serde(flatten)]
    pub sold: Option<SoldSizes>,
    /// Figures of all processes.
    #[serde(flatten)]
    pub load: LoadSizes,
}

/// Sizes and counters from Redis.
#[expect(missing_docs, reason = "the migration describes each column")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SaleSizes {
    pub epoch: i64,
    pub waiting: i32,
    pub active: i32,
    pub parked: i32,
    pub held: i32,
    pub capacity: i32,
    pub rate: i32,
    pub joined: i64,
    pub admitted: i64,
    pub expired: i64,
    pub sold: i32,
}

/// Counters from PostgreSQL.
#[expect(missing_docs, reason = "the migration describes each column")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SoldSizes {
    pub revenue: i64,
    pub refused: i64,
    pub failed: i64,
}

/// Figures of all processes together, for all sales.
#[expect(missing_docs, reason = "the migration describes each column")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct LoadSizes {
    pub processes: Option<i16>,
    pub join_ms: Option<f32>,
    pub poll_ms: Option<f32>,
    pub hold_ms: Option<f32>,
    pub pay_ms: Option<f32>,
    pub redis_ms: Option<f32>,
    pub pool_ms: Option<f32>,
    pub errors: Option<f32>,
    pub limited: Option<f32>,
}

/// Increases per second between two readings that follow each other.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SampleRates {
    /// New queue entries.
    pub joins: Option<f64>,
    /// Admissions.
    pub admissions: Option<f64>,
    /// Entries that ended: paid, left or expired.
    pub ends: Option<f64>,
    /// Entries that were ended by time.
    pub expiries: Option<f64>,
    /// Seats sold.
    pub sales: Option<f64>,
    /// Refused joins and holds.
    pub refusals: Option<f64>,
}

impl Sample {
    /// Until when it stands, unless a later one follows.
    #[must_use]
    pub fn stands_until(&self) -> DateTime<Utc> {
        self.at + TimeDelta::seconds(self.stands.into())
    }

    /// The rates since the sample before. A rate is `None` if there is a gap between the two, or if
    /// its counter fell: by a refund, or because the keys were rebuilt.
    #[must_use]
    pub fn rates_since(&self, before: &Self) -> SampleRates {
        let span = self.counted_at - before.counted_at;
        let longest = TimeDelta::seconds(i64::from(before.stands.max(self.step)) + 1);
        let seconds = span.as_seconds_f64();
        if seconds <= 0.0 || span > longest {
            return SampleRates::default();
        }
        let rate = |now: i64, then: i64| {
            let more = u32::try_from(now - then).ok()?;
            Some(f64::from(more) / seconds)
        };
        let mut rates = SampleRates::default();
        if let (Some(now), Some(then)) = (self.sale, before.sale) {
            rates.joins = rate(now.joined, then.joined);
            rates.sales = rate(now.sold.into(), then.sold.into());
            if now.epoch == then.epoch {
                rates.admissions = rate(now.admitted, then.admitted);
                rates.expiries = rate(now.expired, then.expired);
                rates.ends = rate(now.ended(), then.ended());
            }
        }
        if let (Some(now), Some(then)) = (self.sold, before.sold) {
            rates.refusals = rate(now.refused, then.refused);
        }
        rates
    }

    /// Whether nothing has happened since `before`, so that it need not be written every second.
    #[must_use]
    pub fn is_idle_since(&self, before: &Self) -> bool {
        let nobody = |sale: &SaleSizes| sale.waiting == 0 && sale.active == 0 && sale.held == 0;
        self.sale.as_ref().is_some_and(nobody)
            && self.sale == before.sale
            && self.sold == before.sold
            && (self.phase, self.recovering, self.drawing)
                == (before.phase, before.recovering, before.drawing)
    }
}

impl SaleSizes {
    /// Entries that have ended so far. It may fall by the few that a call in between moved.
    fn ended(&self) -> i64 {
        self.joined - i64::from(self.waiting) - i64::from(self.active) - i64::from(self.parked)
    }
}
