//! Adds up the pages of a report. Pure.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use super::model::{
    Figures, LineReport, PERCENTILES, Part, RejectionCount, SalesReport, SectionReport, Waits,
    interval_seconds,
};
use super::pg::pages::{EntryPage, ReservationPage};

/// Ids of users. Ids are given in order, so a block of 512 needs 64 bytes.
#[derive(Debug, Default)]
struct UserSet {
    blocks: HashMap<i64, [u64; 8]>,
    count: i64,
}

impl UserSet {
    fn extend(&mut self, users: &[i64]) {
        for user in users {
            let block = self.blocks.entry(user >> 9).or_default();
            let (word, bit) = (((user >> 6) & 7).unsigned_abs(), 1_u64 << (user & 63));
            let Some(word) = usize::try_from(word).ok().and_then(|word| block.get_mut(word)) else {
                continue;
            };
            self.count += i64::from(*word & bit == 0);
            *word |= bit;
        }
    }
}

/// What happened in one interval.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    joined: i64,
    admitted: i64,
    sold: i64,
    paid: i64,
    refunded: i64,
    rejections: i64,
}

/// The sums so far. It needs 16 bytes for each admitted entry, and little for the others.
#[derive(Debug, Default)]
pub struct Tally {
    entries: EntryPage,
    reservations: ReservationPage,
    users: UserSet,
    buyers: UserSet,
    course: BTreeMap<DateTime<Utc>, Counts>,
    first: Option<DateTime<Utc>>,
    latest: Option<DateTime<Utc>>,
}

