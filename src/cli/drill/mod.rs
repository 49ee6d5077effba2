//! `onsale drill`: causes failures on staging while buyers buy, and measures what they notice.
//!
//! | file | what it does |
//! | --- | --- |
//! | `plan` | reads the steps, and runs their commands |
//! | `client` | calls the API, with retries, and records each try |
//! | `buyers` | what buyers do |
//! | `roles` | which buyer does what |
//! | `sale` | creates and withdraws the drill's own sale |
//! | `books` | reads what the service has recorded |
//! | `observations` | what the buyers saw |
//! | `run` | carries out the steps |
//! | `judge` | decides what was broken, and when it worked again |
//! | `report` | prints the result |
//! | `error` | why a drill did not take place |

mod books;
mod buyers;
mod client;
mod error;
mod judge;
mod observations;
mod plan;
mod report;
mod roles;
mod run;
mod sale;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use reqwest::Url;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use self::client::{Api, Client};
pub use self::error::DrillError;
use self::plan::Plan;
use self::report::Report;
use self::run::Drill;
use self::sale::{Operator, Sale};
use super::output;

/// The command line of `onsale drill`.
#[derive(Debug, Args)]
pub struct DrillArgs {
    /// URL of the system under test, as buyers reach it
    #[arg(long)]
    url: Url,
    /// File with an administrator's access token; `-` reads standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    admin_token_file: PathBuf,
    /// File with the steps (TOML); deploy/drill has examples
    #[arg(long, value_name = "FILE")]
    steps: PathBuf,
    /// Number of buyers
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(20..=500))]
    buyers: u16,
    /// File with an access token of a buyer on each line, for a system whose sign-up is closed
    #[arg(long, value_name = "FILE")]
    buyer_tokens_file: Option<PathBuf>,
    /// File with the certificates (PEM) to trust, besides those of the system
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Carries out the drill, and prints the result. The exit code is 0 if it passed, and else 1.
pub async fn run(args: &DrillArgs) -> Result<ExitCode, DrillError> {
    let plan = Plan::read(&args.steps)?;
    let stopped = listen()?;
    let authority = args.ca.as_deref().map(read).transpose()?;
    let api = Api::new(&args.url, authority.as_deref().map(str::as_bytes))?;
    let token = read_token(&args.admin_token_file)?;
    let operator = Operator(Client::new(&api, 0, &token));
    let now = operator.check_allowed().await?;
    let sale = Arc::new(operator.create_sale(args.buyers.into(), now).await?);
    eprintln!("onsale: created the sale of schedule {}", sale.schedule);
    let result = drill(args, &plan, &operator, &sale, stopped).await;
    if let Err(error) = operator.withdraw(&sale).await {
        eprintln!("onsale: withdraw concert {} by hand: {error}", sale.concert);
    }
    let report = result?;
    if args.json {
        let json = serde_json::to_string_pretty(&report);
        output::line(json.map_err(|error| DrillError::Unexpected(error.to_string()))?);
    } else {
        output::write(&report);
    }
    Ok(if report.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn drill(
    args: &DrillArgs,
    plan: &Plan,
    operator: &Operator,
    sale: &Arc<Sale>,
    stopped: CancellationToken,
) -> Result<Report, DrillError> {
    let tokens = args.buyer_tokens_file.as_deref().map(read).transpose()?;
    let tokens: Option<Vec<&str>> = tokens.as_deref().map(|text| text.split_whitespace().collect());
    if let Some(tokens) = tokens.as_ref().filter(|tokens| tokens.len() < usize::from(args.buyers)) {
        return Err(DrillError::FewTokens(tokens.len(), args.buyers));
    }
    let mut buyers = Vec::new();
    for number in 1..=usize::from(args.buyers) {
        let token = tokens.as_ref().and_then(|tokens| tokens.get(number - 1)).copied();
        buyers.push(operator.create_buyer(number, token).await?);
    }
    let drill = Drill::start(operator, sale, buyers, stopped);
    let windows = drill.run(&plan.steps).await;
    drill.stop().await;
    let seen = operator.0.api.log.since(std::time::Duration::ZERO);
    Ok(Report::new(sale.schedule, plan.steps.len(), judge::judge(&windows, &seen)))
}

fn read(path: &Path) -> Result<String, DrillError> {
    let mut text = String::new();
    let result = if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    result.map_err(|error| DrillError::File(path.to_owned(), error))
}

fn read_token(path: &Path) -> Result<String, DrillError> {
    let text = read(path)?;
    let token = text.trim();
    if token.is_empty() {
        let hint = if path.as_os_str() == "-" { " (standard input is empty)" } else { "" };
        return Err(DrillError::NoToken(path.to_owned(), hint));
    }
    Ok(token.to_owned())
}

/// The first signal ends the drill after the step's last command, so that no failure stays; the
/// second ends the program.
fn listen() -> Result<CancellationToken, DrillError> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(DrillError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(DrillError::Signals)?;
    let stopped = CancellationToken::new();
    let token = stopped.clone();
    tokio::spawn(async move {
        loop {
            let code = tokio::select! {
                _ = interrupt.recv() => 130,
                _ = terminate.recv() => 143,
            };
            if token.is_cancelled() {
                std::process::exit(code);
            }
            eprintln!("onsale: the drill ends after the last command of this step");
            token.cancel();
        }
    });
    Ok(stopped)
}
