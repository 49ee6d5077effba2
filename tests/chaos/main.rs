//! Chaos: two processes, two private stores and many clients. Processes, stores and connections are
//! killed, stopped, cut and delayed at times that a seed determines. Afterwards a checker that does
//! not use the code of onsale proves that nothing was lost, sold twice or paid twice.
//! docs/RELIABILITY.md describes how to run it and how to read its output.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper fails its test by a panic")]

mod books;
mod caller;
mod checker;
mod dice;
mod faults;
mod history;
mod mutants;
mod node;
mod plan;
mod probe;
mod repairs;
mod run;
mod servers;
mod stage;
#[path = "../onsale/support/mod.rs"]
#[expect(dead_code, reason = "shared with the other integration tests, which use all of it")]
mod support;
mod verdict;
mod watch;
mod workload;

use checker::check;
use checker::queue::passed_over;
use plan::kinds;
use run::{Form, run};
use support::servers::clusters_requested;

/// A number from the environment, or a default.
fn number_from_env(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// `CHAOS_SEED` selects another run, `CHAOS_SECONDS` its length; `ONSALE_TEST_REDIS=cluster` uses a
/// Redis Cluster.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_under_random_faults() {
    let (seed, seconds) = (number_from_env("CHAOS_SEED", 1), number_from_env("CHAOS_SECONDS", 60));
    let cluster = clusters_requested();
    let kinds = &kinds(cluster);
    let form = Form { seed, seconds, kinds, cluster, mutant: None, aftermath: true };
    let evidence = run(form).await;
    let violations = check(&evidence);
    let report = verdict::report(seed, &evidence, &violations);
    println!("{report}");
    let missing = verdict::missing(&evidence, seconds, kinds);
    assert!(violations.is_empty(), "{report}");
    assert!(missing.is_empty(), "too little happened in the run: {missing:?}\n{report}");
}

/// Without losses of Redis, so that many entries are silent long enough to be passed over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_who_polls_behind_a_silent_queue_is_overtaken_under_random_faults() {
    let (seed, seconds) = (number_from_env("CHAOS_SEED", 1), number_from_env("CHAOS_SECONDS", 60));
    let cluster = clusters_requested();
    let kinds: Vec<_> = kinds(cluster).into_iter().filter(|kind| !kind.is_loss()).collect();
    let form = Form { seed, seconds, kinds: &kinds, cluster, mutant: None, aftermath: true };
    let evidence = run(form).await;
    let violations = check(&evidence);
    let report = verdict::report(seed, &evidence, &violations);
    println!("{report}");
    assert!(violations.is_empty(), "{report}");
    let passed = passed_over(&evidence);
    assert!(
        passed > 20,
        "too little happened in the run: {passed} silent entries were passed over"
    );
}
