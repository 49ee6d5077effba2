//! `onsale check`: checks before a sale that everything is as it must be.

use std::process::ExitCode;

use clap::Args;
use onsale::app::{StartError, check};
use onsale::config::Settings;

use super::output;

/// The command line of `onsale check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    settings: Settings,
    /// Number of buyers who are expected to join one sale; compared with the memory of Redis
    #[arg(long = "expect", value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(..=1_000_000_000))]
    joiners: Option<u64>,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

/// Checks, and prints the findings. Fails with code 1 if one is a failure.
pub async fn run(args: &CheckArgs) -> Result<ExitCode, StartError> {
    let report = check::command::run(&args.settings, args.joiners).await?;
    if args.json {
        output::line(format_args!("{:#}", report.json()));
    } else {
        output::write(&report);
    }
    Ok(if report.passes() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
