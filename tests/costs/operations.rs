//! The operations that are counted, and their requests.

use serde_json::json;

use crate::stage::{Buyer, Stage};
use crate::wire::request;

/// Operations whose costs are recorded.
pub const OPERATIONS: [Operation; 6] = [
    Operation::Poll,
    Operation::Join,
    Operation::Hold,
    Operation::RefusedHold,
    Operation::Payment,
    Operation::Charge,
];

const TICKET: &str = "/v1/queue/ticket";

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A poll by a waiting ticket.
    Poll,
    /// A join by a new user who has to wait.
    Join,
    /// A hold of one free seat.
    Hold,
    /// A hold of a seat that another buyer holds.
    RefusedHold,
    /// The payment of a hold of one seat.
    Payment,
    /// A charge of points.
    Charge,
    /// A poll that the router answers, for the negative control.
    RoutedPoll,
    /// A poll by an active ticket, for the negative control.
    ActivePoll,
}

impl Operation {
    pub fn name(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Join => "join",
            Self::Hold => "hold",
            Self::RefusedHold => "refused_hold",
            Self::Payment => "payment",
            Self::Charge => "charge",
            Self::RoutedPoll => "routed_poll",
            Self::ActivePoll => "active_poll",
        }
    }

    /// Number of requests in one round. A poll costs so little that the loops of the process would
    /// show in a short round.
    pub fn count(self) -> usize {
        if matches!(self, Self::Poll | Self::RoutedPoll) { 1000 } else { 100 }
    }

    /// Whether allocations are counted too: of operations that PostgreSQL takes no part in.
    pub fn counts_allocations(self) -> bool {
        !matches!(self, Self::Hold | Self::Payment | Self::Charge)
    }

    /// The status of each answer, and a text in its body.
    pub fn answer(self) -> (&'static str, &'static str) {
        match self {
            Self::Poll | Self::RoutedPoll => ("200", "\"WAITING\""),
            Self::ActivePoll => ("200", "\"ACTIVE\""),
            Self::Join => ("201", "\"WAITING\""),
            Self::Hold => ("201", "\"hold_id\""),
            Self::RefusedHold => ("409", "\"seat_taken\""),
            Self::Payment => ("201", "\"COMPLETE\""),
            Self::Charge => ("201", "\"balance\""),
        }
    }

    /// Creates the requests of one round.
    pub async fn requests(self, stage: &mut Stage) -> Vec<Vec<u8>> {
        let count = self.count();
        match self {
            Self::Poll => vec![poll(TICKET, &stage.waiting_ticket); count],
            Self::RoutedPoll => vec![poll(&format!("{TICKET}?"), &stage.waiting_ticket); count],
            Self::ActivePoll => {
                let buyers = stage.active_buyers(count).await;
                buyers.iter().map(|buyer| poll(TICKET, &buyer.ticket)).collect()
            }
            Self::Join => {
                let path = format!("/v1/schedules/{}/queue", stage.waiting_room);
                let tokens = stage.users(count).await;
                let join = |bearer: &String| request(("POST", &path), &[auth(bearer)], None);
                tokens.iter().map(join).collect()
            }
            Self::Hold => stage.holds(count).await,
            Self::RefusedHold => {
                let buyers = stage.active_buyers(count).await;
                buyers.iter().map(|buyer| hold(stage, buyer, stage.taken_seat)).collect()
            }
            Self::Payment => stage.payments(count).await,
            Self::Charge => {
                let charge = json!({"amount": 1});
                let tokens = stage.users(count).await;
                let charge = |bearer: &String| {
                    let headers = [auth(bearer), ("idempotency-key", "charge")];
                    request(("POST", "/v1/points/charges"), &headers, Some(&charge))
                };
                tokens.iter().map(charge).collect()
            }
        }
    }
}

fn poll(path: &str, ticket: &str) -> Vec<u8> {
    request(("GET", path), &[("queue-token", ticket)], None)
}

pub fn auth(bearer: &str) -> (&'static str, &str) {
    ("authorization", bearer)
}

/// A hold of one seat.
pub fn hold(stage: &Stage, buyer: &Buyer, seat: i64) -> Vec<u8> {
    let path = format!("/v1/schedules/{}/reservations", stage.sale.schedule);
    let headers =
        [auth(&buyer.bearer), ("queue-token", &*buyer.ticket), ("idempotency-key", "hold")];
    request(("POST", &path), &headers, Some(&json!({"seat_ids": [seat]})))
}
