//! What must always hold, and what must come up at all for that to mean something.

use stateright::Property;

use crate::state::{
    Answer, At, POINTS, Payment, Request, Row, Shown, Sight, State, Status, Task, Told,
};
use crate::steps::Protocol;

pub const ONE_LIVE_ROW: &str = "a seat has at most one live row";
pub const PAID_IS_SOLD: &str = "what is paid is sold, and what is sold is paid";
pub const BOOKS: &str = "a balance is its history, and the history is what was paid";
pub const EXCLUSIVE: &str = "a hold that was acknowledged is exclusive until its end";
pub const IN_TIME: &str = "nothing is paid after its end";
pub const TRUTH: &str = "nobody is refused what they have, or told two things";
pub const AGREE: &str = "Redis shows what PostgreSQL decided, once it was told";

pub const SOLD_AGAIN: &str = "a seat is refunded and sold again";
pub const TAKEN_OVER: &str = "a hold is taken over";
pub const REBUILT_WITH_A_HOLD: &str = "Redis is rebuilt while a hold lasts";
pub const REPLAYED: &str = "an answer is given again";
pub const BEGUN_ANEW: &str = "a rebuilding is given up and begun anew";

/// By buyer.
fn rows(state: &State) -> impl Iterator<Item = (usize, Row)> {
    let of = |(buyer, row): (usize, Option<Row>)| row.map(|row| (buyer, row));
    state.pg.rows.into_iter().enumerate().filter_map(of)
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

fn books(_: &Protocol, state: &State) -> bool {
    let paid =
        |buyer: usize| state.pg.rows[buyer].is_some_and(|row| row.status == Status::Complete);
    (0..2).all(|buyer| {
        let (balance, history) = (state.pg.balance[buyer], state.pg.history[buyer]);
        balance == POINTS + history && balance >= 0 && -history == i8::from(paid(buyer))
    })
}

fn exclusive(_: &Protocol, state: &State) -> bool {
    state.told.iter().enumerate().all(|(buyer, told)| {
        let held = told[Request::Hold as usize] == Some(Answer::Done);
        // Its owner alone ends it before that.
        let kept = |row: Row| state.now >= row.expires || row.status != Status::Expired;
        !held || state.pg.rows[buyer].is_some_and(kept)
    })
}

fn in_time(_: &Protocol, state: &State) -> bool {
    !state.sights.has(Sight::PaidLate)
}

fn truth(_: &Protocol, state: &State) -> bool {
    !state.sights.has(Sight::RefusedWrongly) && !state.sights.has(Sight::AnsweredTwice)
}

/// What the reconciler goes by: with nothing left in the outbox the two agree, whatever came late.
fn agree(_: &Protocol, State { pg, redis, now, .. }: &State) -> bool {
    let told = pg.outbox.iter().flatten().all(|change| change.told);
    if !told || redis.epoch != pg.epoch || redis.loading.is_some() {
        return true;
    }
    redis.shown == pg.shown()
        && match redis.shown {
            Shown::Keep(_, until) if until > *now => redis.until == until && redis.claim.is_none(),
            Shown::Sell(_) => redis.until == 0,
            Shown::Keep(..) | Shown::Free => redis.claim.is_some() || redis.until == 0,
        }
}

fn sold_again(_: &Protocol, state: &State) -> bool {
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
        && matches!(redis.shown, Shown::Keep(_, until) if until > *now)
}

fn replayed(_: &Protocol, state: &State) -> bool {
    let again = |task: &Task| matches!(task, Task::Request(_, _, At::Answer(_, Told::Again)));
    state.tasks.iter().flatten().any(again)
}

/// Each loss is one epoch; more are rebuildings that were begun and not ended.
fn begun_anew(_: &Protocol, State { redis, losses, .. }: &State) -> bool {
    redis.epoch > 1 + losses && redis.loading.is_none()
}

pub fn all() -> Vec<Property<Protocol>> {
    vec![
        Property::always(ONE_LIVE_ROW, one_live_row),
        Property::always(PAID_IS_SOLD, paid_is_sold),
        Property::always(BOOKS, books),
        Property::always(EXCLUSIVE, exclusive),
        Property::always(IN_TIME, in_time),
        Property::always(TRUTH, truth),
        Property::always(AGREE, agree),
        Property::sometimes(SOLD_AGAIN, sold_again),
        Property::sometimes(TAKEN_OVER, taken_over),
        Property::sometimes(REBUILT_WITH_A_HOLD, rebuilt_with_a_hold),
        Property::sometimes(REPLAYED, replayed),
        Property::sometimes(BEGUN_ANEW, begun_anew),
    ]
}
