//! Writes logs to standard error.
//!
//! A thread of its own writes the lines: if nobody reads standard error, lines are dropped and
//! counted, and no request waits. Panics are logged the same way.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal;
use std::sync::OnceLock;

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer};

use super::log_limit::{self, LogLimit};
use crate::config::{LogFormat, TelemetrySettings};

/// Lines that wait to be written. Further lines are dropped.
const BUFFERED_LINES: usize = 4096;

static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// Why logging could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log filter does not parse.
    #[error("ONSALE_LOG: {0}")]
    Filter(#[from] ParseError),
    /// The process already has another subscriber.
    #[error(transparent)]
    Taken(#[from] TryInitError),
    /// The thread that summarizes repeated lines could not start.
    #[error(transparent)]
    Thread(#[from] std::io::Error),
}

/// Writes the buffered lines when it is dropped. Keep it until the process ends.
#[derive(Debug)]
pub struct Guard {
    _lines: WorkerGuard,
}

/// Number of log lines that were dropped because standard error did not take them.
#[must_use]
pub fn dropped_lines() -> u64 {
    DROPPED.get().map_or(0, |dropped| dropped.dropped_lines() as u64)
}

/// Starts logging for the process.
pub fn start(settings: &TelemetrySettings) -> Result<Guard, TelemetryError> {
    let (writer, guard) = writer();
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines = match settings.log_format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    let filter = EnvFilter::builder().parse(&settings.log)?;
    let lines = lines.with_filter(LogLimit);
    tracing_subscriber::registry().with(filter).with(lines).try_init()?;
    std::panic::set_hook(Box::new(log_panic));
    std::thread::Builder::new().name("log-summary".to_owned()).spawn(|| {
        loop {
            std::thread::sleep(log_limit::WINDOW);
            log_limit::summarize();
        }
    })?;
    Ok(Guard { _lines: guard })
}

/// A writer to standard error that never waits.
fn writer() -> (NonBlocking, WorkerGuard) {
    let builder = NonBlockingBuilder::default().buffered_lines_limit(BUFFERED_LINES).lossy(true);
    let (writer, guard) = builder.thread_name("log").finish(std::io::stderr());
    // The first writer of the process counts: there is only one.
    let _ = DROPPED.set(writer.error_counter());
    (writer, guard)
}

fn log_panic(info: &std::panic::PanicHookInfo<'_>) {
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        tracing::error!(%backtrace, "{info}");
    } else {
        tracing::error!("{info}");
    }
}
