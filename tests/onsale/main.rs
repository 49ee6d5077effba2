//! The integration tests: one binary, real servers. `make test` starts PostgreSQL for all of them;
//! each test has a database and a Redis of its own.

mod life;
mod scripts;
mod support;
