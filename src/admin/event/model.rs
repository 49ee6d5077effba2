//! What a sale came to.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::concert::model::EntryOrder;
use crate::store::id::{ConcertId, ScheduleId};

/// The percentiles of waits that are told, in hundredths.
pub const PERCENTILES: [f64; 6] = [0.25, 0.5, 0.75, 0.9, 0.95, 0.99];
/// How long one part of the sale's course may be, in seconds.
const INTERVALS: [i64; 7] = [10, 60, 300, 900, 3_600, 21_600, 86_400];
/// So many parts are told at most, unless the longest are too short.
const MOST_PARTS: i64 = 240;

/// The report of a sale.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EventReport {
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// The concert that plays.
    pub concert_id: ConcertId,
    /// What it is called.
    pub title: String,
    /// From when on people could join.
    pub queue_opens_at: DateTime<Utc>,
    /// When the sale opened.
    pub reservation_available_at: DateTime<Utc>,
    /// When it closed.
    pub deadline_at: DateTime<Utc>,
    /// When the doors open.
    pub concert_at: DateTime<Utc>,
    /// In which order people were let in.
    pub entry_order: EntryOrder,
    /// Whether nothing of this changes any more: the sale is over, and no place and no hold is open.
    /// Refunds end with the sale.
    pub settled: bool,
    /// The line.
    pub line: LineReport,
    /// How long those who were let in had waited since they joined.
    pub waits: Waits,
    /// The same, but those who joined before the opening from the opening on.
    pub waits_from_opening: Waits,
    /// Seats and money.
    pub sales: SalesReport,
    /// The same by section, in order of the seats' numbers.
    pub sections: Vec<SectionReport>,
    /// Who was turned away, and why; the most frequent first.
    pub turned_away: Vec<TurnedAway>,
    /// How long each part of the course is.
    pub interval_seconds: i64,
    /// How it went; parts in which nothing happened are left out.
    pub course: Vec<Part>,
    /// When this report was made.
    pub server_time: DateTime<Utc>,
}

/// What became of those who joined, as of the last second or so.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct LineReport {
    /// Places given out.
    pub joined: i64,
    /// To so many different people.
    pub people: i64,
    /// Let in at least once.
    pub admitted: i64,
    /// Ended by a payment.
    pub completed: i64,
    /// Let in, and out of time before they had paid.
    pub expired_inside: i64,
    /// Given up by their owner after they were let in.
    pub left_inside: i64,
    /// Never let in: passed over and not back within the grace, or in line when the sale ended.
    pub expired_waiting: i64,
    /// Given up by their owner before they were let in.
    pub left_waiting: i64,
    /// In line now.
    pub waiting: i64,
    /// Inside now.
    pub inside: i64,
    /// The longest that anybody waited who was never let in, until their place ended or until now.
    pub longest_in_vain_seconds: Option<f64>,
}

/// How long people waited until they were first let in; null where nobody was.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Waits {
    /// On the average.
    pub mean_seconds: Option<f64>,
    /// The longest.
    pub longest_seconds: Option<f64>,
    /// 25, 50, 75, 90, 95 and 99 of a hundred waited at most so long.
    pub percentiles: Vec<Percentile>,
}

/// So many of a hundred waited at most so long.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Percentile {
    /// Of a hundred.
    pub percent: f64,
    /// How long.
    pub seconds: f64,
}

/// Seats and money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct SalesReport {
    /// Seats of every state.
    pub seats: i64,
    /// Kept back now.
    pub blocked: i64,
    /// Paid for, and not refunded.
    pub sold: i64,
    /// What was paid for those, points.
    pub revenue: i64,
    /// To so many different people.
    pub buyers: i64,
    /// Refunded.
    pub refunded: i64,
    /// What was given back for those, points.
    pub refunds: i64,
    /// Seats that wait for payment now.
    pub held: i64,
    /// Held and not paid for in time.
    pub expired: i64,
    /// Held and given back.
    pub cancelled: i64,
}

/// The seats of one section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SectionReport {
    /// Such as `A`.
    pub section: String,
    /// Seats.
    pub seats: i64,
    /// Kept back now.
    pub blocked: i64,
    /// Paid for, and not refunded.
    pub sold: i64,
    /// What was paid for those, points.
    pub revenue: i64,
}

/// Requests that were refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TurnedAway {
    /// `join`: a place in line; `hold`: seats.
    pub wanted: String,
    /// The problem's code.
    pub reason: String,
    /// How often: requests, not people.
    pub times: i64,
}

/// What happened in one part of the sale's course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Part {
    /// Its beginning.
    pub since: DateTime<Utc>,
    /// Places given out.
    pub joined: i64,
    /// Places let in, the first time each.
    pub admitted: i64,
    /// Seats paid for, those among them that were refunded later.
    pub sold: i64,
    /// Points paid for those.
    pub paid: i64,
    /// Seats refunded.
    pub refunded: i64,
    /// Requests refused.
    pub turned_away: i64,
}

/// The shortest parts in which a time so long is told in few enough, in seconds.
#[must_use]
pub fn interval_seconds(span: TimeDelta) -> i64 {
    let fits = |interval: &i64| span.num_seconds() / interval < MOST_PARTS;
    INTERVALS.into_iter().find(fits).unwrap_or(INTERVALS[INTERVALS.len() - 1])
}

impl Waits {
    /// From what PostgreSQL says of [`PERCENTILES`].
    #[must_use]
    pub fn new(mean: Option<f64>, longest: Option<f64>, percentiles: Option<Vec<f64>>) -> Self {
        let seconds = percentiles.unwrap_or_default();
        let of = |(part, seconds)| Percentile { percent: part * 100.0, seconds };
        Self {
            mean_seconds: mean,
            longest_seconds: longest,
            percentiles: PERCENTILES.into_iter().zip(seconds).map(of).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_sale_is_told_in_seconds_and_a_long_one_in_days() {
        let told = interval_seconds;
        assert_eq!(told(TimeDelta::zero()), 10);
        assert_eq!(told(TimeDelta::minutes(39)), 10);
        assert_eq!(told(TimeDelta::minutes(40)), 60);
        assert_eq!(told(TimeDelta::days(7)), 3_600);
        assert_eq!(told(TimeDelta::days(4_000)), 86_400);
    }

    #[test]
    fn where_nobody_was_let_in_there_are_no_waits() {
        assert!(Waits::new(None, None, None).percentiles.is_empty());
        let waits = Waits::new(Some(2.0), Some(9.0), Some(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        assert_eq!(waits.percentiles[1], Percentile { percent: 50.0, seconds: 2.0 });
    }
}
