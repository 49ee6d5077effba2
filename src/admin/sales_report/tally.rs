//! Adds up the pages of a report. Pure.

use chrono::{DateTime, TimeDelta, Utc};

use super::course::Course;
use super::model::{
    Figures, LineReport, PaymentRefusals, RejectionCount, SalesReport, SectionReport,
    interval_seconds,
};
use super::people::{BUYER, JOINED, People};
use super::pg::pages::{EntryPage, ReservationPage};
use super::waits::{Admitted, QueuedWaits, Waits, groups, sorted};

/// Figures that are read at once, after the pages.
#[derive(Debug, Default)]
pub struct WholeFigures {
    /// Seats in all states together.
    pub seats: i64,
    /// Those of them that are blocked.
    pub blocked: i64,
    /// Figures by section.
    pub sections: Vec<SectionReport>,
    /// Rejected joins and holds by reason.
    pub rejections: Vec<RejectionCount>,
    /// Refused payments by reason.
    pub refused_payments: Vec<PaymentRefusals>,
    /// Whether capacity or rate had different values during the sale.
    pub settings_changed: bool,
}

/// The sums so far. It needs 24 bytes for each admitted entry, and one for each user.
#[derive(Debug)]
pub struct Tally {
    opening: DateTime<Utc>,
    entries: EntryPage,
    reservations: ReservationPage,
    admitted: Vec<Admitted>,
    people: People,
    first_join: Option<DateTime<Utc>>,
    course: Course,
    first: Option<DateTime<Utc>>,
    latest: Option<DateTime<Utc>>,
}

impl Tally {
    /// Creates the sums of a sale that opens or opened at `opening`.
    #[must_use]
    pub fn new(opening: DateTime<Utc>) -> Self {
        Self {
            opening,
            entries: EntryPage::default(),
            reservations: ReservationPage::default(),
            admitted: Vec::new(),
            people: People::default(),
            first_join: None,
            course: Course::default(),
            first: None,
            latest: None,
        }
    }

    /// The times of the first and the last event so far, if there was any.
    #[must_use]
    pub fn span(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        self.first.zip(self.latest)
    }

    /// Adds the next page of queue entries.
    pub fn add_entries(&mut self, page: EntryPage) {
        let all = &mut self.entries;
        let before = all.joined.unsigned_abs();
        let ranks = page.ranks.iter().map(|rank| before + u64::from(rank.unsigned_abs()));
        let waits = page.waits.iter().zip(&page.waits_from_opening);
        self.admitted.extend(ranks.zip(waits).map(|(rank, (wait, from_opening))| Admitted {
            rank,
            wait: *wait,
            from_opening: *from_opening,
        }));
        all.joined += page.joined;
        all.early += page.early;
        all.admitted += page.admitted;
        all.completed += page.completed;
        all.expired_inside += page.expired_inside;
        all.left_inside += page.left_inside;
        all.expired_waiting += page.expired_waiting;
        all.left_waiting += page.left_waiting;
        all.waiting += page.waiting;
        all.inside += page.inside;
        let longer = |one: f64, other: f64| one.max(other);
        all.ended_in_vain = merge(all.ended_in_vain, page.ended_in_vain, longer);
        all.waiting_since = merge(all.waiting_since, page.waiting_since, Ord::min);
        self.people.mark(&page.users, &page.marks);
        self.first_join = merge(self.first_join, page.first, Ord::min);
        for (at, times) in page.joined_at.into_iter().zip(page.joined_then) {
            self.course.at(at).joined += times;
        }
        for (at, times) in page.admitted_at.into_iter().zip(page.admitted_then) {
            self.course.at(at).admitted += times;
        }
        self.widen(page.first, page.latest);
    }

    /// Adds a page of reservations.
    pub fn add_reservations(&mut self, page: ReservationPage) {
        let all = &mut self.reservations;
        all.sold += page.sold;
        all.guests += page.guests;
        all.revenue += page.revenue;
        all.refunded += page.refunded;
        all.refunds += page.refunds;
        all.held += page.held;
        all.expired += page.expired;
        all.cancelled += page.cancelled;
        self.people.mark(&page.owners, &page.marks);
        all.last_payment = merge(all.last_payment, page.last_payment, Ord::max);
        let sales = page.sold_at.into_iter().zip(page.sold_then.into_iter().zip(page.paid_then));
        for (at, (times, paid)) in sales {
            let counts = self.course.at(at);
            counts.sold += times;
            counts.paid += paid;
        }
        for (at, times) in page.refunded_at.into_iter().zip(page.refunded_then) {
            self.course.at(at).refunded += times;
        }
        self.widen(page.first, page.latest);
    }

    /// Adds the rejections of intervals of ten seconds.
    pub fn add_rejections(&mut self, rejections: Vec<(DateTime<Utc>, i64)>) {
        let times = |at: Option<&(DateTime<Utc>, i64)>| at.map(|(at, _)| *at);
        self.widen(times(rejections.first()), times(rejections.last()));
        for (at, times) in rejections {
            self.course.at(at).rejections += times;
        }
    }

