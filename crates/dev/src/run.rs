//! `onsale dev`: runs the stores and the service or command on them, and leaves no process behind.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::command;
use crate::environment::{Environment, StoreUrls};
use crate::error::DevError;
use crate::pg::PostgresServer;
use crate::redis::setup::{RedisKind, RedisSetup};

/// The command line of `onsale dev`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder that keeps the data of the private stores
    #[arg(long, value_name = "DIR", default_value = ".onsale")]
    pub data: PathBuf,
    /// Start with empty stores and remove their data at the end (faster, not durable)
    #[arg(long, conflicts_with = "data")]
    pub throwaway: bool,
    /// Redis setup to run on
    #[arg(long, value_enum, default_value_t)]
    pub redis: RedisKind,
    /// Run only the stores, and print the settings to connect to them
    #[arg(long, conflicts_with = "command")]
    pub stores_only: bool,
    /// Command to run in place of the service, with `DATABASE_URL`, `REDIS_URL`,
    /// `ONSALE_JWT_SECRET` and `ONSALE_QUEUE_SECRETS` set; onsale exits with its exit code
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Starts the stores, and runs the command in `args`, nothing, or else `service`. When that ends or
/// a signal arrives (SIGINT, SIGTERM, SIGHUP), shuts the stores down. A second signal ends this
/// process at once; the guards then end the stores.
///
/// `service` migrates, seeds and serves; it must return soon after its token is cancelled.
pub async fn run<S, F>(args: &Args, service: S) -> Result<ExitCode, DevError>
where
    S: FnOnce(Environment, CancellationToken) -> F,
    F: Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>>,
{
    let stop = CancellationToken::new();
    listen(&stop)?;
    let folder = (!args.throwaway).then_some(args.data.as_path());
    let postgres = async {
        match folder {
            Some(folder) => Box::pin(PostgresServer::start(folder)).await,
            None => Box::pin(PostgresServer::throwaway()).await,
        }
    };
    let redis = Box::pin(RedisSetup::start(args.redis, folder));
    let (postgres, redis) = tokio::try_join!(postgres, redis)?;
    let urls = StoreUrls { database: postgres.url("onsale"), redis: redis.url() };
    let environment = match folder {
        Some(folder) => Environment::kept(urls, folder)?,
        None => Environment::throwaway(urls)?,
    };
    let result = if stop.is_cancelled() {
        Ok(ExitCode::SUCCESS)
    } else if !args.command.is_empty() {
        command::run(&args.command, &environment, &stop).await
    } else if args.stores_only {
        print(&environment)?;
        stop.cancelled().await;
        Ok(ExitCode::SUCCESS)
    } else {
        let served = service(environment, stop).await;
        served.map(|()| ExitCode::SUCCESS).map_err(DevError::Service)
    };
    let (postgres, redis) = tokio::join!(postgres.stop(), redis.stop());
    let code = result?;
    postgres.and(redis).map(|()| code)
}

/// Cancels the token at the first signal.
fn listen(stop: &CancellationToken) -> Result<(), DevError> {
    let on = |kind| signal(kind).map_err(DevError::io("listen to", Path::new("signals")));
    let mut interrupt = on(SignalKind::interrupt())?;
    let mut terminate = on(SignalKind::terminate())?;
    let mut hangup = on(SignalKind::hangup())?;
    let stop = stop.clone();
    tokio::spawn(async move {
        loop {
            let code = tokio::select! {
                _ = interrupt.recv() => 130,
                _ = terminate.recv() => 143,
                _ = hangup.recv() => 129,
            };
            if stop.is_cancelled() {
                // The guards notice the end of this process, and end the servers.
                std::process::exit(code);
            }
            stop.cancel();
        }
    });
    Ok(())
}

fn print(environment: &Environment) -> Result<(), DevError> {
    let lines = environment.variables().map(|(name, value)| format!("export {name}='{value}'\n"));
    let mut out = std::io::stdout().lock();
    out.write_all(lines.concat().as_bytes())
        .and_then(|()| out.flush())
        .map_err(DevError::io("write to", Path::new("the terminal")))
}
