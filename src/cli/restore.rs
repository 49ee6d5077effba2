//! `onsale restore`: the three steps around a restore of PostgreSQL to an earlier moment.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use onsale::app::StartError;
use onsale::config::{Secret, Settings};
use onsale::store::pg::Pg;
use onsale::store::redis::Redis;
use onsale::store::redis::tls::Certificates;
use onsale::upkeep::restore::finish::{Choices, MissingSeats, finish};
use onsale::upkeep::restore::model::SecretDigests;
use onsale::upkeep::restore::{RestoreError, compare, file, guard, prepare};
use onsale::user::model::tidy_name;

use super::output;

/// Exit code if the stores differ. 1 is a failure, and 2 a wrong command line.
const DIFFERENT: u8 = 3;

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The settings or a file that they name cannot be used.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The step itself.
    #[error(transparent)]
    Restore(#[from] RestoreError),
}

#[derive(Debug, Subcommand)]
pub enum RestoreCommand {
    /// First, with all processes stopped: save what Redis knows to a file
    Prepare(Box<PrepareArgs>),
    /// Then, with the backup restored: list seats that are sold in one store only; exit with 3 if
    /// there are any
    Compare(Box<CompareArgs>),
    /// Last: make sure that nothing is given out twice, and no earlier token names another person
    Finish(Box<FinishArgs>),
}

#[derive(Debug, Args)]
pub struct PrepareArgs {
    #[command(flatten)]
    settings: Settings,
    /// Name of the file to write. It must not exist
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

#[derive(Debug, Args)]
pub struct CompareArgs {
    #[command(flatten)]
    settings: Settings,
    /// The file of `onsale restore prepare`
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Print the differences as JSON
    #[arg(long)]
    json: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, Args)]
pub struct FinishArgs {
    #[command(flatten)]
    settings: Settings,
    /// The file of `onsale restore prepare`
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Block seats that were sold and are free now, until an administrator has settled them
    #[arg(long, conflicts_with = "sell_missing")]
    block_missing: bool,
    /// Sell seats again that were sold and are free now
    #[arg(long)]
    sell_missing: bool,
    /// Refuse all earlier access tokens and tickets, also those of users that the database has
    #[arg(long)]
    end_all_tokens: bool,
    /// Name of the operator, as it appears in the audit
    #[arg(long, value_name = "NAME", default_value = "onsale restore", value_parser = parse_name)]
    operator: String,
    /// Go on while processes serve, without Redis, or with a file that lacks later sales
    #[arg(long)]
    force: bool,
}

/// Runs a step.
pub async fn run(command: RestoreCommand) -> Result<ExitCode, StepError> {
    match command {
        RestoreCommand::Prepare(args) => run_prepare(&args).await,
        RestoreCommand::Compare(args) => run_compare(&args).await,
        RestoreCommand::Finish(args) => run_finish(&args).await,
    }
}

async fn run_prepare(args: &PrepareArgs) -> Result<ExitCode, StepError> {
    let (redis, pg) = stores(&args.settings)?;
    let saved = prepare::prepare(&redis, &pg, digests(&args.settings)).await?;
    file::write(&args.to, &saved)?;
    output::write(&saved);
    output::line(format_args!("saved to {}", args.to.display()));
    Ok(ExitCode::SUCCESS)
}

async fn run_compare(args: &CompareArgs) -> Result<ExitCode, StepError> {
    let (redis, pg) = stores(&args.settings)?;
    let saved = file::read(&args.from)?;
    guard::same_installation(&saved, &digests(&args.settings))?;
    // Without Redis, the file is all there is.
    if let Err(outdated @ RestoreError::Outdated { .. }) = guard::latest_file(&redis, &saved).await
    {
        return Err(outdated.into());
    }
    let comparison = compare::compare(&pg, &saved).await?;
    if args.json {
        output::line(serde_json::to_string_pretty(&comparison).unwrap_or_default());
    } else {
        output::write(&comparison);
    }
    Ok(if comparison.equal { ExitCode::SUCCESS } else { DIFFERENT.into() })
}

async fn run_finish(args: &FinishArgs) -> Result<ExitCode, StepError> {
    let (redis, pg) = stores(&args.settings)?;
    let saved = file::read(&args.from)?;
    guard::same_installation(&saved, &digests(&args.settings))?;
    guard::current_schema(&pg).await?;
    let running = guard::nothing_runs(&redis, &pg).await;
    let redis = match running {
        Ok(()) => Some(&redis),
        Err(error @ RestoreError::Unknown(_)) if args.force => {
            output::note(format_args!("onsale: warning: {error}"));
            None
        }
        Err(error @ RestoreError::Running(_)) if args.force => {
            output::note(format_args!("onsale: warning: {error}"));
            Some(&redis)
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(redis) = redis {
        match guard::latest_file(redis, &saved).await {
            Err(error @ RestoreError::Outdated { .. }) if args.force => {
                output::note(format_args!("onsale: warning: {error}"));
            }
            checked => checked?,
        }
    }
    let missing = match args {
        FinishArgs { block_missing: true, .. } => MissingSeats::Block,
        FinishArgs { sell_missing: true, .. } => MissingSeats::Sell,
        _ => MissingSeats::Refuse,
    };
    let FinishArgs { end_all_tokens, operator, .. } = args;
    let choices = Choices { missing, end_all_tokens: *end_all_tokens, operator: operator.clone() };
    output::write(finish(redis, &pg, &saved, &choices).await?);
    Ok(ExitCode::SUCCESS)
}

/// The stores. One connection to PostgreSQL is enough, and does not count as a process.
fn stores(settings: &Settings) -> Result<(Redis, Pg), StartError> {
    settings.check()?;
    let certificates = Certificates::read(&settings.redis.tls)?;
    let redis = Redis::with_certificates(settings.redis.redis_url.reveal(), &certificates)?;
    Ok((redis, Pg::lazy(settings.postgres.database_url.reveal(), 1)?))
}

fn digests(settings: &Settings) -> SecretDigests {
    SecretDigests {
        jwt_secret: settings.access.jwt_secret.as_ref().map(Secret::digest),
        queue_secrets: settings.queue.queue_secrets.iter().map(Secret::digest).collect(),
    }
}

fn parse_name(name: &str) -> Result<String, &'static str> {
    tidy_name(name).ok_or("not a name")
}
