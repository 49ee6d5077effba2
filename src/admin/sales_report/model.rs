//! The sales report of one schedule.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::people::PeopleReport;
use super::prediction::{MeasuredArrivals, NoPrediction, Predicted, Prediction};
use super::waits::{JoinGroup, QueuedWaits, Waits};
use crate::concert::model::EntryOrder;
use crate::store::id::{ConcertId, ScheduleId};

/// Possible lengths of one interval of the sale's course, in seconds.
const INTERVALS: [i64; 7] = [10, 60, 300, 900, 3_600, 21_600, 86_400];
/// Limit for the intervals of one report. Only a sale too long for the longest interval exceeds it.
const MAX_INTERVALS: i64 = 240;

/// The sales report of one schedule.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EventReport {
    /// Id of the schedule.
    pub schedule_id: ScheduleId,
    /// Id of its concert.
    pub concert_id: ConcertId,
    /// Title of the concert.
    pub title: String,
    /// When the queue opened.
    pub queue_opens_at: DateTime<Utc>,
    /// When the sale opens or opened.
    pub reservation_available_at: DateTime<Utc>,
    /// When the sale closes or closed.
    pub deadline_at: DateTime<Utc>,
    /// When the doors open.
    pub concert_at: DateTime<Utc>,
    /// The order of admission.
    pub entry_order: EntryOrder,
    /// Whether the figures are final: the sale was over when they were computed, and no queue entry
    /// and no hold was open. Buyers' refunds
    /// end with the sale; a refund by staff after it changes the figures, which are then final again.
    pub settled: bool,
    /// Figures of the queue.
    pub line: LineReport,
    /// Waits from joining to the first admission.
    pub waits: Waits,
    /// The same waits, but counted from the opening of the sale for entries that joined before it.
    pub waits_from_opening: Waits,
    /// Waits without the entries that were admitted at once. Null in figures of an earlier release.
    pub queued: Option<QueuedWaits>,
    /// Waits by order of joining: ten groups of equal size, or as many as there are entries.
    pub waits_by_joining: Vec<JoinGroup>,
    /// People by what they did. Null in figures of an earlier release.
    pub people: Option<PeopleReport>,
    /// Figures of seats and payments.
    pub sales: SalesReport,
    /// From the opening to the last payment, in seconds, if all seats are sold. Otherwise null.
    pub sold_out_seconds: Option<f64>,
    /// Figures of seats and payments by section, in order of seat numbers.
    pub sections: Vec<SectionReport>,
    /// Rejected joins and holds by reason, the most frequent first.
    pub rejections: Vec<RejectionCount>,
    /// The former name of `rejections`.
    #[schema(deprecated)]
    pub turned_away: Vec<RejectionCount>,
    /// Refused payments by reason, the most frequent first.
    pub refused_payments: Vec<PaymentRefusals>,
    /// How the sale should have gone by the simulation. Null with a reason in `no_prediction`.
    pub prediction: Option<Prediction>,
    /// Why there is no prediction. Null if there is one, and in figures of an earlier release.
    pub no_prediction: Option<NoPrediction>,
    /// Length of each interval in `course`, in seconds.
    pub interval_seconds: i64,
    /// Figures per interval, in order of time. Intervals without events are left out.
    pub course: Vec<Part>,
    /// When the figures were computed. All of them describe this moment.
    pub computed_at: DateTime<Utc>,
    /// Whether newer figures or the prediction are being computed. They are in a later answer.
    pub updating: bool,
    /// When this answer was made.
    pub server_time: DateTime<Utc>,
}

/// The figures of a report, as they are stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Figures of the queue, without the longest wait in vain.
    pub line: LineReport,
    /// Longest wait of an entry that ended and was never admitted, in seconds.
    pub ended_in_vain_seconds: Option<f64>,
    /// Since when the oldest entry waits that was never admitted.
    pub waiting_since: Option<DateTime<Utc>>,
    /// Waits from joining.
    pub waits: Waits,
    /// Waits from the opening.
    pub waits_from_opening: Waits,
    /// Figures of seats and payments.
    pub sales: SalesReport,
    /// The same by section.
    pub sections: Vec<SectionReport>,
    /// Rejections by reason.
    pub rejections: Vec<RejectionCount>,
    /// Length of each interval in `course`, in seconds.
    pub interval_seconds: i64,
    /// Figures per interval.
    pub course: Vec<Part>,
    // Reports that an earlier release stored have none of the following.
    /// Waits without those who were admitted at once.
    #[serde(default)]
    pub queued: Option<QueuedWaits>,
    /// Waits by order of joining.
    #[serde(default)]
    pub waits_by_joining: Vec<JoinGroup>,
    /// People by what they did.
    #[serde(default)]
    pub people: Option<PeopleReport>,
    /// Refused payments by reason.
    #[serde(default)]
    pub refused_payments: Vec<PaymentRefusals>,
    /// From the opening to the last payment, in seconds, if all seats are sold.
    #[serde(default)]
    pub sold_out_seconds: Option<f64>,
    /// When people came; `None` if nobody did.
    #[serde(default)]
    pub arrivals: Option<MeasuredArrivals>,
    /// Whether capacity or rate had different values during the sale.
    #[serde(default)]
    pub settings_changed: bool,
    /// The prediction.
    #[serde(default)]
    pub prediction: Option<Predicted>,
}

