//! When a sale sells out at its present pace, and at higher limits. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::reason::PaceReason;
use super::seen::{Seen, float};

/// No sell-out is predicted that is further away.
const LONGEST: TimeDelta = TimeDelta::days(30);
/// A suggested limit is at most this many times the present one.
const MOST_TIMES: f64 = 2.0;
/// A suggestion that makes the sale faster by less is not worth a change.
const LEAST_GAIN: f64 = 1.05;

/// When the last seat is sold at the present pace.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct SellOut {
    /// Seats sold per second lately.
    pub seats_per_second: f64,
    /// Over how many seconds that was measured.
    pub measured_seconds: u64,
    /// The time of the last sale. Once the queue is empty, sales are counted as by the joins of the
    /// last 30 s.
    pub at: DateTime<Utc>,
    /// Whether that is before the sale closes.
    pub before_deadline: bool,
}

/// What a higher limit would change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Faster {
    /// The setting: `capacity` or `admit_per_second`.
    pub setting: &'static str,
    /// Its new value: at most twice the present one, and not beyond the point where the other
    /// setting becomes the limit.
    pub value: u64,
    /// Expected admissions per second.
    pub admit_per_second: f64,
    /// When the last seat would be sold, if the people who wait suffice for that. Null otherwise.
    pub sell_out_at: Option<DateTime<Utc>>,
}

/// How fast a sale goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speeds<'a> {
    seen: &'a Seen,
    /// Seats sold per second; `None` while no seat is sold.
    sold: Option<(f64, u64)>,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "limits are positive, and `as` saturates"
)]
fn whole(limit: f64) -> u64 {
    limit.floor() as u64
}

impl<'a> Speeds<'a> {
    /// The speeds of a sale that admits.
    pub(super) fn of(seen: &'a Seen) -> Self {
        let sold = seen.sold_per_second.filter(|(per_second, _)| *per_second > 0.0);
        Self { seen, sold }
    }

    /// When the last seat is sold at the present pace.
    pub(super) fn sell_out(&self) -> Option<SellOut> {
        let (seats_per_second, measured_seconds) = self.sold?;
        let at = self.sold_out_at(1.0)?;
        let before_deadline = at < self.seen.deadline_at;
        Some(SellOut { seats_per_second, measured_seconds, at, before_deadline })
    }

    /// Seats that one admission sells. `None` while nobody is admitted or buys.
    fn seats_per_admission(&self) -> Option<f64> {
        let admitted = self.seen.measured_per_second.filter(|rate| *rate > 0.0)?;
        Some(self.sold?.0 / admitted)
    }

    /// Whether those who wait or are active suffice to buy what is left.
    fn is_demand_enough(&self) -> bool {
        let people = float(self.seen.waiting + self.seen.active);
        self.seats_per_admission().is_some_and(|each| people * each >= float(self.seen.unsold))
    }

    /// When the last seat is sold if admissions were `times` as many.
    fn sold_out_at(&self, times: f64) -> Option<DateTime<Utc>> {
        let (sold, _) = self.sold?;
        let unsold = float(self.seen.unsold);
        if self.seen.waiting == 0 && self.seen.joins_per_second.is_none() {
            // Nobody comes any more.
            return None;
        }
        let seconds = if self.seen.waiting == 0 || self.is_demand_enough() {
            unsold / (sold * times)
        } else {
            // The queue empties first. What is left then is bought by those who still join.
            let (each, admitted) = (self.seats_per_admission()?, self.seen.measured_per_second?);
            let joins = self.seen.joins_per_second?;
            let emptied = float(self.seen.waiting) / (admitted * times);
            let bought = float(self.seen.waiting + self.seen.active) * each;
            emptied + (unsold - bought) / (joins * each).min(sold * times)
        };
        if !seconds.is_finite() || seconds > LONGEST.as_seconds_f64() {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 30 days")]
        let ms = (seconds * 1000.0).ceil() as i64;
        Some(self.seen.now + TimeDelta::milliseconds(ms))
    }

    /// What a higher limit would change, if a limit is what makes admission slow.
    pub(super) fn faster(&self, reason: PaceReason) -> Option<Faster> {
        let seen = self.seen;
        let measured = seen.measured_per_second.filter(|rate| *rate > 0.0)?;
        let (set, capacity) = (seen.set(), float(seen.capacity));
        let (setting, now, value) = match reason {
            // As many more slots as the set rate can fill.
            PaceReason::Capacity => {
                ("capacity", capacity, (capacity * (set / measured).min(MOST_TIMES)).ceil())
            }
            // As many more admissions as the slots can hold, with the time that each is in use now.
            PaceReason::Rate if seen.active > 0 => {
                let held = capacity * measured / float(seen.active);
                ("admit_per_second", set, (set * MOST_TIMES).min(held).floor())
            }
            _ => return None,
        };
        let times = value / now;
        if times < LEAST_GAIN {
            return None;
        }
        let sell_out_at = if self.is_demand_enough() { self.sold_out_at(times) } else { None };
        Some(Faster {
            setting,
            value: whole(value),
            admit_per_second: measured * times,
            sell_out_at,
        })
    }
}

#[cfg(test)]
mod tests;
