//! What was told, against what is there: nothing told is missing, nothing refused has happened.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::Evidence;
use crate::history::{Act, Answer, Attempt, Op};

/// Every charge, hold, payment and refund that was acknowledged is in the books.
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
    let told = evidence.record.ops.iter().filter_map(|op| Some((op, op.success()?)));
    let missing = told.filter(|(op, answer)| !is_there(op, answer));
    missing.map(|(op, _)| format!("{:?} of user {} is not there", op.act, op.user)).collect()
}

fn numbers(list: &Value, name: &str) -> Vec<i64> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| item[name].as_i64()).collect()
}

/// What is in the books was acknowledged, or its outcome stayed unknown.
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
    let unasked = evidence.books.moves.iter().filter(|it| match it.kind.as_str() {
        "PAYMENT" => !paid.contains(it.reference.as_str()),
        "REFUND" => !it.reference.parse().is_ok_and(|payment| refunded.contains(&payment)),
        _ => !charged.contains(it.reference.as_str()),
    });
    let unasked = unasked.map(|it| format!("{} {} of user {}", it.kind, it.reference, it.user));
    unasked.chain(holds_nobody_was_told_of(evidence)).collect()
}

/// A refused hold may still come of an earlier try whose answer was lost: its refusal is not kept
/// under the key. Every other hold in the books was told.
fn holds_nobody_was_told_of(evidence: &Evidence) -> Vec<String> {
    let told: HashSet<&str> = evidence.holds().iter().map(|hold| hold.id).collect();
    let holds = evidence.record.ops.iter().filter(|op| matches!(op.act, Act::Hold { .. }));
    let ghosts = holds.filter(|op| op.success().is_none() && op.has_unknown_try());
    let ghosts: HashSet<i64> = ghosts.map(|op| op.user).collect();
    let probed: HashSet<i64> = evidence.record.ops.iter().map(|op| op.user).collect();
    let untold = evidence.books.reservations.iter().filter(|row| {
        !told.contains(row.hold.as_str())
            && !ghosts.contains(&row.user)
            && probed.contains(&row.user)
    });
    let refused = |user: i64| -> Vec<&str> {
        let holds = evidence.record.ops.iter().filter(|op| op.user == user && op.key.is_some());
        holds.flat_map(Op::answers).map(Answer::code).filter(|code| !code.is_empty()).collect()
    };
    untold
        .map(|row| {
            let (hold, user) = (&row.hold, row.user);
            format!("hold {hold} of user {user}, who was refused: {:?}", refused(user))
        })
        .collect()
}

/// A hold has all seats that were asked for, and they come to the same end until they are paid.
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

/// Every answer to the same key says the same.
pub fn one_key_one_answer(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    for op in evidence.record.ops.iter().filter(|op| is_remembered(op)) {
        let mut answers = kept(op).map(|answer| (answer.status, without_instance(answer)));
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

/// The answers that are kept under a key, and so are the same. A hold may be refused before it is
/// given, and a twin of it meanwhile; not after its owner was told of it.
fn kept(op: &Op) -> impl Iterator<Item = &Answer> {
    let given = op.told().filter(|(_, answer)| answer.is_ok()).map(|(attempt, _)| attempt.to).min();
    let holds = matches!(op.act, Act::Hold { .. });
    let passing = move |attempt: &Attempt, answer: &Answer| {
        holds && !answer.is_ok() && given.is_none_or(|given| attempt.from < given)
    };
    let kept = op.told().filter(move |(attempt, answer)| !passing(attempt, answer));
    kept.map(|(_, answer)| answer)
}

/// Successes are, and the refusals of paying and refunding; but of those not that nothing is there.
fn is_remembered(op: &Op) -> bool {
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

/// No answer that the contract does not know, least of all a defect's.
pub fn within_the_contract(evidence: &Evidence) -> Vec<String> {
    evidence.record.surprises.clone()
}
