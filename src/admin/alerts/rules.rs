//! When an alert begins and ends. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::model::AlertKind;
use crate::admin::history::sample::{SaleSizes, Sample};
use crate::concert::model::Phase;

/// The times and limits of alerts. The usual ones are those of `deploy/prometheus/alerts.yml`.
#[derive(Debug, Clone, Copy)]
pub struct AlertRules {
    /// Time between two checks, in all processes together.
    pub every: TimeDelta,
    /// Nobody is admitted for so long.
    pub nobody_admitted: TimeDelta,
    /// A queue recovers for so long.
    pub recovering: TimeDelta,
    /// Refusals are counted over so long.
    pub refusals: TimeDelta,
    /// A store is slow for so long.
    pub slow: TimeDelta,
    /// A sale is sold out for so long.
    pub sold_out: TimeDelta,
    /// A store does not answer for so long.
    pub unavailable: TimeDelta,
    /// A repair is news for so long.
    pub repaired: TimeDelta,
    /// After a store was unavailable, its consequences are no news for so long.
    pub consequences: TimeDelta,
    /// A condition must not hold for so long until its alert ends.
    pub clear: TimeDelta,
}

impl Default for AlertRules {
    fn default() -> Self {
        Self {
            every: TimeDelta::seconds(4),
            nobody_admitted: TimeDelta::seconds(120),
            recovering: TimeDelta::seconds(60),
            refusals: TimeDelta::seconds(60),
            slow: TimeDelta::seconds(60),
            sold_out: TimeDelta::seconds(5),
            unavailable: TimeDelta::seconds(10),
            repaired: TimeDelta::minutes(10),
            consequences: TimeDelta::seconds(60),
            clear: TimeDelta::seconds(30),
        }
    }
}

/// Refusals per second above which they rise, and below which they have fallen again.
const REFUSALS: (f64, f64) = (1.0, 0.2);
/// 99th percentile in ms above which a store is slow, and below which it is quick again.
const SLOW_MS: (f32, f32) = (250.0, 200.0);
/// Readings further apart than they stand, and this, are a gap.
const LATE: TimeDelta = TimeDelta::seconds(3);

/// What is known of one sale.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Its readings, in order of time.
    pub samples: &'a [Sample],
    /// When the reconciler repaired something in it last.
    pub repaired_at: Option<DateTime<Utc>>,
    /// PostgreSQL's clock.
    pub now: DateTime<Utc>,
}

/// What to do about an alert.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It is due, with these figures.
    Begin(Value),
    /// It is over.
    End,
    /// It stays as it is.
    Keep,
}

