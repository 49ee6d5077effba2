//! Checks a run from its requests and answers and from the content of the stores. Nothing here uses
//! the implementation of onsale.

mod answers;
mod free;
mod holds;
mod linear;
mod money;
mod owners;
mod planted;
pub mod queue;
mod recovery;

use std::collections::HashMap;
use std::fmt;

use crate::books::Books;
use crate::faults::Span;
use crate::history::{Act, Moment, Op, Record};
use crate::probe::Aftermath;
use crate::repairs::Repairs;
use crate::watch::Observations;

/// Everything that was observed of a run.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    pub record: Record,
    pub books: Books,
    pub faults: Vec<Span>,
    /// When the last fault was healed.
    pub healed: Moment,
    /// When the last request was started.
    pub closed: Moment,
    pub observed: Observations,
    pub aftermath: Aftermath,
    /// The drift in Redis that the reconcilers repaired.
    pub repairs: Repairs,
    /// Whether one process had a wrong clock.
    pub skewed: bool,
    /// The schedule whose queue is long and mostly silent.
    pub silent: i64,
}

/// An invariant that was violated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub invariant: &'static str,
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)
    }
}

/// A rule that must hold in every run, by name.
type Invariant = (&'static str, fn(&Evidence) -> Vec<String>);

/// The invariants, with the numbers of docs/RELIABILITY.md.
pub const INVARIANTS: [Invariant; 21] = [
    ("I1 one owner by the books", owners::one_live_row),
    ("I1 one owner by the answers", owners::never_two_owners),
    ("I2 what was acknowledged is there", answers::acknowledged_is_there),
    ("I2b what was refused is not", answers::refused_is_not),
    ("I2c holds are whole", answers::whole_or_absent),
    ("I3 paid once, refunded once", money::paid_once),
    ("I4 one key, one answer", answers::one_key_one_answer),
    ("I5 balances are their history", money::balances_add_up),
    ("I5b balances are what was answered", money::balances_match_answers),
    ("I6 no negative balance", money::never_negative),
    ("I7 a hold is exclusive", holds::exclusive),
    ("I7b no payment past the deadline", holds::paid_in_time),
    ("I8 the seat limit", owners::limits_kept),
    ("I9 recovery", recovery::works_again),
    ("I10 order of admission", queue::nobody_is_overtaken),
    ("I10b places are kept", queue::entries_are_kept),
    ("I11 capacity", queue::capacity_kept),
    ("I12 linearizable per seat", linear::linearizable),
    ("I13 nothing lingers", recovery::nothing_lingers),
    ("I14 no answer outside of the contract", answers::within_the_contract),
    ("I15 no refusal while seats are free", free::refused_only_if_taken),
];

/// All violations.
pub fn check(evidence: &Evidence) -> Vec<Violation> {
    let broken = |(invariant, check): &Invariant| {
        let invariant = *invariant;
        check(evidence).into_iter().map(move |what| Violation { invariant, what })
    };
    INVARIANTS.iter().flat_map(broken).collect()
}

/// A hold as its owner's answer shows it.
#[derive(Debug, Clone)]
pub struct Hold<'e> {
    pub op: &'e Op,
    pub id: &'e str,
    pub seats: Vec<i64>,
    /// The reservations, in the order of `seats`.
    pub rows: Vec<i64>,
    pub acked: Moment,
    /// When it ends without a payment, by the answer.
    pub ends: Moment,
}

impl Evidence {
    /// Every hold that was acknowledged.
    pub fn holds(&self) -> Vec<Hold<'_>> {
        let wanted = self.record.ops.iter().filter(|op| matches!(op.act, Act::Hold { .. }));
        wanted.filter_map(Hold::of).collect()
    }

    /// Acknowledged payments, by hold.
    pub fn paid(&self) -> HashMap<&str, &Op> {
        let paid = self.record.ops.iter().filter_map(|op| match &op.act {
            Act::Pay { hold } => op.success().map(|_| (hold.as_str(), op)),
            _ => None,
        });
        paid.collect()
    }

    /// The requests that released holds, by hold.
    pub fn releases(&self) -> HashMap<&str, &Op> {
        let asked = self.record.ops.iter().filter_map(|op| match &op.act {
            Act::Release { hold } => Some((hold.as_str(), op)),
            _ => None,
        });
        asked.collect()
    }

    /// When a refund of each reservation was first requested.
    pub fn refunds(&self) -> HashMap<i64, Moment> {
        let row_of: HashMap<i64, i64> =
            self.books.payments.iter().map(|it| (it.id, it.reservation)).collect();
        let mut refunds = HashMap::new();
        for op in &self.record.ops {
            if let Act::Refund { payment } = op.act
                && let Some(row) = row_of.get(&payment)
            {
                let first: &mut Moment = refunds.entry(*row).or_insert(Moment::MAX);
                *first = op.invoked().min(*first);
            }
        }
        refunds
    }
}

impl<'e> Hold<'e> {
    fn of(op: &'e Op) -> Option<Self> {
        let body = &op.success()?.body;
        let rows = body["reservations"].as_array()?;
        let number = |name: &str| rows.iter().filter_map(|row| row[name].as_i64()).collect();
        let ends: chrono::DateTime<chrono::Utc> = body["expires_at"].as_str()?.parse().ok()?;
        Some(Self {
            op,
            id: body["hold_id"].as_str()?,
            seats: number("seat_id"),
            rows: number("id"),
            acked: op.acked()?,
            ends: ends.timestamp_micros(),
        })
    }
}
