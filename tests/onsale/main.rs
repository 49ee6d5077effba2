//! The integration tests: one binary, real servers. `make test` starts one PostgreSQL for all
//! tests. Each test has its own database and its own Redis, which is a cluster under `make
//! test-cluster`.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper fails its test by a panic")]

mod admin;
mod box_office;
mod deploy;
mod http;
mod jobs;
mod money;
mod pages;
mod queue;
mod recovery;
mod sale;
mod scripts;
mod streams;
mod support;
mod webhooks;
