//! What one answer gives the next request: links between operations (OpenAPI 3.1, Link Object), for
//! readers, and for tools that follow them, as `make fuzz` does. Expressions inside of a body are an
//! extension that such tools know; the specification has them only instead of one.

use serde_json::{Value, json};
use utoipa::openapi::link::Link;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Paths, RefOr};

/// From an operation's answer to another operation.
struct Follows {
    /// The operations by their ids.
    from: &'static str,
    to: &'static str,
    /// What the other one takes in its address, and where that is found: a runtime expression.
    address: Option<(&'static str, &'static str)>,
    /// The other one's body, with such expressions in it.
    body: Option<Value>,
}

/// Where the answer has an id.
const ID: &str = "$response.body#/id";
/// Where a list has the id of what comes first.
const FIRST: &str = "$response.body#/items/0/id";
const SCHEDULE: &str = "$response.body#/schedule_id";
const HOLD: &str = "$response.body#/hold_id";
const CODE: &str = "$response.body#/code";

fn all() -> [Follows; 23] {
    [
        to("concerts", "concert", "id", FIRST),
        to("concerts", "schedules", "id", FIRST),
        to("schedules", "schedule", "id", FIRST),
        to("schedules", "seat_layout", "id", FIRST),
        to("schedules", "join", "id", FIRST),
        to("poll", "seat_layout", "id", SCHEDULE),
        Follows {
            body: Some(json!({"seat_ids": ["$response.body#/seats/0/id"]})),
            ..to("seat_layout", "hold", "id", SCHEDULE)
        },
        to("hold", "find_hold", "hold_id", HOLD),
        to("hold", "release", "hold_id", HOLD),
        to("hold", "find_reservation", "id", "$response.body#/reservations/0/id"),
        with_body("hold", "pay", json!({"hold_id": HOLD})),
        to("pay", "refund", "id", "$response.body#/payments/0/id"),
        to("pay", "find_reservation", "id", "$response.body#/payments/0/reservation_id"),
        to("list_payments", "refund", "id", FIRST),
        to("list_reservations", "find_reservation", "id", FIRST),
        with_body("make_handoff", "take_handoff", json!({"code": CODE})),
        to("make_stream_code", "stream_ticket", "code", CODE),
        to("create_concert", "change_concert", "id", ID),
        to("create_concert", "create_schedule", "id", ID),
        to("create_schedule", "add_seats", "id", ID),
        to("create_schedule", "change_times", "id", ID),
        to("create_schedule", "change_queue", "id", ID),
        to("create_schedule", "stats", "id", ID),
    ]
}

fn to(
    from: &'static str,
    to: &'static str,
    name: &'static str,
    expression: &'static str,
) -> Follows {
    Follows { from, to, address: Some((name, expression)), body: None }
}

fn with_body(from: &'static str, to: &'static str, body: Value) -> Follows {
    Follows { from, to, address: None, body: Some(body) }
}

/// Adds the links that start at operations of these paths and lead to such.
pub(super) fn add(paths: &mut Paths) {
    let known: Vec<_> = operations(paths).filter_map(|it| it.operation_id.clone()).collect();
    let all = all();
    for operation in operations(paths) {
        let own = operation.operation_id.clone();
        let follows = all.iter().filter(|link| own.as_deref() == Some(link.from));
        for link in follows.filter(|link| known.iter().any(|id| id == link.to)) {
            add_to(operation, link);
        }
    }
}

/// A link belongs to every answer that is a success with a body.
fn add_to(operation: &mut Operation, follows: &Follows) {
    let mut link = Link::builder().operation_id(follows.to);
    if let Some((name, expression)) = follows.address {
        link = link.parameter(name, expression);
    }
    let link = link.request_body(follows.body.clone()).build();
    for (status, answer) in &mut operation.responses.responses {
        if let RefOr::T(response) = answer
            && status.starts_with('2')
            && !response.content.is_empty()
        {
            response.links.insert(follows.to.to_owned(), link.clone().into());
        }
    }
}

pub(super) fn operations(paths: &mut Paths) -> impl Iterator<Item = &mut Operation> {
    paths.paths.values_mut().flat_map(|item| {
        let PathItem { get, put, post, delete, patch, .. } = item;
        [get, put, post, delete, patch].into_iter().flatten()
    })
}
