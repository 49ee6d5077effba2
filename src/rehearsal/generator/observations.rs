//! What the synthetic buyers saw.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::latencies::{Latencies, percentile};
use super::steps::{ENDS, End, Step};
use crate::rehearsal::model::Progress;
use crate::store::id::SeatId;

/// Kept examples of answers that no client could have expected.
const EXAMPLES: usize = 5;

/// A seat that a buyer holds or has bought.
#[derive(Debug, Clone, Copy)]
struct Owned {
    buyer: usize,
    /// When the hold ends; `None` once it is paid.
    until: Option<Instant>,
}

#[derive(Debug, Default)]
struct Details {
    owned: HashMap<SeatId, Owned>,
    examples: Vec<String>,
    nearly_sold: Option<Instant>,
    sold_out: Option<Instant>,
    last_paid: Option<Instant>,
}

/// Everything that the buyers saw; shared by all of them.
#[derive(Debug, Default)]
pub struct Observations {
    /// Latencies by step.
    latencies: [Latencies; 5],
    /// How long requests waited for their turn in the generator.
    pub lag: Latencies,
    came: AtomicU64,
    waiting: AtomicU64,
    buying: AtomicU64,
    ends: [AtomicU64; ENDS],
    seats_sold: AtomicU64,
    refused: AtomicU64,
    unreached: AtomicU64,
    errors: AtomicU64,
    refused_holds: AtomicU64,
    double_holds: AtomicU64,
    double_sales: AtomicU64,
    places_lost: AtomicU64,
    details: Mutex<Details>,
}

