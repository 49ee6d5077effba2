//! onsale: a ticket-sale engine.

/// Administration: creates concerts, schedules and seats, and controls sales.
pub mod admin;
/// Wires stores, services, routes and loops into one process, and drains it.
pub mod app;
/// The read model: answers polls, boards and seat maps from memory.
pub mod board;
/// The caller of a request: the user and role of an access token.
pub mod caller;
/// The catalogue: concerts, schedules, seats, and the public seat map.
pub mod concert;
/// Settings by concern, read from the environment and the command line.
pub mod config;
/// HTTP: the server, its limits, the common parts of the API, and event streams.
pub mod http;
/// Idempotency keys: one effect and one answer per key.
pub mod idempotency;
/// Jobs: long work of operators, page by page, that survives a killed process.
pub mod job;
/// The outbox: changes that Redis must still get, written in the transaction of the effect.
pub mod outbox;
/// Lists in pages, and their cursors.
pub mod pagination;
/// Payments of holds, and refunds.
pub mod payment;
/// Points: each user's balance and its history.
pub mod point;
/// Preconditions of changes: entity tags and `If-Match`.
pub mod precondition;
/// The waiting room: joining, waiting, admission, leaving.
pub mod queue;
/// Rate limits: a token bucket per key.
pub mod rate_limit;
/// Rehearsals: synthetic buyers in a shadow of a schedule.
pub mod rehearsal;
/// Reservations: seat claims become rows in PostgreSQL, all or none.
pub mod reservation;
/// Seat claims in Redis before PostgreSQL decides, and the updates of Redis afterwards.
pub mod seats;
/// The two stores: connections, transactions and errors.
pub mod store;
/// JSON objects that must not be arrays.
pub mod strict_object;
/// Logs, traces and metrics for operators.
pub mod telemetry;
/// Background work between the two stores: relay, rebuild, reconciliation, purge.
pub mod upkeep;
/// Users: sign-up, access tokens, and the users of tokens.
pub mod user;
/// The pages for buyers and operators, and their files.
pub mod web;
/// Events out: signed webhooks, and a feed.
pub mod webhook;
