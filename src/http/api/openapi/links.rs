//! Links between operations (OpenAPI 3.1, Link Object): which value of an answer the next request
//! needs. They are for readers, and for tools that follow links, such as `make fuzz`.
//!
//! A runtime expression inside a request body is an extension of such tools: the specification
//! allows an expression only in place of the whole body.

use serde_json::{Value, json};
use utoipa::openapi::link::Link;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Paths, RefOr};

/// A link from an operation's answer to another operation; both by their ids.
struct OperationLink {
    from: &'static str,
    to: &'static str,
    /// A parameter in the target's URL, and the runtime expression of its value.
    address: Option<(&'static str, &'static str)>,
    /// The target's request body, with runtime expressions in it.
    body: Option<Value>,
}

/// The id in an answer.
const ID: &str = "$response.body#/id";
/// The id of the first item of a list.
const FIRST: &str = "$response.body#/items/0/id";
const SCHEDULE: &str = "$response.body#/schedule_id";
const HOLD: &str = "$response.body#/hold_id";
const CODE: &str = "$response.body#/code";

fn all() -> [OperationLink; 25] {
    [
        to("concerts", "concert", "id", FIRST),
        to("concerts", "schedules", "id", FIRST),
        to("schedules", "schedule", "id", FIRST),
        to("schedules", "seat_layout", "id", FIRST),
        to("schedules", "join", "id", FIRST),
        to("poll", "seat_layout", "id", SCHEDULE),
        OperationLink {
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
        to("create_schedule", "publish_schedule", "id", ID),
        to("create_schedule", "seats_state", "id", ID),
        to("create_schedule", "stats", "id", ID),
    ]
}

fn to(
    from: &'static str,
    to: &'static str,
    name: &'static str,
    expression: &'static str,
) -> OperationLink {
    OperationLink { from, to, address: Some((name, expression)), body: None }
}

fn with_body(from: &'static str, to: &'static str, body: Value) -> OperationLink {
    OperationLink { from, to, address: None, body: Some(body) }
}

/// Adds the links whose two operations are both among these paths.
pub(super) fn add(paths: &mut Paths) {
    let ids: Vec<_> = operations(paths).filter_map(|it| it.operation_id.clone()).collect();
    let all = all();
    for operation in operations(paths) {
        let own = operation.operation_id.clone();
        let links = all.iter().filter(|link| own.as_deref() == Some(link.from));
        for link in links.filter(|link| ids.iter().any(|id| id == link.to)) {
            add_to(operation, link);
        }
    }
}

/// Adds a link to every answer of the operation that is a success with a body.
fn add_to(operation: &mut Operation, target: &OperationLink) {
    let mut link = Link::builder().operation_id(target.to);
    if let Some((name, expression)) = target.address {
        link = link.parameter(name, expression);
    }
    let link = link.request_body(target.body.clone()).build();
    for (status, answer) in &mut operation.responses.responses {
        if let RefOr::T(response) = answer
            && status.starts_with('2')
            && !response.content.is_empty()
        {
            response.links.insert(target.to.to_owned(), link.clone().into());
        }
    }
}

pub(super) fn operations(paths: &mut Paths) -> impl Iterator<Item = &mut Operation> {
    paths.paths.values_mut().flat_map(|item| {
        let PathItem { get, put, post, delete, patch, .. } = item;
        [get, put, post, delete, patch].into_iter().flatten()
    })
}
