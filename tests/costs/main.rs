//! Counts what operations cost: script calls and commands of Redis, round trips to PostgreSQL, and
//! allocations. It measures no time, so the result is the same on a slow machine. `figures.txt` has
//! the recorded figures; a measured one may exceed its recorded one by 5 %. Traces are on, and no
//! request is recorded: that must cost nothing.
//!
//! To record new figures on purpose: [`figures::RECORD`].
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper fails its test by a panic")]

mod figures;
mod meters;
mod operations;
mod stage;
#[path = "../onsale/support/mod.rs"]
#[expect(dead_code, reason = "shared with the other integration tests, which use all of it")]
mod support;
mod wire;

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use figures::{Figures, exceeded};
use operations::{OPERATIONS, Operation};
use stage::Stage;

/// Counts the allocations of this process, in which the service and the client run.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Held by each test: a plain `cargo test` runs both in one process, and the other's allocations
/// would count.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_operation_costs_more_calls_round_trips_or_allocations_than_recorded() {
    let _alone = ALONE.lock().await;
    let mut stage = Stage::new().await;
    let mut measured = Figures::default();
    for operation in OPERATIONS {
        measured.extend(stage.measure(operation).await);
    }
    println!("{measured}");
    if figures::is_recording() {
        measured.write();
        return;
    }
    let broken = exceeded(&Figures::read(), &measured);
    assert!(broken.is_empty(), "\n{}\n{}", broken.join("\n"), figures::RECORD);
}

/// The negative control. A query makes a poll miss the fast path: the router's allocations are
/// found. An active ticket is looked up in Redis: the call is found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_that_misses_the_fast_path_costs_more_than_recorded() {
    let _alone = ALONE.lock().await;
    let mut stage = Stage::new().await;
    for (operation, found) in
        [(Operation::RoutedPoll, "allocations"), (Operation::ActivePoll, "redis_script_calls")]
    {
        let measured = stage.measure(operation).await.renamed("poll");
        let broken = exceeded(&Figures::read(), &measured);
        assert!(broken.iter().any(|line| line.contains(found)), "{measured}");
    }
}
