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

/// Error of a bench. The first error ends it.
type Failure = Box<dyn std::error::Error + Send + Sync>;
type Outcome<T> = Result<T, Failure>;

#[derive(Debug, Parser)]
struct Args {
    /// Which comparisons (polls, pools, joins, costs, rates, refusals, seats, best, draw, wipe,
    /// record, overload, quiet); all by default
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

async fn run(args: &Args) -> Outcome<()> {
    let wanted = |group: &str| args.groups.is_empty() || args.groups.iter().any(|g| g == group);
    let mut rows = Vec::new();
    if wanted("polls") {
        rows.extend(polls::compare(args).await?);
    }
    if wanted("pools") {
        rows.extend(polls::pools(args).await?);
    }
    if wanted("joins") {
        rows.extend(joins::compare(args).await?);
    }
    if wanted("costs") {
        rows.extend(costs::compare(args).await?);
    }
    if wanted("rates") {
        rows.extend(rates::compare(args).await?);
    }
    if wanted("refusals") {
        rows.extend(refusals::compare(args).await?);
    }
    if wanted("seats") {
        rows.extend(seats::compare(args).await?);
    }
    if wanted("best") {
        rows.extend(best::compare(args).await?);
    }
    if wanted("draw") {
        rows.extend(draw::compare(args).await?);
    }
    if wanted("wipe") {
        rows.extend(wipe::compare(args).await?);
    }
    if wanted("record") {
        rows.extend(record::compare(args).await?);
    }
    if wanted("overload") {
        rows.extend(overload::compare(args).await?);
    }
    if wanted("quiet") {
        rows.extend(quiet::compare().await?);
    }
    table::print(&rows);
    Ok(())
}
