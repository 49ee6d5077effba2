//! Measures holds, payments and charges: onsale's services against pgbench, and one SQL call against
//! a round trip per statement. All take turns in one run, on private stores with durable commits.
//!
//! `cargo bench --bench sales [-- ROUNDS COUNT WORD...]`: each turn has COUNT holds of 4 seats,
//! payments or charges. With words, only variants take turns whose name has one of them.

#![expect(clippy::expect_used, reason = "a bench fails as a test does")]

#[path = "sales/service.rs"]
mod service;
#[path = "sales/stage.rs"]
mod stage;

use service::Service;
use stage::{Sale, Stage};

/// The variants that take turns.
const KINDS: [&str; 9] = [
    "hold_plain",
    "hold",
    "hold service",
    "pay_plain",
    "pay",
    "pay service",
    "charge_plain",
    "charge",
    "charge service",
];

/// The ratios to print: a name, and two variants.
const RATIOS: [(&str, &str, &str); 8] = [
    ("hold: one call / plain", "hold", "hold_plain"),
    ("hold: service / pgbench", "hold service", "hold"),
    ("pay: one call / plain", "pay", "pay_plain"),
    ("pay: service / pgbench", "pay service", "pay"),
    ("charge: one call / plain", "charge", "charge_plain"),
    ("charge: service / pgbench", "charge service", "charge"),
    ("charge / hold: pgbench", "charge", "hold"),
    ("charge / hold: service (CPU target: at most 0.5)", "charge service", "hold service"),
];

/// Concurrent operations.
const CLIENTS: usize = 8;

/// Result of one turn.
#[derive(Debug, Clone, Copy)]
struct Turn {
    per_second: f64,
    /// CPU time of PostgreSQL per operation, in microseconds.
    cpu_us: f64,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut numbers = std::env::args().filter_map(|given| given.parse::<usize>().ok());
    let (rounds, count) = (numbers.next().unwrap_or(5), numbers.next().unwrap_or(4000));
    let kinds = chosen();
    let stage = Stage::new().await;
    let service = Service::new(&stage).await;
    let mut rows = Vec::new();
    // Round 0 is the warm-up.
    for round in 0..=rounds {
        let mut turns = Vec::new();
        for kind in &kinds {
            let sale = stage.sale(count, kind.starts_with("pay")).await;
            turns.push(turn(&stage, &service, &sale, kind).await);
            if kind.starts_with("charge") {
                stage.check_charges(&sale).await;
            } else {
                stage.check(&sale, kind.starts_with("pay")).await;
            }
        }
        println!("round {round}: {}", turns.iter().map(shown).collect::<Vec<_>>().join("   "));
        if round > 0 {
            rows.push(turns);
        }
    }
    println!("{kinds:?}, {count} each at {CLIENTS} clients, {rounds} rounds");
    for (at, kind) in kinds.iter().enumerate() {
        println!("{kind}: PostgreSQL CPU {} us", spread(rows.iter().map(|turns| turns[at].cpu_us)));
    }
    for (name, a, b) in RATIOS {
        let at = |name| kinds.iter().position(|kind| *kind == name);
        let Some((a, b)) = at(a).zip(at(b)) else { continue };
        let rate = rows.iter().map(|turns| turns[a].per_second / turns[b].per_second);
        let cpu = rows.iter().map(|turns| turns[a].cpu_us / turns[b].cpu_us);
        println!("{name}: rate {}, PostgreSQL CPU {}", spread(rate), spread(cpu));
    }
}

/// The variants that the arguments choose; all without a word.
fn chosen() -> Vec<&'static str> {
    let words = std::env::args().skip(1);
    let words: Vec<String> =
        words.filter(|word| word.parse::<usize>().is_err() && !word.starts_with('-')).collect();
    let is_chosen =
        |kind: &&str| words.is_empty() || words.iter().any(|word| kind.contains(word.as_str()));
    KINDS.into_iter().filter(is_chosen).collect()
}

async fn turn(stage: &Stage, service: &Service, sale: &Sale, kind: &str) -> Turn {
    let doing = match kind {
        "hold service" => Some(service.inside(sale).await),
        _ => None,
    };
    if kind == "pay service" {
        service.warm(sale).await;
    }
    stage.settled().await;
    let (cpu, began) = (stage.cpu_seconds(), std::time::Instant::now());
    match (kind, doing) {
        ("hold service", Some(tickets)) => service.hold(sale, &tickets).await,
        ("pay service", _) => service.pay(sale).await,
        ("charge service", _) => service.charge(sale).await,
        (script, _) => stage.pgbench(script, sale).await,
    }
    let (seconds, count) = (began.elapsed().as_secs_f64(), f64::from(sale.count));
    let cpu_us = (stage.cpu_seconds() - cpu) * 1e6 / count;
    Turn { per_second: count / seconds, cpu_us }
}

fn shown(turn: &Turn) -> String {
    format!("{:.0}/s {:.0} us", turn.per_second, turn.cpu_us)
}

/// Formats median and range.
fn spread(values: impl Iterator<Item = f64>) -> String {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
    format!("{:.2} ({low:.2} to {high:.2})", sorted[sorted.len() / 2])
}
