//! Points: none appears, none vanishes, none is taken twice.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::Evidence;
use super::owners::observed_violations;
use crate::history::{Act, Op};

/// A sold seat is paid exactly once, at the price of its hold; a refunded seat is refunded exactly
/// once. The history of points agrees.
pub fn paid_once(evidence: &Evidence) -> Vec<String> {
    let books = &evidence.books;
    let mut payments: HashMap<i64, Vec<_>> = HashMap::new();
    for payment in &books.payments {
        payments.entry(payment.reservation).or_default().push(payment);
    }
    let (mut broken, mut owed) = (Vec::new(), HashMap::<&str, i64>::new());
    for row in &books.reservations {
        let of_row = payments.remove(&row.id).unwrap_or_default();
        let fits = match of_row.as_slice() {
            [] => !row.was_paid(),
            [one] => {
                let refunded = (row.status == "REFUNDED") == (one.status == "REFUNDED");
                row.was_paid() && one.amount == row.amount && one.user == row.user && refunded
            }
            _ => false,
        };
        if !fits {
            broken.push(format!("reservation {} is {}: {of_row:?}", row.id, row.status));
        }
        if row.was_paid() {
            *owed.entry(&row.hold).or_default() += row.amount;
        }
    }
    let taken = sums(evidence, "PAYMENT", |(amount, times)| (-amount, times));
    let owed = owed.into_iter().map(|(hold, amount)| (hold.to_owned(), (amount, 1))).collect();
    let back = sums(evidence, "REFUND", |sum| sum);
    let refunded = books.payments.iter().filter(|it| it.status == "REFUNDED");
    let refunded = refunded.map(|it| (it.id.to_string(), (it.amount, 1))).collect();
    broken.extend(differences("payment of hold", &taken, &owed));
    broken.extend(differences("refund of payment", &back, &refunded));
    broken
}

type Sums = HashMap<String, (i64, i64)>;

/// For each reference the points that moved, and the number of rows.
fn sums(evidence: &Evidence, kind: &str, as_owed: fn((i64, i64)) -> (i64, i64)) -> Sums {
    let mut sums = Sums::new();
    for it in evidence.books.moves.iter().filter(|it| it.kind == kind) {
        let sum = sums.entry(it.reference.clone()).or_default();
        *sum = (sum.0 + it.amount, sum.1 + 1);
    }
    sums.into_iter().map(|(reference, sum)| (reference, as_owed(sum))).collect()
}

fn differences(what: &str, found: &Sums, owed: &Sums) -> Vec<String> {
    let references: HashSet<&String> = found.keys().chain(owed.keys()).collect();
    let differ = references.into_iter().filter(|it| found.get(*it) != owed.get(*it));
    differ
        .map(|it| format!("{what} {it}: moved {:?}, owed {:?}", found.get(it), owed.get(it)))
        .collect()
}

/// Every balance is the sum of its history, and every row of a history has the sum so far.
pub fn balances_add_up(evidence: &Evidence) -> Vec<String> {
    let mut running: HashMap<i64, i64> = HashMap::new();
    let mut broken = Vec::new();
    for it in &evidence.books.moves {
        let balance = running.entry(it.user).or_default();
        *balance += it.amount;
        if *balance != it.balance_after {
            broken.push(format!("{it:?}: the sum of the history is {balance}"));
        }
    }
    for (user, amount) in &evidence.books.balances {
        let sum = running.get(user).copied().unwrap_or(0);
        if sum != *amount {
            broken.push(format!("user {user} has {amount}, by their history {sum}"));
        }
    }
    broken
}

/// A balance is the sum of the changes that its owner's answers acknowledged.
pub fn balances_match_answers(evidence: &Evidence) -> Vec<String> {
    let (mut acknowledged, mut unsure) = (HashMap::<i64, i64>::new(), HashSet::new());
    for op in &evidence.record.ops {
        if moves_points(op) && op.answer().is_none() {
            unsure.insert(op.user);
        }
        let Some(answer) = op.success() else {
            continue;
        };
        let moved = match op.act {
            Act::Charge { amount } => amount,
            Act::Pay { .. } => -number(&answer.body["total_amount"]),
            Act::Refund { .. } => number(&answer.body["payment"]["amount"]),
            _ => 0,
        };
        *acknowledged.entry(op.user).or_default() += moved;
    }
    acknowledged.retain(|user, _| !unsure.contains(user));
    let differ = acknowledged.into_iter().filter_map(|(user, sum)| {
        let has = evidence.books.balances.get(&user).copied().unwrap_or(0);
        (has != sum).then(|| format!("user {user} has {has}, by the answers {sum}"))
    });
    differ.collect()
}

fn moves_points(op: &Op) -> bool {
    matches!(op.act, Act::Charge { .. } | Act::Pay { .. } | Act::Refund { .. })
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(i64::MIN / 4)
}

/// No balance in an answer or in PostgreSQL is below zero.
pub fn never_negative(evidence: &Evidence) -> Vec<String> {
    let mut broken = observed_violations(evidence, "a balance is not negative");
    for op in &evidence.record.ops {
        for answer in op.answers() {
            let shown = [&answer.body["balance"], &answer.body["amount"]];
            if shown.iter().any(|it| it.as_i64().is_some_and(|balance| balance < 0)) {
                broken.push(format!("user {} got {}", op.user, answer.body));
            }
        }
    }
    let below = evidence.books.moves.iter().filter(|it| it.balance_after < 0);
    broken.extend(below.map(|it| format!("{it:?}")));
    let below = evidence.books.balances.iter().filter(|(_, amount)| **amount < 0);
    broken.extend(below.map(|(user, amount)| format!("user {user} has {amount}")));
    broken
}
