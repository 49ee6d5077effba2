//! The answers compared with PostgreSQL: nothing acknowledged is missing, and nothing refused has
//! happened.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::Evidence;
use crate::history::{Act, Answer, Attempt, Op};

/// Every acknowledged charge, hold, payment, refund and release is in PostgreSQL.
pub fn acknowledged_is_there(evidence: &Evidence) -> Vec<String> {
    let books = &evidence.books;
    let rows: HashMap<i64, _> = books.reservations.iter().map(|row| (row.id, row)).collect();
    let payments: HashMap<i64, _> = books.payments.iter().map(|it| (it.id, it)).collect();
    let moves: HashSet<(i64, &str, &str)> =
        books.moves.iter().map(|it| (it.user, it.kind.as_str(), it.reference.as_str())).collect();
    let is_there = |op: &Op, answer: &Answer| match &op.act {
        Act::Charge { .. } => {
            moves.contains(&(op.user, "CHARGE", op.key.as_deref().unwrap_or_default()))
        }
        Act::Hold { .. } => numbers(&answer.body["reservations"], "id").iter().all(|id| {
            rows.get(id)
                .is_some_and(|row| row.user == op.user && answer.body["hold_id"] == row.hold)
        }),
        Act::Pay { hold } => {
            moves.contains(&(op.user, "PAYMENT", hold))
                && numbers(&answer.body["payments"], "id").iter().all(|id| {
                    let row = payments.get(id).and_then(|it| rows.get(&it.reservation));
                    row.is_some_and(|row| row.was_paid() && row.hold == *hold)
                })
        }
        Act::Refund { payment } => {
            moves.contains(&(op.user, "REFUND", &payment.to_string()))
                && payments.get(payment).is_some_and(|it| it.status == "REFUNDED")
        }
        Act::Release { hold } => {
            let mut of_hold = books.reservations.iter().filter(|row| row.hold == *hold);
            of_hold.all(|row| ["EXPIRED", "CANCELLED"].contains(&row.status.as_str()))
        }
        _ => true,
    };
    let acknowledged = evidence.record.ops.iter().filter_map(|op| Some((op, op.success()?)));
    let missing = acknowledged.filter(|(op, answer)| !is_there(op, answer));
    missing.map(|(op, _)| format!("{:?} of user {} is not there", op.act, op.user)).collect()
}

fn numbers(list: &Value, name: &str) -> Vec<i64> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| item[name].as_i64()).collect()
}

/// Everything in PostgreSQL was acknowledged, or its outcome stayed unknown.
pub fn refused_is_not(evidence: &Evidence) -> Vec<String> {
    let ops = &evidence.record.ops;
    let of = |wanted: fn(&Op) -> bool| ops.iter().filter(move |op| wanted(op));
    let happened = |op: &&Op| op.success().is_some() || op.answer().is_none();
    let paid: HashSet<&str> = (of(|op| matches!(op.act, Act::Pay { .. })).filter(happened))
        .filter_map(|op| if let Act::Pay { hold } = &op.act { Some(hold.as_str()) } else { None })
        .collect();
    let refunded: HashSet<i64> = (of(|op| matches!(op.act, Act::Refund { .. })).filter(happened))
        .filter_map(|op| if let Act::Refund { payment } = op.act { Some(payment) } else { None })
        .collect();
    let charged: HashSet<&str> = (of(|op| matches!(op.act, Act::Charge { .. })).filter(happened))
        .filter_map(|op| op.key.as_deref())
        .collect();
    let unexpected = evidence.books.moves.iter().filter(|it| match it.kind.as_str() {
        "PAYMENT" => !paid.contains(it.reference.as_str()),
        "REFUND" => !it.reference.parse().is_ok_and(|payment| refunded.contains(&payment)),
        _ => !charged.contains(it.reference.as_str()),
    });
    let unexpected =
        unexpected.map(|it| format!("{} {} of user {}", it.kind, it.reference, it.user));
    unexpected.chain(unacknowledged_holds(evidence)).collect()
}

