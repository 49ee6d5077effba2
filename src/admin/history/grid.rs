//! Puts samples on a grid of equal steps. Pure.

use chrono::{DateTime, TimeDelta, Utc};

use super::model::{Series, Values};
use super::sample::{Sample, SampleRates};

/// A grid: `count` cells of `step` seconds from `from` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Begin of the first cell.
    pub from: DateTime<Utc>,
    /// Seconds of a cell.
    pub step: u32,
    /// Number of cells.
    pub count: i64,
}

impl Grid {
    /// The grid that covers a time. It begins at a multiple of its step.
    #[must_use]
    pub fn over(from: DateTime<Utc>, until: DateTime<Utc>, step: u32) -> Self {
        let seconds = i64::from(step);
        let first = from.timestamp().div_euclid(seconds) * seconds;
        let ms = (until.timestamp_millis() - first * 1000).max(0);
        let count = ms.div_euclid(seconds * 1000) + i64::from(ms % (seconds * 1000) > 0);
        Self { from: DateTime::from_timestamp(first, 0).unwrap_or(from), step, count }
    }

    /// End of the last cell.
    #[must_use]
    pub fn until(&self) -> DateTime<Utc> {
        self.from + TimeDelta::seconds(i64::from(self.step) * self.count)
    }

    /// The series of `samples`, which are in order of time. A cell has the averages of its samples;
    /// a cell without one has the last sample before, as long as that stands. There is no value
    /// beyond `now`.
    #[must_use]
    pub fn series(&self, samples: &[Sample], now: DateTime<Utc>) -> Series {
        let mut series = Series::default();
        let mut next = samples.iter().enumerate().peekable();
        let mut last: Option<(DateTime<Utc>, Values)> = None;
        for cell in 0..self.count {
            let begin = self.from + TimeDelta::seconds(i64::from(self.step) * cell);
            let end = begin + TimeDelta::seconds(self.step.into());
            let mut found = Vec::new();
            while let Some((at, sample)) = next.next_if(|(_, sample)| sample.at < end) {
                let before = at.checked_sub(1).and_then(|before| samples.get(before));
                let rates = before.map(|before| sample.rates_since(before)).unwrap_or_default();
                let values = values(sample, &rates);
                last = Some((sample.stands_until(), values));
                if sample.at >= begin {
                    found.push(values);
                }
            }
            let stands = last.filter(|(until, _)| *until > begin && begin <= now);
            let held = || stands.map(|(_, values)| values).unwrap_or_default();
            series.push(&if found.is_empty() { held() } else { Values::average(&found) });
        }
        series
    }
}

fn values(sample: &Sample, rates: &SampleRates) -> Values {
    let (sale, load) = (sample.sale, &sample.load);
    #[expect(clippy::cast_precision_loss, reason = "an amount is far below 2^52")]
    let revenue = sample.sold.map(|sold| sold.revenue as f64);
    Values {
        waiting: sale.map(|sale| sale.waiting.into()),
        active: sale.map(|sale| sale.active.into()),
        parked: sale.map(|sale| sale.parked.into()),
        capacity: sale.map(|sale| sale.capacity.into()),
        set_per_second: sale.map(|sale| sale.rate.into()),
        joins_per_second: rates.joins,
        admissions_per_second: rates.admissions,
        ends_per_second: rates.ends,
        expiries_per_second: rates.expiries,
        held: sale.map(|sale| sale.held.into()),
        sold: sale.map(|sale| sale.sold.into()),
        sales_per_second: rates.sales,
        revenue,
        refusals_per_second: rates.refusals,
        processes: load.processes.map(f64::from),
        join_p99_ms: load.join_ms.map(f64::from),
        poll_p99_ms: load.poll_ms.map(f64::from),
        hold_p99_ms: load.hold_ms.map(f64::from),
        pay_p99_ms: load.pay_ms.map(f64::from),
        errors_per_second: load.errors.map(f64::from),
        limited_per_second: load.limited.map(f64::from),
    }
}

#[cfg(test)]
mod tests;