fn of(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn raise(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn lower(counter: &AtomicU64) {
    counter.fetch_sub(1, Ordering::Relaxed);
}

impl Observations {
    fn details(&self) -> MutexGuard<'_, Details> {
        self.details.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The latencies of a step.
    #[must_use]
    pub fn latencies_of(&self, step: Step) -> &Latencies {
        &self.latencies[step as usize]
    }

    pub(super) fn note_came(&self) {
        raise(&self.came);
    }

    pub(super) fn note_waits(&self, begins: bool) {
        if begins { raise(&self.waiting) } else { lower(&self.waiting) }
    }

    pub(super) fn note_buys(&self, begins: bool) {
        if begins { raise(&self.buying) } else { lower(&self.buying) }
    }

    pub(super) fn note_end(&self, end: End) {
        raise(&self.ends[end as usize]);
    }

    /// A request that was refused for now, with `Retry-After`.
    pub(super) fn note_refused(&self) {
        raise(&self.refused);
    }

    /// A request without an answer.
    pub(super) fn note_unreached(&self) {
        raise(&self.unreached);
    }

    pub(super) fn note_refused_hold(&self) {
        raise(&self.refused_holds);
    }

    /// An answer that no client could have expected.
    pub(super) fn note_error(&self, what: &str) {
        raise(&self.errors);
        let mut details = self.details();
        if details.examples.len() < EXAMPLES {
            details.examples.push(what.to_owned());
        }
    }

    /// A place in the queue, or a slot, that was lost.
    pub(super) fn note_lost_place(&self, what: &str) {
        raise(&self.places_lost);
        let mut details = self.details();
        if details.examples.len() < EXAMPLES {
            details.examples.push(format!("a lost place: {what}"));
        }
    }

    /// Notes a hold. Counts each seat that another buyer holds or has bought.
    pub(super) fn note_hold(&self, buyer: usize, seats: &[SeatId], lasts: Duration) {
        let (now, mut details) = (Instant::now(), self.details());
        for seat in seats {
            let own = Owned { buyer, until: Some(now + lasts) };
            let before = details.owned.insert(*seat, own).filter(|before| before.buyer != buyer);
            if before.is_some_and(|before| before.until.is_none_or(|until| until > now)) {
                raise(&self.double_holds);
            }
        }
    }

    /// Notes a payment. Counts each seat that another buyer has bought. `all` is the number of seats
    /// of the sale.
    pub(super) fn note_paid(&self, buyer: usize, seats: &[SeatId]) {
        let mut details = self.details();
        for seat in seats {
            let before = details.owned.insert(*seat, Owned { buyer, until: None });
            let is_sold = before.is_some_and(|it| it.until.is_none());
            if is_sold {
                raise(&self.double_sales);
            } else {
                raise(&self.seats_sold);
            }
        }
        details.last_paid = Some(Instant::now());
    }

    /// Notes when 99 of 100 seats, and all, of `seats` were sold. Called often.
    pub fn follow_sales(&self, seats: u64) {
        let (sold, mut details) = (of(&self.seats_sold), self.details());
        if sold * 100 >= seats * 99 {
            details.nearly_sold = details.nearly_sold.or(Some(Instant::now()));
        }
        if sold >= seats {
            details.sold_out = details.sold_out.or(details.last_paid);
        }
    }

    /// The live figures. `requests_before` is the number of requests a second ago.
    #[must_use]
    pub fn progress(&self, opens_at: Instant, requests_before: u64) -> Progress {
        let now = Instant::now();
        let before = opens_at.saturating_duration_since(now).as_secs_f64();
        let requests = self.requests();
        #[expect(clippy::cast_precision_loss, reason = "a rate of requests is far below 2^52")]
        let rate = requests.saturating_sub(requests_before) as f64;
        Progress {
            seconds: now.saturating_duration_since(opens_at).as_secs_f64() - before,
            came: of(&self.came),
            waiting: of(&self.waiting),
            buying: of(&self.buying),
            done: self.ends.iter().map(of).sum(),
            bought: self.ended(End::Bought),
            seats_sold: of(&self.seats_sold),
            requests,
            requests_per_second: rate,
            errors: of(&self.errors),
            p99_ms: percentile(&self.latencies.each_ref(), 99),
        }
    }

    /// Number of answered requests.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.latencies.iter().map(Latencies::count).sum()
    }

    /// Number of buyers who ended in this way.
    #[must_use]
    pub fn ended(&self, end: End) -> u64 {
        of(&self.ends[end as usize])
    }

    /// The figures of a sheet.
    #[must_use]
    pub fn totals(&self, opens_at: Instant) -> Totals {
        let details = self.details();
        let after =
            |at: Option<Instant>| at.map(|at| at.saturating_duration_since(opens_at).as_secs_f64());
        let paid = details.owned.iter().filter(|(_, owned)| owned.until.is_none());
        let mut paid: Vec<SeatId> = paid.map(|(seat, _)| *seat).collect();
        paid.sort_unstable();
        Totals {
            double_holds: of(&self.double_holds),
            double_sales: of(&self.double_sales),
            places_lost: of(&self.places_lost),
            errors: of(&self.errors),
            refused: of(&self.refused),
            unreached: of(&self.unreached),
            refused_holds: of(&self.refused_holds),
            nearly_sold_seconds: after(details.nearly_sold),
            sold_out_seconds: after(details.sold_out),
            examples: details.examples.clone(),
            paid,
        }
    }
}

/// Figures of all buyers at the end.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    /// Seats that two buyers held at the same time.
    pub double_holds: u64,
    /// Seats that two buyers bought.
    pub double_sales: u64,
    /// Places in the queue, and slots, that were lost.
    pub places_lost: u64,
    /// Answers that no client could have expected.
    pub errors: u64,
    /// Requests refused for now, with `Retry-After`.
    pub refused: u64,
    /// Requests without an answer.
    pub unreached: u64,
    /// Holds refused for lack of seats.
    pub refused_holds: u64,
    /// From the opening until 99 of 100 seats were paid.
    pub nearly_sold_seconds: Option<f64>,
    /// The same until the last seat.
    pub sold_out_seconds: Option<f64>,
    /// Examples of what went wrong.
    pub examples: Vec<String>,
    /// The seats that are sold by the answers to the buyers, in order of ids.
    pub paid: Vec<SeatId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_that_two_buyers_hold_or_buy_is_counted() {
        let seen = Observations::default();
        let (one, two, minute) = (SeatId(1), SeatId(2), Duration::from_mins(1));
        seen.note_hold(1, &[one, two], Duration::ZERO);
        seen.note_hold(2, &[one], minute);
        seen.note_hold(2, &[one], minute);
        let totals = |seen: &Observations| seen.totals(Instant::now());
        assert_eq!(totals(&seen).double_holds, 0, "the first hold had ended");
        seen.note_hold(3, &[one], minute);
        assert_eq!(totals(&seen).double_holds, 1);
        seen.note_paid(2, &[one]);
        seen.note_paid(3, &[one, two]);
        assert_eq!((totals(&seen).double_sales, totals(&seen).paid.len()), (1, 2));
        seen.note_hold(4, &[two], minute);
        assert_eq!(totals(&seen).double_holds, 2, "a sold seat cannot be held");
    }

    #[test]
    fn a_sale_is_nearly_sold_before_it_is_sold_out() {
        let seen = Observations::default();
        let opens = Instant::now();
        let seats: Vec<SeatId> = (1..=100).map(SeatId).collect();
        seen.note_paid(1, &seats[..99]);
        seen.follow_sales(100);
        assert!(seen.totals(opens).nearly_sold_seconds.is_some());
        assert_eq!(seen.totals(opens).sold_out_seconds, None);
        seen.note_paid(1, &seats[99..]);
        seen.follow_sales(100);
        assert!(seen.totals(opens).sold_out_seconds.is_some());
    }
}
