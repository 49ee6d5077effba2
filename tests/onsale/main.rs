//! The integration tests: one binary, real servers. `make test` starts PostgreSQL for all of them;
//! each test has a database and a Redis of its own, which is a cluster where `make test-cluster` runs
//! them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of a test fails as the test does"
)]

mod access;
mod administration;
mod backward;
mod best;
mod board;
mod boards;
mod calls;
mod catalogue;
mod checkout;
mod claims;
mod codes;
mod comebacks;
mod connections;
mod description;
mod draw;
mod draw_proof;
mod draw_recovery;
mod event_report;
mod expiry;
mod explained;
mod failover;
mod fault;
mod fields;
mod forms;
mod handoff;
mod hangups;
mod hardened;
mod hostile;
mod identity;
mod jwks;
mod life;
mod limits;
mod line;
mod listing;
mod matrix;
mod money;
mod operations;
mod outage;
mod page_forms;
mod pages;
mod parking;
mod presence;
mod problems;
mod provider;
mod race;
mod rebuild;
mod reconciler;
mod recovery;
mod refusals;
mod repeats;
mod replays;
mod reshard;
mod scripts;
mod seatmap;
mod secrets;
mod sessions;
mod shortcut;
mod slot_ends;
mod slots;
mod streams;
mod streams_many;
mod streams_seats;
mod support;
mod turns;
mod watching;
mod wrong;
