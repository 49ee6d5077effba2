//! onsale: a ticket-sale engine. The modules, in the order a buyer meets them.

/// Making concerts, schedules and seats, and steering sales.
pub mod admin;
/// Wires stores, services, routes and loops into one process, and drains it.
pub mod app;
/// The read model: polls, boards and seat maps without asking a store.
pub mod board;
/// Who calls: the user and role of an access token.
pub mod caller;
/// What is on sale: concerts, schedules, seats, and the public seat map.
pub mod concert;
/// Settings by concern, read from the environment and the command line.
pub mod config;
/// Private Redis and PostgreSQL servers, for `onsale dev`, tests and benches alike.
pub mod dev;
/// What the service speaks: problems, callers, pages, limits, and the API's description.
pub mod http;
/// One effect and one answer per idempotency key.
pub mod idempotency;
/// What Redis must still hear of, written with the effect.
pub mod outbox;
/// Pages of lists, and their cursors.
pub mod pagination;
/// Payments and refunds: where money and seats change hands.
pub mod payment;
/// Points: the balance, and the history that it is the sum of.
pub mod point;
/// The line: joining, waiting, being let in, leaving.
pub mod queue;
/// Rate limits: a token bucket per key.
pub mod rate_limit;
/// Reservations: a claim becomes rows, all or none.
pub mod reservation;
/// Seat claims in Redis before PostgreSQL decides, and what Redis learns of seats afterwards.
pub mod seats;
/// The two stores: connections, transactions, and how they fail.
pub mod store;
/// JSON objects that must not be arrays.
pub mod strict_object;
/// What the service tells its operators: logs, traces, metrics.
pub mod telemetry;
/// The loops: what keeps the two stores in step and time moving.
pub mod upkeep;
/// People: sign-up, access tokens, and who a token speaks for.
pub mod user;
/// What people see: pages in their language, and the files that pages are made of.
pub mod web;
