//! Properties that must hold in every state, and situations that the search must reach: without
//! them the properties would prove nothing.

use stateright::Property;

use crate::state::{
    Answer, AnswerSource, POINTS, Payment, Progress, Request, Row, SeatState, State, Status, Task,
    Violation,
};
use crate::steps::Protocol;

pub const ONE_LIVE_ROW: &str = "a seat has at most one live row";
pub const PAID_IS_SOLD: &str = "a seat is sold if and only if it is paid";
pub const BALANCES: &str = "balance, history and paid seats agree";
pub const EXCLUSIVE: &str = "an acknowledged hold is exclusive until its end";
pub const IN_TIME: &str = "no hold is paid after its end";
pub const CORRECT_ANSWERS: &str =
    "no request that took effect is refused, and none has two answers";
pub const STORES_AGREE: &str = "Redis matches PostgreSQL once it has applied every change";

pub const RESOLD: &str = "a seat is refunded and sold again";
pub const TAKEN_OVER: &str = "an expired hold is replaced by a hold of the other buyer";
pub const REBUILT_WITH_A_HOLD: &str = "Redis is rebuilt during a hold";
pub const REPEATED: &str = "a retry gets the stored answer";
pub const RESTARTED: &str = "an abandoned rebuild is restarted under a new epoch";

/// The existing rows, with the index of their buyer.
fn rows(state: &State) -> impl Iterator<Item = (usize, Row)> {
    let with_buyer = |(buyer, row): (usize, Option<Row>)| row.map(|row| (buyer, row));
    state.pg.rows.into_iter().enumerate().filter_map(with_buyer)
}

fn one_live_row(_: &Protocol, state: &State) -> bool {
    rows(state).filter(|(_, row)| row.live()).count() <= 1
}

fn paid_is_sold(_: &Protocol, state: &State) -> bool {
    rows(state).all(|(_, row)| match row.paid {
        Some(Payment::Complete) => row.status == Status::Complete,
        Some(Payment::Refunded) => row.status == Status::Refunded,
        None => ![Status::Complete, Status::Refunded].contains(&row.status),
    })
}

fn balances(_: &Protocol, state: &State) -> bool {
    let paid =
        |buyer: usize| state.pg.rows[buyer].is_some_and(|row| row.status == Status::Complete);
    (0..2).all(|buyer| {
        let (balance, history) = (state.pg.balance[buyer], state.pg.history[buyer]);
        balance == POINTS + history && balance >= 0 && -history == i8::from(paid(buyer))
    })
}

fn exclusive(_: &Protocol, state: &State) -> bool {
    state.answers.iter().enumerate().all(|(buyer, answers)| {
        let held = answers[Request::Hold as usize] == Some(Answer::Done);
        // Before the end, only the buyer may end the hold, by a release or a payment.
        let kept = |row: Row| state.now >= row.expires || row.status != Status::Expired;
        !held || state.pg.rows[buyer].is_some_and(kept)
    })
}

fn in_time(_: &Protocol, state: &State) -> bool {
    !state.violations.has(Violation::PaidLate)
}

fn correct_answers(_: &Protocol, state: &State) -> bool {
    !state.violations.has(Violation::RefusedWrongly)
        && !state.violations.has(Violation::AnsweredTwice)
}

/// The reconciler relies on this: with an empty outbox both stores agree, even if commands arrived
/// late.
fn stores_agree(_: &Protocol, State { pg, redis, now, .. }: &State) -> bool {
    let applied = pg.outbox.iter().flatten().all(|change| change.applied);
    if !applied || redis.epoch != pg.epoch || redis.loading.is_some() {
        return true;
    }
    redis.seat_state == pg.seat_state()
        && match redis.seat_state {
            SeatState::Held(_, until) if until > *now => {
                redis.until == until && redis.claim.is_none()
            }
            SeatState::Sold(_) => redis.until == 0,
            SeatState::Held(..) | SeatState::Free => redis.claim.is_some() || redis.until == 0,
        }
}

fn resold(_: &Protocol, state: &State) -> bool {
    let statuses: Vec<Status> = rows(state).map(|(_, row)| row.status).collect();
    statuses.contains(&Status::Refunded) && statuses.contains(&Status::Complete)
}

fn taken_over(_: &Protocol, state: &State) -> bool {
    let statuses: Vec<Status> = rows(state).map(|(_, row)| row.status).collect();
    statuses.contains(&Status::Expired) && statuses.contains(&Status::Waiting)
}

fn rebuilt_with_a_hold(_: &Protocol, State { redis, losses, now, .. }: &State) -> bool {
    *losses > 0
        && redis.loading.is_none()
        && matches!(redis.seat_state, SeatState::Held(_, until) if until > *now)
}

fn repeated(_: &Protocol, state: &State) -> bool {
    let stored =
        |task: &Task| matches!(task, Task::Request(_, _, Progress::Reply(_, AnswerSource::Stored)));
    state.tasks.iter().flatten().any(stored)
}

/// Each loss of Redis needs one epoch. Further epochs come from rebuilds that were not finished.
fn restarted(_: &Protocol, State { redis, losses, .. }: &State) -> bool {
    redis.epoch > 1 + losses && redis.loading.is_none()
}

pub fn all() -> Vec<Property<Protocol>> {
    vec![
        Property::always(ONE_LIVE_ROW, one_live_row),
        Property::always(PAID_IS_SOLD, paid_is_sold),
        Property::always(BALANCES, balances),
        Property::always(EXCLUSIVE, exclusive),
        Property::always(IN_TIME, in_time),
        Property::always(CORRECT_ANSWERS, correct_answers),
        Property::always(STORES_AGREE, stores_agree),
        Property::sometimes(RESOLD, resold),
        Property::sometimes(TAKEN_OVER, taken_over),
        Property::sometimes(REBUILT_WITH_A_HOLD, rebuilt_with_a_hold),
        Property::sometimes(REPEATED, repeated),
        Property::sometimes(RESTARTED, restarted),
    ]
}
