//! onsale: a ticket-sale engine. The modules, in the order a buyer meets them.

/// Wires stores, services, routes and loops into one process, and drains it.
pub mod app;
/// The read model: polls, boards and seat maps without asking a store.
pub mod board;
/// What is on sale: concerts, schedules, seats, and the public seat map.
pub mod concert;
/// Settings by concern, read from the environment and the command line.
pub mod config;
/// What the service speaks: problems, callers, pages, limits, and the API's description.
pub mod http;
/// One effect and one answer per idempotency key.
pub mod idempotency;
/// What Redis must still hear of, written with the effect.
pub mod outbox;
/// The two stores: connections, transactions, and how they fail.
pub mod store;
/// What the service tells its operators: logs, traces, metrics.
pub mod telemetry;
/// People: sign-up, access tokens, and who a token speaks for.
pub mod user;