impl Tally {
    /// Adds a page of queue entries.
    pub fn add_entries(&mut self, page: EntryPage) {
        let all = &mut self.entries;
        all.joined += page.joined;
        all.admitted += page.admitted;
        all.completed += page.completed;
        all.expired_inside += page.expired_inside;
        all.left_inside += page.left_inside;
        all.expired_waiting += page.expired_waiting;
        all.left_waiting += page.left_waiting;
        all.waiting += page.waiting;
        all.inside += page.inside;
        all.waits.extend(page.waits);
        all.waits_from_opening.extend(page.waits_from_opening);
        let longer = |one: f64, other: f64| one.max(other);
        all.ended_in_vain = merge(all.ended_in_vain, page.ended_in_vain, longer);
        all.waiting_since = merge(all.waiting_since, page.waiting_since, Ord::min);
        self.users.extend(&page.users);
        for (at, times) in page.joined_at.into_iter().zip(page.joined_then) {
            self.course.entry(at).or_default().joined += times;
        }
        for (at, times) in page.admitted_at.into_iter().zip(page.admitted_then) {
            self.course.entry(at).or_default().admitted += times;
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
        self.buyers.extend(&page.buyers);
        let sales = page.sold_at.into_iter().zip(page.sold_then.into_iter().zip(page.paid_then));
        for (at, (times, paid)) in sales {
            let counts = self.course.entry(at).or_default();
            counts.sold += times;
            counts.paid += paid;
        }
        for (at, times) in page.refunded_at.into_iter().zip(page.refunded_then) {
            self.course.entry(at).or_default().refunded += times;
        }
        self.widen(page.first, page.latest);
    }

    /// Adds the rejections of intervals of ten seconds.
    pub fn add_rejections(&mut self, rejections: Vec<(DateTime<Utc>, i64)>) {
        let times = |at: Option<&(DateTime<Utc>, i64)>| at.map(|(at, _)| *at);
        self.widen(times(rejections.first()), times(rejections.last()));
        for (at, times) in rejections {
            self.course.entry(at).or_default().rejections += times;
        }
    }

    fn widen(&mut self, first: Option<DateTime<Utc>>, latest: Option<DateTime<Utc>>) {
        self.first = merge(self.first, first, Ord::min);
        self.latest = merge(self.latest, latest, Ord::max);
    }

    /// The figures. `seats` has the number of seats, and of blocked ones. Sorts the waits, which
    /// takes a while for millions of them.
    #[must_use]
    pub fn figures(
        self,
        seats: (i64, i64),
        sections: Vec<SectionReport>,
        rejections: Vec<RejectionCount>,
    ) -> Figures {
        let span = self.first.zip(self.latest).map_or(TimeDelta::zero(), |(from, to)| to - from);
        let interval = interval_seconds(span);
        let (line, sales) = (self.line(), self.sales(seats));
        Figures {
            line,
            ended_in_vain_seconds: self.entries.ended_in_vain,
            waiting_since: self.entries.waiting_since,
            course: course(self.course, interval),
            waits: waits(self.entries.waits),
            waits_from_opening: waits(self.entries.waits_from_opening),
            sales,
            sections,
            rejections,
            interval_seconds: interval,
        }
    }

    fn line(&self) -> LineReport {
        let all = &self.entries;
        LineReport {
            joined: all.joined,
            people: self.users.count,
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

    fn sales(&self, (seats, blocked): (i64, i64)) -> SalesReport {
        let all = &self.reservations;
        SalesReport {
            seats,
            blocked,
            sold: all.sold,
            guests: all.guests,
            revenue: all.revenue,
            buyers: self.buyers.count,
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

/// Joins intervals of ten seconds to longer ones, which begin at multiples of `interval_seconds`
/// since 1970.
fn course(tens: BTreeMap<DateTime<Utc>, Counts>, interval_seconds: i64) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (at, counts) in tens {
        let since = at.timestamp() - at.timestamp().rem_euclid(interval_seconds);
        let since = DateTime::from_timestamp(since, 0).unwrap_or(at);
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

/// Mean, maximum and percentiles of waits in microseconds.
#[expect(clippy::cast_precision_loss, reason = "seconds, far below 2^52 microseconds")]
fn waits(mut micros: Vec<i64>) -> Waits {
    micros.sort_unstable();
    let Some(longest) = micros.last().copied() else {
        return Waits::new(None, None, None);
    };
    let seconds = |micros: i64| micros as f64 / 1e6;
    let sum: i128 = micros.iter().copied().map(i128::from).sum();
    let mean = sum as f64 / 1e6 / micros.len() as f64;
    let percentiles = PERCENTILES.map(|share| percentile(&micros, share));
    Waits::new(Some(mean), Some(seconds(longest)), Some(percentiles.to_vec()))
}

/// The value at `share` of the way through sorted values, in seconds; between two values in
/// proportion (`percentile_cont`).
#[expect(clippy::cast_precision_loss, reason = "seconds, far below 2^52 microseconds")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index, rounded")]
fn percentile(sorted: &[i64], share: f64) -> f64 {
    let at = share * sorted.len().saturating_sub(1) as f64;
    let value = |at: f64| sorted.get(at as usize).copied().unwrap_or(0) as f64 / 1e6;
    let (below, above) = (value(at.floor()), value(at.ceil()));
    below + (at - at.floor()) * (above - below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_counts_once_whatever_the_id() {
        let mut users = UserSet::default();
        users.extend(&[1, 2, 2, 511, 512, 1 << 40, 1]);
        users.extend(&[512, 64, 63]);
        assert_eq!(users.count, 7);
    }

    #[test]
    fn a_percentile_lies_between_two_waits_in_proportion() {
        let of = |share| percentile(&[0, 1_000_000, 2_000_000, 10_000_000], share);
        assert_eq!((of(0.0), of(0.5), of(1.0)), (0.0, 1.5, 10.0));
        assert!((of(0.9) - 7.6).abs() < 1e-9, "{}", of(0.9));
        assert_eq!(percentile(&[3_000_000], 0.99).to_bits(), 3.0_f64.to_bits());
    }

    #[test]
    fn pages_add_up_and_intervals_join() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).expect("a time");
        let page = |from: i64| EntryPage {
            joined: 2,
            admitted: 1,
            users: vec![7, from],
            waits: vec![from * 1_000_000],
            waiting_since: Some(at(from)),
            first: Some(at(from)),
            latest: Some(at(from + 3000)),
            joined_at: vec![at(from), at(from + 10)],
            joined_then: vec![1, 1],
            ..EntryPage::default()
        };
        let mut tally = Tally::default();
        tally.add_entries(page(600));
        tally.add_entries(page(640));
        tally.add_rejections(vec![(at(650), 5)]);
        let figures = tally.figures((4, 1), Vec::new(), Vec::new());
        assert_eq!((figures.line.joined, figures.line.people), (4, 3));
        assert_eq!(figures.waits.longest_seconds, Some(640.0));
        assert_eq!(figures.waiting_since, Some(at(600)));
        assert_eq!((figures.interval_seconds, figures.course.len()), (60, 1));
        let part = figures.course[0];
        assert_eq!((part.since, part.joined, part.rejections), (at(600), 4, 5));
    }
}