impl Figures {
    /// Figures of the queue at `now`. Who waits in vain waits on until then.
    #[must_use]
    pub fn line_at(&self, now: DateTime<Utc>) -> LineReport {
        let until_now = |since: DateTime<Utc>| (now - since).as_seconds_f64();
        let waiting = self.waiting_since.map(until_now);
        let longest = match (self.ended_in_vain_seconds, waiting) {
            (Some(ended), Some(waiting)) => Some(ended.max(waiting)),
            (ended, waiting) => ended.or(waiting),
        };
        LineReport { longest_in_vain_seconds: longest, ..self.line }
    }

    /// Whether nothing of the sale is open: no queue entry and no hold.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.line.waiting + self.line.inside + self.sales.held == 0
    }
}

/// Queue entries by outcome. These figures lag behind the queue by about a second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LineReport {
    /// Queue entries created.
    pub joined: i64,
    /// Different users among them.
    pub people: i64,
    /// Entries that were admitted at least once.
    pub admitted: i64,
    /// Entries that a payment completed.
    pub completed: i64,
    /// Entries that were admitted, and expired without a payment.
    pub expired_inside: i64,
    /// Entries whose owner left after admission.
    pub left_inside: i64,
    /// Entries that were never admitted: passed over and not back within the return grace, or still
    /// waiting when the sale ended.
    pub expired_waiting: i64,
    /// Entries whose owner left before admission.
    pub left_waiting: i64,
    /// Entries that wait now.
    pub waiting: i64,
    /// Active slots now.
    pub inside: i64,
    /// Longest wait of an entry that was never admitted, until its end or until now, in seconds.
    pub longest_in_vain_seconds: Option<f64>,
}

/// Figures of seats and payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SalesReport {
    /// Seats in all states together.
    pub seats: i64,
    /// Seats that an administrator holds back now.
    pub blocked: i64,
    /// Seats paid for and not refunded.
    pub sold: i64,
    /// Seats given to guests for free. They are not among the sold ones.
    // Reports that an earlier release stored have none.
    #[serde(default)]
    pub guests: i64,
    /// Amount paid for the sold ones, in points.
    pub revenue: i64,
    /// Different users who own them.
    pub buyers: i64,
    /// Refunded reservations.
    pub refunded: i64,
    /// Amount refunded for them, in points.
    pub refunds: i64,
    /// Seats that wait for payment now.
    pub held: i64,
    /// Reservations that expired without a payment.
    pub expired: i64,
    /// Reservations that their buyer released.
    pub cancelled: i64,
}

/// Figures of the seats of one section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SectionReport {
    /// Name of the section, such as `A`.
    pub section: String,
    /// Seats in all states together.
    pub seats: i64,
    /// Seats that an administrator holds back now.
    pub blocked: i64,
    /// Seats paid for and not refunded.
    pub sold: i64,
    /// Seats given to guests for free. They are not among the sold ones.
    #[serde(default)]
    pub guests: i64,
    /// Amount paid for the sold ones, in points.
    pub revenue: i64,
}

/// Rejected requests of one kind with one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RejectionCount {
    /// What the request asked for: `join` or `hold`.
    pub wanted: String,
    /// Code of the problem that rejected it.
    pub reason: String,
    /// Number of requests. One user can cause several.
    pub times: i64,
}

/// Refused payments with one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaymentRefusals {
    /// Code of the problem: `insufficient_points`, `hold_expired` or `already_paid`.
    pub reason: String,
    /// Number of refused payments. One user can cause several, and then pay.
    pub times: i64,
}

/// Figures of one interval of the sale's course.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Part {
    /// Start of the interval.
    pub since: DateTime<Utc>,
    /// Queue entries created.
    pub joined: i64,
    /// Queue entries admitted for the first time.
    pub admitted: i64,
    /// Seats paid for, including those refunded later.
    pub sold: i64,
    /// Amount paid for them, in points.
    pub paid: i64,
    /// Seats refunded in this interval.
    pub refunded: i64,
    /// Rejected joins and holds.
    pub rejections: i64,
    /// The former name of `rejections`.
    #[schema(deprecated)]
    pub turned_away: i64,
}

/// Chooses the shortest interval, in seconds, that fits into `span` fewer than [`MAX_INTERVALS`]
/// times; the longest interval if none does.
#[must_use]
pub fn interval_seconds(span: TimeDelta) -> i64 {
    let fits = |interval: &i64| span.num_seconds() / interval < MAX_INTERVALS;
    INTERVALS.into_iter().find(fits).unwrap_or(INTERVALS[INTERVALS.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_sale_gets_longer_intervals() {
        let interval = interval_seconds;
        assert_eq!(interval(TimeDelta::zero()), 10);
        assert_eq!(interval(TimeDelta::minutes(39)), 10);
        assert_eq!(interval(TimeDelta::minutes(40)), 60);
        assert_eq!(interval(TimeDelta::days(7)), 3_600);
        assert_eq!(interval(TimeDelta::days(4_000)), 86_400);
    }
}
