//! onsale: a ticket-sale engine. The modules, in the order a buyer meets them.

/// People: sign-up, access tokens, and who a token speaks for.
pub mod user;
/// What is on sale: concerts, schedules, seats, and the public seat map.
pub mod concert;
/// The line: joining, waiting, being let in, leaving.
pub mod queue;
/// The read model: polls, boards and seat maps without asking a store.
pub mod board;
/// Claims on seats before PostgreSQL has spoken, and what Redis is told afterwards.
pub mod hold;
/// Reservations: a claim becomes rows, all or none.
pub mod reservation;
/// Points: the balance, and the history that it is the sum of.
pub mod point;
/// Payments and refunds: where money and seats change hands.
pub mod payment;
/// One effect and one answer per idempotency key.
pub mod idempotency;
/// What Redis must still hear of, written with the effect.
pub mod outbox;
/// The loops: what keeps the two stores in step and time moving.
pub mod upkeep;
/// The two stores: connections, transactions, and how they fail.
pub mod store;
/// What the service speaks: problems, callers, pages, limits, and the API's description.
pub mod http;
/// Wires stores, services, routes and loops into one process, and drains it.
pub mod app;
/// Settings by concern, read from the environment and the command line.
pub mod config;
/// What the service tells its operators: logs, traces, metrics.
pub mod telemetry;
/// Private Redis and PostgreSQL servers, for `onsale dev`, tests and benches alike.
pub mod dev;
