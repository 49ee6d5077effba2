//! The report of a run: requests, faults, outcomes and violations, and whether enough happened for
//! the run to prove anything.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::checker::queue::passed_over;
use crate::checker::{Evidence, Violation};
use crate::faults::count;
use crate::history::{Act, Answer, Op};
use crate::plan::Kind;
use crate::repairs::EVERY;

/// How often every kind of fault must happen in a long run.
const OFTEN: usize = 8;
/// A run of at least this many seconds is long.
const LONG: u64 = 600;

/// A kind of outcome, and how to recognize it.
type Class = (&'static str, fn(&Op) -> bool);

const CLASSES: [Class; 16] = [
    ("paid", |op| matches!(op.act, Act::Pay { .. }) && op.success().is_some()),
    ("refused at expiry", |op| code(op) == "hold_expired"),
    ("insufficient points", |op| code(op) == "insufficient_points"),
    ("held", |op| matches!(op.act, Act::Hold { .. }) && op.success().is_some()),
    ("seat taken", |op| code(op) == "seat_taken"),
    ("released", |op| matches!(op.act, Act::Release { .. }) && op.success().is_some()),
    ("refunded", |op| matches!(op.act, Act::Refund { .. }) && op.success().is_some()),
    ("refunded before", |op| code(op) == "already_refunded"),
    ("charged", |op| matches!(op.act, Act::Charge { .. }) && op.success().is_some()),
    ("not active", |op| code(op) == "ticket_not_active"),
    ("left", |op| matches!(op.act, Act::Leave { .. }) && op.success().is_some()),
    ("seats blocked", |op| matches!(op.act, Act::Block { .. }) && op.success().is_some()),
    ("settings changed", |op| matches!(op.act, Act::Settings) && op.success().is_some()),
    ("replayed", |op| op.answers().any(|answer| answer.replayed)),
    ("in flight", |op| tries(op).any(|answer| answer.code() == "request_in_progress")),
    ("unknown, then resolved", |op| op.has_unknown_try() && op.answer().is_some()),
];

/// Outcomes that depend on chance and may be missing.
const RARE: [Class; 1] = [("refused, then granted under the same key", |op| {
    op.success().is_some() && op.answers().any(|answer| !answer.is_ok())
})];

/// Outcomes that a run shorter than [`LONG`] may miss on a slow machine, because two requests have to
/// meet: two refunds of one payment under different keys, or a repeat while its first try still runs.
const RARE_IN_SHORT_RUNS: [&str; 2] = ["refunded before", "in flight"];

fn code(op: &Op) -> &str {
    op.answer().map_or("", Answer::code)
}

fn tries(op: &Op) -> impl Iterator<Item = &Answer> {
    op.attempts.iter().filter_map(|attempt| attempt.answer.as_ref())
}

/// The number of requests with each outcome.
fn outcomes(evidence: &Evidence, classes: &[Class]) -> BTreeMap<&'static str, usize> {
    let ops = &evidence.record.ops;
    classes
        .iter()
        .map(|(name, is_class)| (*name, ops.iter().filter(|op| is_class(op)).count()))
        .collect()
}

/// What must happen for the run to prove anything, and did not happen.
pub fn missing(evidence: &Evidence, seconds: u64, kinds: &[Kind]) -> Vec<String> {
    let outcomes = outcomes(evidence, &CLASSES);
    let is_expected = |name: &str| seconds >= LONG || !RARE_IN_SHORT_RUNS.contains(&name);
    let never = outcomes.iter().filter(|(name, times)| **times == 0 && is_expected(name));
    let mut missing: Vec<_> = never.map(|(name, _)| format!("never: {name}")).collect();
    if evidence.observed.reads.0 == 0 || evidence.observed.reads.1 == 0 {
        missing.push("the stores were not observed".to_owned());
    }
    if seconds >= LONG {
        let counts = count(&evidence.faults);
        let rare = kinds.iter().filter(|kind| counts.get(kind).is_none_or(|it| *it < OFTEN));
        missing.extend(rare.map(|kind| format!("fewer than {OFTEN} times: {kind:?}")));
    }
    missing
}

/// The run in a few lines.
pub fn report(seed: u64, evidence: &Evidence, violations: &[Violation]) -> String {
    let record = &evidence.record;
    let lost = record.ops.iter().flat_map(|op| &op.attempts).filter(|it| it.answer.is_none());
    let mut text = format!(
        "seed {seed}: {} requests, {} operations ({} tries without an answer), {} states of \
         tickets, {} reads of the stores, {} free seats held at the end{}\n",
        record.traffic.len(),
        record.ops.len(),
        lost.count(),
        record.ticket_views.len(),
        evidence.observed.reads.0 + evidence.observed.reads.1,
        evidence.aftermath.held,
        if evidence.skewed { ", one clock minutes off" } else { "" },
    );
    let mut line = |name: &str, items: String| writeln!(text, "  {name}: {items}").expect("text");
    let faults = count(&evidence.faults);
    let total: usize = faults.values().sum();
    let kinds: Vec<_> = faults.iter().map(|(kind, times)| format!("{kind:?} {times}")).collect();
    line(&format!("{total} faults"), kinds.join(", "));
    let mut outcomes = outcomes(evidence, &CLASSES);
    outcomes.extend(self::outcomes(evidence, &RARE));
    let outcomes: Vec<_> = outcomes.iter().map(|(name, times)| format!("{name} {times}")).collect();
    line("outcomes", outcomes.join(", "));
    let repairs = evidence.repairs.iter().map(|(what, times)| format!("{what} {times}"));
    let how =
        format!("repairs in Redis (/metrics every {EVERY:?} and at the end, restarts added up)");
    line(&how, repairs.collect::<Vec<_>>().join(", "));
    line("silent entries passed over", passed_over(evidence).to_string());
    let (claimed, kept) = (evidence.observed.most_claimed.0, evidence.observed.most_kept);
    line("most seats of one buyer in Redis", format!("claimed {claimed}, kept in all {kept}"));
    line("violations", violations.len().to_string());
    for violation in violations.iter().take(20) {
        line("-", violation.to_string());
    }
    text
}
