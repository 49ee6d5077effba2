//! The integration tests: one binary, real servers. `make test` starts PostgreSQL for all of them;
//! each test has a database and a Redis of its own.

mod administration;
mod board;
mod catalogue;
mod codes;
mod description;
mod fields;
mod identity;
mod life;
mod operations;
mod provider;
mod refusals;
mod repeats;
mod seatmap;
mod support;
