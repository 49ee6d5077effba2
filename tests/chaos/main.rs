//! Chaos: two processes, two private stores and a crowd; things are killed, stopped, cut and
//! delayed at moments that a seed decides; and afterwards a checker that knows nothing of the code
//! proves that nothing was lost, sold twice or taken twice. docs/RELIABILITY.md says how to run and
//! read it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of a test fails as the test does"
)]

mod books;
mod caller;
mod checker;
mod dice;
mod faults;
mod history;
mod mended;
mod mutants;
mod node;
mod plan;
mod probe;
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
use checker::line::passed_over;
use plan::kinds;
use run::{Form, run};
use support::servers::clusters_asked;

/// A number from the environment.
fn given(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// `CHAOS_SEED` and `CHAOS_SECONDS` make it another run, or a longer one; `ONSALE_TEST_REDIS=cluster`
/// one with a Redis Cluster.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_dies_nothing_is_lost() {
    let (seed, seconds) = (given("CHAOS_SEED", 1), given("CHAOS_SECONDS", 60));
    let cluster = clusters_asked();
    let kinds = &kinds(cluster);
    let form = Form { seed, seconds, kinds, cluster, mutant: None, aftermath: true };
    let evidence = run(form).await;
    let violations = check(&evidence);
    let told = verdict::told(seed, &evidence, &violations);
    println!("{told}");
    let missing = verdict::missing(&evidence, seconds, kinds);
    assert!(violations.is_empty(), "{told}");
    assert!(missing.is_empty(), "the run means nothing: {missing:?}\n{told}");
}

/// Without losses of Redis, so that many are silent for long enough to be passed over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_silent_queue_nobody_who_polls_is_passed_whatever_dies() {
    let (seed, seconds) = (given("CHAOS_SEED", 1), given("CHAOS_SECONDS", 60));
    let cluster = clusters_asked();
    let kinds: Vec<_> = kinds(cluster).into_iter().filter(|kind| !kind.is_loss()).collect();
    let form = Form { seed, seconds, kinds: &kinds, cluster, mutant: None, aftermath: true };
    let evidence = run(form).await;
    let violations = check(&evidence);
    let told = verdict::told(seed, &evidence, &violations);
    println!("{told}");
    assert!(violations.is_empty(), "{told}");
    let passed = passed_over(&evidence);
    assert!(passed > 100, "the run means nothing: {passed} silent places were passed over");
}
