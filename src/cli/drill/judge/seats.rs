//! Holds, payments and the books: no seat has two buyers, and nothing paid is missing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use super::verdict::{Fault, Found, Window};
use crate::cli::drill::observations::{Books, Observation, Seen};

#[derive(Debug, Clone)]
struct Owner {
    buyer: usize,
    seat: i64,
    since: Duration,
    until: Duration,
    /// When it was paid, and the amount.
    paid: Option<(Duration, i64)>,
    /// Whether the buyer has asked for its release.
    is_released: bool,
}

/// The holds that buyers were given.
#[derive(Debug)]
pub(super) struct Seats<'w> {
    windows: &'w [Window],
    holds: HashMap<String, Owner>,
    /// The last hold of each seat.
    last: HashMap<i64, String>,
    charged: HashMap<usize, i64>,
    /// Paid holds that a step was allowed to lose, and has lost.
    lost: HashSet<String>,
}

impl<'w> Seats<'w> {
    pub(super) fn new(windows: &'w [Window]) -> Self {
        let (holds, last, charged) = Default::default();
        Self { windows, holds, last, charged, lost: HashSet::new() }
    }

    /// How many payments were lost as the step allows.
    pub(super) fn lost_in(&self, window: &Window) -> usize {
        let paid = self.lost.iter().filter_map(|hold| self.holds.get(hold)?.paid);
        paid.filter(|(at, _)| window.may_lose(*at)).count()
    }

    pub(super) fn apply(&mut self, Observation { at, buyer, seen }: &Observation) -> Found {
        let mut found = Found::new();
        match seen {
            Seen::Held { hold, seat, until } => {
                let owner = Owner {
                    buyer: *buyer,
                    seat: *seat,
                    since: *at,
                    until: *until,
                    paid: None,
                    is_released: false,
                };
                found.extend(self.held(*at, hold, owner));
            }
            Seen::Releases { hold } => {
                if let Some(owner) = self.holds.get_mut(hold) {
                    owner.is_released = true;
                }
            }
            Seen::HoldRefused { hold, code } => found.extend(self.refused(*at, hold, code)),
            Seen::Paid { hold, amount } => {
                if let Some(owner) = self.holds.get_mut(hold) {
                    owner.paid = Some((*at, *amount));
                }
            }
            Seen::Charged { balance } => {
                self.charged.insert(*buyer, *balance);
            }
            Seen::Books(books) => {
                self.compare(*at, books, &mut found);
            }
            _ => {}
        }
        found
    }

    /// Notes a new hold. No other hold of its seat may be paid, or live at this time. A seat whose
    /// payment was lost must be kept from sale.
    fn held(&mut self, at: Duration, hold: &str, owner: Owner) -> Option<(Fault, String)> {
        let (seat, buyer) = (owner.seat, owner.buyer);
        self.holds.insert(hold.to_owned(), owner);
        let before = self.last.insert(seat, hold.to_owned()).filter(|before| before != hold)?;
        let before = self.holds.get(&before)?;
        let is_live = before.paid.is_some() || (!before.is_released && before.until > at);
        let text = || {
            let what = if before.paid.is_some() { "paid for" } else { "held" };
            format!("seat {seat}: buyer {} has {what} it, and buyer {buyer} holds it", before.buyer)
        };
        let is_excused = before.paid.is_none() && self.is_excused(at, before);
        (is_live && !is_excused).then(|| (Fault::SoldTwice, text()))
    }

    fn refused(&mut self, at: Duration, hold: &str, code: &str) -> Option<(Fault, String)> {
        let owner = self.holds.get_mut(hold)?;
        let was_live = !std::mem::replace(&mut owner.is_released, true) && at < owner.until;
        let owner = self.holds.get(hold)?;
        let text = || format!("buyer {}, seat {}: {code}", owner.buyer, owner.seat);
        (was_live && !self.is_excused(at, owner)).then(|| (Fault::HoldLost, text()))
    }

    /// Whether a step up to `at` may lose what this hold is, or its payment.
    fn is_excused(&self, at: Duration, owner: &Owner) -> bool {
        let changed = owner.paid.map_or(owner.since, |(at, _)| at);
        self.windows.iter().any(|window| window.begin <= at && window.may_lose(changed))
    }

    fn compare(&mut self, at: Duration, books: &Books, found: &mut Found) {
        let mut owners: BTreeMap<i64, usize> = BTreeMap::new();
        for (buyer, account) in &books.accounts {
            for (seat, _) in &account.seats {
                if let Some(other) = owners.insert(*seat, *buyer) {
                    let text = format!("seat {seat}: the books name buyers {other} and {buyer}");
                    found.push((Fault::SoldTwice, text));
                }
            }
        }
        let paid = self.holds.iter().filter(|(_, owner)| owner.paid.is_some());
        let (mut known, mut lost) = (BTreeSet::new(), HashSet::new());
        for (hold, owner) in paid {
            let account = books.accounts.get(&owner.buyer);
            let is_there = account
                .is_some_and(|account| account.seats.iter().any(|(seat, _)| *seat == owner.seat));
            if is_there {
                known.insert(owner.seat);
            } else if self.is_excused(at, owner) {
                lost.insert(hold.clone());
            } else {
                let text = format!("buyer {} paid for seat {}", owner.buyer, owner.seat);
                found.push((Fault::PaidMissing, text));
            }
        }
        let mut differ = |text: String| found.push((Fault::SumsDiffer, text));
        for (seat, buyer) in owners.iter().filter(|(seat, _)| !known.contains(*seat)) {
            differ(format!("seat {seat}: buyer {buyer} owns it without an answered payment"));
        }
        for (buyer, account) in &books.accounts {
            let spent: i64 = account.seats.iter().map(|(_, amount)| amount).sum();
            let left = self.charged.get(buyer).map(|charged| charged - spent);
            if left.is_some_and(|left| left != account.points) {
                let (left, has) = (left.unwrap_or_default(), account.points);
                differ(format!("buyer {buyer} must have {left} points, and has {has}"));
            }
        }
        let all = || books.accounts.values().flat_map(|account| &account.seats);
        let (sold, revenue) = (all().count(), all().map(|(_, amount)| amount).sum::<i64>());
        for (source, seats, amount) in &books.totals {
            if (usize::try_from(*seats), *amount) != (Ok(sold), revenue) {
                differ(format!(
                    "{source}: {seats} seats for {amount} points; the buyers own {sold} for {revenue}"
                ));
            }
        }
        self.lost = lost;
    }
}
