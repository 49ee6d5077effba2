//! Linearizability: for each seat there is an order of the requests that explains every answer.
//!
//! The check goes through the answers of a seat in the order of time. It keeps every state that the
//! seat may have, each with the requests in progress that have taken effect. If no state explains
//! an answer, there is no such order.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Evidence;
use crate::history::{Act, Moment, Op};

/// The state of a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum State<'e> {
    Free,
    /// Held, or expired: the time does not matter here.
    Held(&'e str),
    Sold(&'e str),
    Blocked,
}

/// What a request did to a seat, by its answer.
#[derive(Debug, Clone, Copy)]
enum Deed<'e> {
    Hold(&'e str),
    Release(&'e str),
    Pay(&'e str),
    /// A payment or release that was refused because the hold had ended.
    TooLate(&'e str),
    Refund(&'e str),
    Block(bool),
}

/// One deed, and the moments between which it took effect. Without an answer (`to` is `None`) it
/// may take effect at any later time, or never.
#[derive(Debug, Clone, Copy)]
struct Done<'e> {
    deed: Deed<'e>,
    from: Moment,
    to: Option<Moment>,
}

impl<'e> State<'e> {
    /// The state after a deed; `None` if the deed is impossible in this state.
    fn after(self, deed: Deed<'e>) -> Option<Self> {
        match (deed, self) {
            (Deed::Hold(_), Self::Sold(_) | Self::Blocked)
            | (Deed::Release(_) | Deed::Block(true), Self::Sold(_)) => None,
            (Deed::Hold(hold), _) => Some(Self::Held(hold)),
            (Deed::Release(hold), Self::Held(held)) if held == hold => Some(Self::Free),
            (Deed::Pay(hold), Self::Held(held)) => (held == hold).then_some(Self::Sold(hold)),
            (Deed::TooLate(hold), Self::Sold(held)) if held == hold => None,
            (Deed::TooLate(hold), Self::Held(held)) if held == hold => Some(Self::Free),
            (Deed::Refund(hold), Self::Sold(held)) => (held == hold).then_some(Self::Free),
            (Deed::Pay(_) | Deed::Refund(_), _) => None,
            (Deed::Block(true), _) => Some(Self::Blocked),
            (Deed::Block(false), Self::Blocked) => Some(Self::Free),
            (Deed::Release(_) | Deed::TooLate(_) | Deed::Block(false), _) => Some(self),
        }
    }
}

/// A state that a seat may have, and the deeds in progress that have taken effect before it.
type May<'e> = (State<'e>, BTreeSet<usize>);

/// The answers of every seat can be explained.
pub fn linearizable(evidence: &Evidence) -> Vec<String> {
    let unexplained = deeds(evidence).into_iter().filter_map(|(seat, done)| {
        let deed = explain(&done)?;
        Some(format!("seat {seat}: no order explains {deed:?} ({} deeds)", done.len()))
    });
    unexplained.collect()
}

/// The deeds for each seat.
fn deeds(evidence: &Evidence) -> HashMap<i64, Vec<Done<'_>>> {
    let mut seats: HashMap<i64, Vec<Done<'_>>> = HashMap::new();
    let mut of_hold: HashMap<&str, Vec<i64>> = HashMap::new();
    for hold in evidence.holds() {
        let done =
            Done { deed: Deed::Hold(hold.id), from: hold.op.invoked(), to: Some(hold.acked) };
        for seat in &hold.seats {
            seats.entry(*seat).or_default().push(done);
        }
        of_hold.insert(hold.id, hold.seats);
    }
    let rows: HashMap<i64, _> = evidence.books.reservations.iter().map(|it| (it.id, it)).collect();
    let payments = evidence.books.payments.iter();
    let sold: HashMap<i64, _> =
        payments.filter_map(|it| Some((it.id, *rows.get(&it.reservation)?))).collect();
    for op in &evidence.record.ops {
        let mut add = |seat: i64, deed, to| {
            seats.entry(seat).or_default().push(Done { deed, from: op.invoked(), to });
        };
        match &op.act {
            Act::Pay { hold } | Act::Release { hold } => {
                for seat in of_hold.get(hold.as_str()).into_iter().flatten() {
                    if let Some(deed) = of_answer(op, hold) {
                        add(*seat, deed, op.acked());
                    }
                }
            }
            Act::Refund { payment } if op.success().is_some() || op.answer().is_none() => {
                if let Some(row) = sold.get(payment) {
                    add(row.seat, Deed::Refund(&row.hold), op.acked());
                }
            }
            Act::Block { seats, blocked } if op.success().is_some() || op.answer().is_none() => {
                for seat in seats {
                    add(*seat, Deed::Block(*blocked), op.acked());
                    if op.has_unknown_try() {
                        // Without a key each try may take effect.
                        add(*seat, Deed::Block(*blocked), None);
                    }
                }
            }
            _ => {}
        }
    }
    seats
}

/// The deed of a payment or a release, by its answer; `None` if the answer says nothing about the
/// seat.
fn of_answer<'e>(op: &'e Op, hold: &'e str) -> Option<Deed<'e>> {
    let released = matches!(op.act, Act::Release { .. });
    match op.answer() {
        Some(answer) if answer.code() == "hold_expired" => Some(Deed::TooLate(hold)),
        Some(answer) if !answer.is_ok() => None,
        _ if released => Some(Deed::Release(hold)),
        _ => Some(Deed::Pay(hold)),
    }
}

/// The first deed that no order explains.
fn explain<'e>(done: &[Done<'e>]) -> Option<Deed<'e>> {
    let mut moments: Vec<(Moment, bool, usize)> = Vec::new();
    for (number, deed) in done.iter().enumerate() {
        moments.push((deed.from, false, number));
        moments.extend(deed.to.map(|to| (to, true, number)));
    }
    moments.sort_unstable();
    let mut under_way = BTreeSet::new();
    let mut may: HashSet<May<'e>> = HashSet::from([(State::Free, BTreeSet::new())]);
    for (_, is_end, number) in moments {
        if !is_end {
            under_way.insert(number);
            continue;
        }
        may = explore(may, &under_way, done);
        may.retain(|(_, had_effect)| had_effect.contains(&number));
        may = may
            .into_iter()
            .map(|(state, had_effect)| (state, without(had_effect, number)))
            .collect();
        under_way.remove(&number);
        if may.is_empty() {
            return Some(done[number].deed);
        }
    }
    None
}

/// All possible states after any of the deeds in progress take effect now, in any order.
fn explore<'e>(
    may: HashSet<May<'e>>,
    under_way: &BTreeSet<usize>,
    done: &[Done<'e>],
) -> HashSet<May<'e>> {
    let mut open: Vec<May<'e>> = may.iter().cloned().collect();
    let mut found = may;
    while let Some((state, had_effect)) = open.pop() {
        for number in under_way.difference(&had_effect) {
            if let Some(next) = state.after(done[*number].deed) {
                let mut with = had_effect.clone();
                with.insert(*number);
                if found.insert((next, with.clone())) {
                    open.push((next, with));
                }
            }
        }
    }
    found
}

fn without(mut set: BTreeSet<usize>, number: usize) -> BTreeSet<usize> {
    set.remove(&number);
    set
}
