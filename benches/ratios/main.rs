//! Compares onsale's paths with yardsticks, in one run, as ratios: `make bench`.
//!
//! Each comparison runs A B A B …: onsale's path, then its yardstick, for a few seconds each.
//! Ratios are computed per pair, so that other work of the machine affects both. CPU is the
//! accounting of each process, which shows the cost of a request even if the wall time does not.

mod benchmark;
mod best;
mod costs;
mod counters;
mod cpu;
mod draw;
mod http;
mod join_load;
mod joins;
mod load;
mod overload;
mod pairs;
mod people;
mod polls;
mod queue;
mod quiet;
mod rates;
mod record;
mod refusals;
mod seats;
mod stage;
mod table;
mod wipe;
mod writes;
mod yardstick;

use std::process::ExitCode;

use clap::Parser;
use clap::builder::PossibleValuesParser;

use table::Row;

/// Error of a bench. The first error ends a group.
type Failure = Box<dyn std::error::Error + Send + Sync>;
type Outcome<T> = Result<T, Failure>;

/// Names of the comparisons, in the order in which they run.
const GROUPS: [&str; 13] = [
    "polls", "pools", "joins", "costs", "rates", "refusals", "seats", "best", "draw", "wipe",
    "record", "overload", "quiet",
];

#[derive(Debug, Parser)]
struct Args {
    /// Which comparisons; all by default
    #[arg(value_parser = PossibleValuesParser::new(GROUPS))]
    groups: Vec<String>,
    /// Pairs of rounds per comparison
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds per round
    #[arg(long, default_value_t = 3)]
    seconds: u32,
    /// Users in the long queue
    #[arg(long, default_value_t = 1_000_000)]
    people: u64,
    /// Users in the longest queue, who are written there without joining
    #[arg(long, default_value_t = 10_000_000)]
    longest: u64,
    /// Seats per buyer of the record
    #[arg(long, default_value_t = 4)]
    per_buyer: u32,
    /// Serve as a yardstick instead: its name, then its arguments
    #[arg(long, num_args = 1.., value_name = "ROUTE")]
    yardstick: Vec<String>,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = runtime.map_err(Failure::from).and_then(|runtime| {
        runtime.block_on(async {
            if args.yardstick.is_empty() {
                run(&args).await
            } else {
                yardstick::serve(&args.yardstick).await
            }
        })
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("ratios: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Measures the groups, and prints the rows of each as soon as they are known. A group that fails
/// does not end the others.
async fn run(args: &Args) -> Outcome<()> {
    let mut failed = Vec::new();
    table::print_head();
    for group in GROUPS {
        if !args.groups.is_empty() && !args.groups.iter().any(|wanted| wanted == group) {
            continue;
        }
        match measure(group, args).await {
            Ok(rows) => table::print(&rows),
            Err(failure) => {
                eprintln!("ratios: {group}: {failure}");
                failed.push(group);
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
}

async fn measure(group: &str, args: &Args) -> Outcome<Vec<Row>> {
    match group {
        "polls" => polls::compare(args).await,
        "pools" => polls::pools(args).await,
        "joins" => joins::compare(args).await,
        "costs" => costs::compare(args).await,
        "rates" => rates::compare(args).await,
        "refusals" => refusals::compare(args).await,
        "seats" => seats::compare(args).await,
        "best" => best::compare(args).await,
        "draw" => draw::compare(args).await,
        "wipe" => wipe::compare(args).await,
        "record" => record::compare(args).await,
        "overload" => overload::compare(args).await,
        "quiet" => quiet::compare().await,
        _ => Err(format!("there is no group {group}").into()),
    }
}
