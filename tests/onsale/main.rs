//! The integration tests: one binary, real servers. `make test` starts PostgreSQL for all of them;
//! each test has a database and a Redis of its own.

mod expiry;
mod fault;
mod life;
mod line;
mod money;
mod outage;
mod race;
mod recovery;
mod scripts;
mod slots;
mod support;
mod turns;