    fn widen(&mut self, first: Option<DateTime<Utc>>, latest: Option<DateTime<Utc>>) {
        self.first = merge(self.first, first, Ord::min);
        self.latest = merge(self.latest, latest, Ord::max);
    }

    /// The figures. Sorts the waits, which takes a while for millions of them.
    #[must_use]
    pub fn figures(mut self, whole: WholeFigures) -> Figures {
        let span = self.span().map_or(TimeDelta::zero(), |(from, to)| to - from);
        let interval = interval_seconds(span);
        // A page has its entries in any order.
        self.admitted.sort_unstable_by_key(|entry| entry.rank);
        let joined = self.entries.joined;
        let waits = sorted(&self.admitted, |entry| entry.wait);
        let sales = self.sales(&whole);
        Figures {
            line: self.line(),
            ended_in_vain_seconds: self.entries.ended_in_vain,
            waiting_since: self.entries.waiting_since,
            waits: Waits::of_sorted(&waits),
            waits_from_opening: Waits::of_sorted(&sorted(&self.admitted, |it| it.from_opening)),
            queued: Some(QueuedWaits::of_sorted(&waits)),
            waits_by_joining: groups(&self.admitted, joined.unsigned_abs(), &self.course.joins()),
            people: Some(self.people.report()),
            sold_out_seconds: self.sold_out_seconds(&sales),
            arrivals: self
                .first_join
                .map(|first| self.course.arrivals(self.opening, first, self.entries.early, joined)),
            course: self.course.parts(interval),
            sales,
            sections: whole.sections,
            rejections: whole.rejections,
            refused_payments: whole.refused_payments,
            settings_changed: whole.settings_changed,
            prediction: None,
            interval_seconds: interval,
        }
    }

    /// From the opening to the last payment, in seconds, if no seat is left.
    fn sold_out_seconds(&self, sales: &SalesReport) -> Option<f64> {
        let is_sold_out =
            sales.sold > 0 && sales.sold + sales.guests + sales.blocked >= sales.seats;
        let last = self.reservations.last_payment.filter(|_| is_sold_out)?;
        Some((last - self.opening).as_seconds_f64().max(0.0))
    }

    fn line(&self) -> LineReport {
        let all = &self.entries;
        LineReport {
            joined: all.joined,
            people: self.people.count(JOINED),
            admitted: all.admitted,
            completed: all.completed,
            expired_inside: all.expired_inside,
            left_inside: all.left_inside,
            expired_waiting: all.expired_waiting,
            left_waiting: all.left_waiting,
            waiting: all.waiting,
            inside: all.inside,
            longest_in_vain_seconds: None,
        }
    }

    fn sales(&self, whole: &WholeFigures) -> SalesReport {
        let all = &self.reservations;
        SalesReport {
            seats: whole.seats,
            blocked: whole.blocked,
            sold: all.sold,
            guests: all.guests,
            revenue: all.revenue,
            buyers: self.people.count(BUYER),
            refunded: all.refunded,
            refunds: all.refunds,
            held: all.held,
            expired: all.expired,
            cancelled: all.cancelled,
        }
    }
}

fn merge<T>(one: Option<T>, other: Option<T>, choose: fn(T, T) -> T) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(choose(one, other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::sales_report::prediction::MeasuredArrivals;

    #[test]
    fn pages_add_up_and_intervals_join() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).expect("a time");
        let page = |from: i64| EntryPage {
            joined: 2,
            admitted: 1,
            early: i64::from(from == 600),
            users: vec![7, from],
            marks: vec![3, 1],
            ranks: vec![1],
            waits: vec![from * 1_000_000],
            waits_from_opening: vec![5],
            waiting_since: Some(at(from)),
            first: Some(at(from)),
            latest: Some(at(from + 3000)),
            joined_at: vec![at(from), at(from + 10)],
            joined_then: vec![1, 1],
            ..EntryPage::default()
        };
        let mut tally = Tally::new(at(605));
        tally.add_entries(page(600));
        tally.add_entries(page(640));
        tally.add_rejections(vec![(at(650), 5)]);
        let figures = tally.figures(WholeFigures { seats: 4, blocked: 1, ..Default::default() });
        assert_eq!((figures.line.joined, figures.line.people), (4, 3));
        assert_eq!(figures.waits.longest_seconds, Some(640.0));
        assert_eq!(figures.waiting_since, Some(at(600)));
        assert_eq!((figures.interval_seconds, figures.course.len()), (60, 1));
        let part = figures.course[0];
        assert_eq!((part.since, part.joined, part.rejections), (at(600), 4, 5));
        let arrivals = figures.arrivals.expect("arrivals");
        let expected =
            MeasuredArrivals { early_share: 0.25, early_seconds: 5.0, late_seconds: 55.0 };
        assert_eq!(arrivals, expected);
        let admitted: Vec<_> = figures.waits_by_joining.iter().map(|it| it.admitted).collect();
        assert_eq!(admitted, [0, 1, 0, 1], "the ranks go on from page to page");
    }
}