impl Known<'_> {
    /// The readings that stand within the last `time`: also the one before, which still stood then.
    fn within(&self, time: TimeDelta) -> &[Sample] {
        let begin = self.now - time;
        let first = self.samples.partition_point(|sample| sample.stands_until() < begin);
        &self.samples[first..]
    }

    /// Whether readings cover the last `time` without a gap.
    fn covers(&self, time: TimeDelta) -> bool {
        let samples = self.within(time);
        let ends = samples.first().zip(samples.last());
        let no_gap = samples.windows(2).all(|pair| pair[1].at <= pair[0].stands_until() + LATE);
        ends.is_some_and(|(first, last)| {
            first.at <= self.now - time && last.stands_until() + LATE >= self.now && no_gap
        })
    }

    /// Whether every reading of the last `time` fulfils a condition.
    fn always(&self, time: TimeDelta, fulfils: impl Fn(&Sample) -> bool) -> bool {
        self.covers(time) && self.within(time).iter().all(fulfils)
    }

    /// Whether no reading of the last `time` fulfils a condition.
    fn never(&self, time: TimeDelta, fulfils: impl Fn(&Sample) -> bool) -> bool {
        self.covers(time) && !self.within(time).iter().any(fulfils)
    }

    /// By how much a counter rose within the last `time`, per second. `None` with a gap.
    fn rise(&self, time: TimeDelta, count: impl Fn(&Sample) -> Option<i64>) -> Option<f64> {
        let samples = self.within(time);
        let (first, last) = samples.first().zip(samples.last())?;
        let more = u32::try_from(count(last)? - count(first)?).ok()?;
        let seconds = (last.at - first.at).as_seconds_f64();
        (self.covers(time) && seconds > 0.0).then(|| f64::from(more) / seconds)
    }

    /// The verdict about an alert of one sale.
    #[must_use]
    pub fn verdict(&self, kind: AlertKind, rules: &AlertRules) -> Verdict {
        let clear = rules.clear;
        match kind {
            AlertKind::NobodyAdmitted => self.nobody_admitted(rules),
            AlertKind::Recovering => {
                let recovers = |sample: &Sample| sample.recovering;
                decide(self.always(rules.recovering, recovers), self.never(clear, recovers), || {
                    json!({})
                })
            }
            AlertKind::RefusalsRise => {
                let failed = |sample: &Sample| sample.sold.map(|sold| sold.failed);
                let rise = self.rise(rules.refusals, failed);
                let (high, low) = REFUSALS;
                decide(
                    rise.is_some_and(|rise| rise > high),
                    rise.is_some_and(|rise| rise < low),
                    || json!({ "refusals_per_second": rise.map(|rise| (rise * 10.0).round() / 10.0) }),
                )
            }
            AlertKind::SoldOut => {
                let is_sold_out = |sample: &Sample| sample.phase == Phase::SoldOut;
                let sold = self.samples.last().and_then(|sample| sample.sale).map(|sale| sale.sold);
                let is_due = self.always(rules.sold_out, is_sold_out);
                decide(is_due, self.never(clear, is_sold_out), || json!({ "sold": sold }))
            }
            AlertKind::StoresDiffer => {
                let is_new = self.repaired_at.is_some_and(|at| at > self.now - rules.repaired);
                decide(is_new, !is_new, || json!({}))
            }
            AlertKind::RedisSlow => self.slow(rules, |sample| sample.load.redis_ms),
            AlertKind::PostgresPoolExhausted => self.slow(rules, |sample| sample.load.pool_ms),
            AlertKind::RedisUnavailable | AlertKind::PostgresUnavailable => Verdict::Keep,
        }
    }

    fn nobody_admitted(&self, rules: &AlertRules) -> Verdict {
        let could = |sample: &Sample| could_admit(sample).is_some();
        let admitted = |sample: &Sample| sample.sale.map(|sale| sale.admitted);
        // From the first reading on, of one epoch: a counter that begins anew has no rise.
        let rise = |time| self.rise(time, admitted);
        let stands =
            self.always(rules.nobody_admitted, could) && rise(rules.nobody_admitted) == Some(0.0);
        let goes_on = rise(rules.clear).is_some_and(|rise| rise > 0.0);
        decide(stands, goes_on || self.never(rules.clear, could), || {
            let sale = self.samples.last().and_then(could_admit);
            json!({
                "waiting": sale.map(|sale| sale.waiting),
                "free_slots": sale.map(|sale| sale.capacity - sale.active),
            })
        })
    }

    fn slow(&self, rules: &AlertRules, p99: impl Fn(&Sample) -> Option<f32>) -> Verdict {
        let above = |limit: f32| {
            let p99 = &p99;
            move |sample: &Sample| p99(sample).is_some_and(|ms| ms > limit)
        };
        let (high, low) = SLOW_MS;
        decide(
            self.always(rules.slow, above(high)),
            self.never(rules.slow, above(low)),
            || json!({ "p99_ms": self.samples.last().and_then(&p99).map(f32::round) }),
        )
    }
}

/// The sizes of a sale that is open, with entries that wait and free slots.
fn could_admit(sample: &Sample) -> Option<SaleSizes> {
    let is_open = sample.phase == Phase::Open && !sample.recovering && !sample.drawing;
    sample.sale.filter(|sale| is_open && sale.waiting > 0 && sale.active < sale.capacity)
}

fn decide(is_due: bool, is_over: bool, detail: impl FnOnce() -> Value) -> Verdict {
    if is_due {
        Verdict::Begin(detail())
    } else if is_over {
        Verdict::End
    } else {
        Verdict::Keep
    }
}

#[cfg(test)]
mod tests;
