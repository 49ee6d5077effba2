//! The commands of the program, and their errors and exit codes.

mod admin;
mod check;
#[cfg(feature = "dev")]
mod dev;
mod draw;
mod drill;
mod health;
mod output;
mod plan;
mod prune;
mod rehearse;
mod restore;
mod seed;
mod simulate;
mod token;
mod units;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use onsale::admin::error::AdminError;
use onsale::app::{self, StartError};
use onsale::config::{AccessSettings, PostgresSettings, Settings, TelemetrySettings, sources};
use onsale::store::StoreError;
use onsale::store::pg::token_generations::TokenGenerations;
use onsale::store::pg::{Pg, migrations};
use onsale::telemetry;
use onsale::telemetry::traces::{self, TraceError, TraceSettings};
use onsale::upkeep::restore::RestoreError;
use onsale::user::service::{SignUpError, Users};
use tokio::signal::unix::{SignalKind, signal};

/// Exit code for a wrong command line or wrong settings.
const USAGE: u8 = 2;

/// A ticket-sale engine: a fair queue, exclusive seat holds and paid reservations that never
/// collide.
#[derive(Debug, Parser)]
#[command(name = "onsale", version)]
struct Cli {
    #[command(flatten)]
    telemetry: TelemetrySettings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API; drains on SIGTERM
    Serve(Box<Settings>),
    /// Bring the database's schema up to date
    Migrate(MigrateArgs),
    /// Check before a sale that stores, processes and schedules are as they must be
    Check(Box<check::CheckArgs>),
    /// Say what a sale needs: settings, processes, cores, memory, bandwidth
    Plan(Box<plan::PlanArgs>),
    /// Simulate a sale: waiting times, slots, the time until it is sold out
    Simulate(Box<simulate::SimulateArgs>),
    /// Rehearse a sale at a running service: synthetic buyers in a shadow of a schedule
    Rehearse(Box<rehearse::RehearseArgs>),
    /// Delete old rows of past sales, or count them
    Prune(Box<prune::PruneArgs>),
    /// Cause failures on staging while buyers buy, and measure what they notice
    Drill(drill::DrillArgs),
    /// Create an administrator, or other staff
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Print an access token
    Token(token::TokenArgs),
    /// Create the demo sale, or users for load tests
    Seed(Box<seed::SeedArgs>),
    /// Ask the process on this machine whether it runs; exit with 1 if not
    Health(health::HealthArgs),
    /// Restore PostgreSQL to an earlier moment without giving out anything twice
    #[command(subcommand)]
    Restore(restore::RestoreCommand),
    /// Check a published draw
    #[command(subcommand)]
    Draw(draw::DrawCommand),
    /// Run private stores with a demo sale, or with your own command; needs no setup
    #[cfg(feature = "dev")]
    Dev(Box<dev::DevArgs>),
}

impl Command {
    /// Whether the command answers requests.
    fn serves(&self) -> bool {
        #[cfg(feature = "dev")]
        if matches!(self, Self::Dev(_)) {
            return true;
        }
        matches!(self, Self::Serve(_))
    }
}