/// Holds in PostgreSQL that no answer acknowledged. The refusal of a hold is not stored under its
/// key, so an earlier try whose answer was lost may still have made the hold: those are left out.
fn unacknowledged_holds(evidence: &Evidence) -> Vec<String> {
    let acknowledged: HashSet<&str> = evidence.holds().iter().map(|hold| hold.id).collect();
    let holds = evidence.record.ops.iter().filter(|op| matches!(op.act, Act::Hold { .. }));
    let ghosts = holds.filter(|op| op.success().is_none() && op.has_unknown_try());
    let ghosts: HashSet<i64> = ghosts.map(|op| op.user).collect();
    let probed: HashSet<i64> = evidence.record.ops.iter().map(|op| op.user).collect();
    let unacknowledged = evidence.books.reservations.iter().filter(|row| {
        !acknowledged.contains(row.hold.as_str())
            && !ghosts.contains(&row.user)
            && probed.contains(&row.user)
    });
    let refused = |user: i64| -> Vec<&str> {
        let holds = evidence.record.ops.iter().filter(|op| op.user == user && op.key.is_some());
        holds.flat_map(Op::answers).map(Answer::code).filter(|code| !code.is_empty()).collect()
    };
    unacknowledged
        .map(|row| {
            let (hold, user) = (&row.hold, row.user);
            format!("hold {hold} of user {user}, who was refused: {:?}", refused(user))
        })
        .collect()
}

/// A hold has all requested seats, and either all of them are paid or none is.
pub fn whole_or_absent(evidence: &Evidence) -> Vec<String> {
    let mut rows: HashMap<&str, Vec<&str>> = HashMap::new();
    for row in &evidence.books.reservations {
        rows.entry(&row.hold).or_default().push(&row.status);
    }
    let mut broken = Vec::new();
    for hold in evidence.holds() {
        let there = rows.get(hold.id).map_or(0, Vec::len);
        if let Act::Hold { quantity, .. } = hold.op.act
            && (there != quantity || hold.seats.len() != quantity)
        {
            broken.push(format!("hold {} has {there} of {quantity} seats", hold.id));
        }
    }
    for (hold, statuses) in rows {
        let paid = statuses.iter().filter(|it| ["COMPLETE", "REFUNDED"].contains(it)).count();
        if paid != 0 && paid != statuses.len() {
            broken.push(format!("hold {hold} is paid in part: {statuses:?}"));
        }
    }
    broken
}

/// All answers under the same key are the same.
pub fn one_key_one_answer(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    for op in evidence.record.ops.iter().filter(|op| has_stored_answer(op)) {
        let mut answers = stored(op).map(|answer| (answer.status, without_instance(answer)));
        let first = answers.next();
        if let Some(other) = answers.find(|answer| Some(answer) != first.as_ref()) {
            broken.push(format!("{:?}: {first:?}, then {other:?}", op.act));
        }
    }
    let mut charges: HashMap<(i64, &str), usize> = HashMap::new();
    for it in evidence.books.moves.iter().filter(|it| it.kind == "CHARGE") {
        *charges.entry((it.user, &it.reference)).or_default() += 1;
    }
    let twice = charges.into_iter().filter(|(_, times)| *times > 1);
    broken.extend(twice.map(|((user, key), times)| format!("{key} of user {user}: {times} times")));
    broken
}

/// The answers that are stored under a key, which must be the same. A hold may be refused before it
/// is granted, also a concurrent try of it; but not after its owner got the grant.
fn stored(op: &Op) -> impl Iterator<Item = &Answer> {
    let granted = op.finals().filter(|(_, answer)| answer.is_ok());
    let granted = granted.map(|(attempt, _)| attempt.to).min();
    let holds = matches!(op.act, Act::Hold { .. });
    let passing = move |attempt: &Attempt, answer: &Answer| {
        holds && !answer.is_ok() && granted.is_none_or(|granted| attempt.from < granted)
    };
    let stored = op.finals().filter(move |(attempt, answer)| !passing(attempt, answer));
    stored.map(|(_, answer)| answer)
}

/// Whether the answers under the key of a request must be the same: always for charges, payments
/// and refunds, and for holds that were granted.
fn has_stored_answer(op: &Op) -> bool {
    let money = matches!(op.act, Act::Pay { .. } | Act::Refund { .. } | Act::Charge { .. });
    let success = op.success().is_some() && matches!(op.act, Act::Hold { .. });
    op.key.is_some() && (money || success)
}

fn without_instance(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("instance");
    }
    body
}

/// No answer is outside of the contract.
pub fn within_the_contract(evidence: &Evidence) -> Vec<String> {
    evidence.record.unexpected.clone()
}