#[derive(Debug, Args)]
struct MigrateArgs {
    #[command(flatten)]
    postgres: PostgresSettings,
    /// Change nothing; exit with 1 if the schema is not up to date
    #[arg(long)]
    check: bool,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Token(#[from] SignUpError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Demo(#[from] AdminError),
    #[error(transparent)]
    Restore(#[from] RestoreError),
    #[error(transparent)]
    Health(#[from] health::HealthError),
    #[error(transparent)]
    Draw(#[from] draw::VerifyError),
    #[error(transparent)]
    Plan(#[from] onsale_model::costs::CostsError),
    #[error(transparent)]
    Simulate(#[from] simulate::SimulateError),
    #[error(transparent)]
    Drill(#[from] drill::DrillError),
    #[error(transparent)]
    Rehearse(#[from] rehearse::RehearseError),
    #[cfg(feature = "dev")]
    #[error(transparent)]
    Dev(#[from] onsale_dev::DevError),
    #[error(transparent)]
    Telemetry(#[from] telemetry::tracing::TelemetryError),
    #[error(transparent)]
    Traces(#[from] TraceError),
    #[error("the runtime could not start: {0}")]
    Runtime(#[from] std::io::Error),
}

impl From<restore::StepError> for Failure {
    fn from(error: restore::StepError) -> Self {
        match error {
            restore::StepError::Start(error) => Self::Start(error),
            restore::StepError::Restore(error) => Self::Restore(error),
        }
    }
}

impl From<seed::SeedError> for Failure {
    fn from(error: seed::SeedError) -> Self {
        match error {
            seed::SeedError::Start(error) => Self::Start(error),
            seed::SeedError::Demo(error) => Self::Demo(error),
            seed::SeedError::Store(error) => Self::Store(error),
        }
    }
}

/// Parses the command line and runs the command. The exit code is 0 after success, 2 for wrong
/// settings, and else 1.
pub fn main() -> ExitCode {
    let Cli { telemetry, command } = sources::parse();
    match run(&telemetry, command) {
        Ok(code) => code,
        Err(failure) => {
            output::note(format_args!("onsale: {failure}"));
            match failure {
                Failure::Start(
                    StartError::Settings(_)
                    | StartError::Certificates(_)
                    | StartError::JwksPath(_)
                    | StartError::JwksUrl(_),
                )
                | Failure::Drill(drill::DrillError::Plan(_))
                | Failure::Traces(_) => USAGE.into(),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn run(telemetry: &TelemetrySettings, command: Command) -> Result<ExitCode, Failure> {
    // These need neither a store nor a runtime.
    let text = match &command {
        Command::Draw(draw::DrawCommand::Verify(args)) => Some(draw::verify(args)?),
        Command::Plan(args) => Some(plan::run(args)?),
        Command::Simulate(args) => Some(simulate::run(args)?),
        _ => None,
    };
    if let Some(text) = text {
        output::write(text);
        return Ok(ExitCode::SUCCESS);
    }
    let _guard = telemetry::tracing::start(telemetry)?;
    let traces = command.serves().then(|| TraceSettings::of_process(telemetry)).flatten();
    let _spans = traces.map(traces::start).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Serve(settings) => serve(*settings).await,
            Command::Migrate(args) => return migrate(&args).await,
            Command::Check(args) => return Ok(check::run(&args).await?),
            Command::Prune(args) => {
                let pg = connect(&args.postgres)?;
                return Ok(prune::run(pg, &args).await?);
            }
            Command::Drill(args) => return Ok(drill::run(&args).await?),
            Command::Rehearse(args) => return Ok(rehearse::run(&args).await?),
            Command::Admin(admin::AdminCommand::Create(args)) => {
                let users = users(&args.postgres, &args.access).await?;
                Ok(admin::create(&users, *args).await?)
            }
            Command::Token(args) => {
                let users = users(&args.postgres, &args.access).await?;
                Ok(token::issue(&users, &args).await?)
            }
            Command::Seed(args) => Ok(seed::run(*args).await?),
            Command::Restore(command) => return Ok(restore::run(command).await?),
            Command::Health(args) => {
                output::write(health::ask(&args).await?);
                Ok(())
            }
            Command::Draw(_) | Command::Plan(_) | Command::Simulate(_) => Ok(()), // handled above
            #[cfg(feature = "dev")]
            Command::Dev(args) => return Ok(dev::run(*args).await?),
        }
        .map(|()| ExitCode::SUCCESS)
    })
}

async fn migrate(MigrateArgs { postgres, check }: &MigrateArgs) -> Result<ExitCode, Failure> {
    let pg = connect(postgres)?;
    if !check {
        output::write(migrations::apply(&pg).await?);
    } else if let Some(mismatch) = migrations::mismatch(&pg).await? {
        output::line(mismatch);
        return Ok(ExitCode::FAILURE);
    } else {
        output::line("the database is up to date");
    }
    Ok(ExitCode::SUCCESS)
}

fn connect(postgres: &PostgresSettings) -> Result<Pg, StoreError> {
    Pg::lazy(postgres.database_url.reveal(), postgres.db_pool)
}

async fn serve(settings: Settings) -> Result<(), Failure> {
    // Before the process reports that it is ready, so that an early signal is not lost.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let running = app::start(settings).await?;
    output::line(format_args!("onsale is listening on http://{}", running.addr));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("received a stop signal; draining");
    tokio::select! {
        () = running.drain() => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.stop().cancel();
    running.stopped().await;
    Ok(())
}

async fn users(postgres: &PostgresSettings, access: &AccessSettings) -> Result<Users, Failure> {
    let (tokens, pg) = (app::tokens(access)?, connect(postgres)?);
    let tokens = tokens.with_generations(TokenGenerations::read(&pg).await?);
    Ok(Users::new(pg, tokens, false))
}
