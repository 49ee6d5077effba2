//! Writes logs to standard error, and sends spans over OTLP if an endpoint is set.
//!
//! A thread of its own writes the lines: if nobody reads standard error, lines are dropped and
//! counted, and no request waits. Panics are logged the same way.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal;
use std::sync::OnceLock;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
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

/// Why logging and tracing could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log filter does not parse.
    #[error("ONSALE_LOG: {0}")]
    Filter(#[from] ParseError),
    /// The exporter of traces could not be created.
    #[error("ONSALE_OTLP_ENDPOINT: {0}")]
    Exporter(#[from] ExporterBuildError),
    /// The process already has another subscriber.
    #[error(transparent)]
    Taken(#[from] TryInitError),
    /// The thread that summarizes repeated lines could not start.
    #[error(transparent)]
    Thread(#[from] std::io::Error),
}

/// Sends the buffered spans and writes the buffered lines when it is dropped. Keep it until the
/// process ends.
#[derive(Debug)]
pub struct Guard {
    provider: Option<SdkTracerProvider>,
    _lines: WorkerGuard,
}

/// Number of log lines that were dropped because standard error did not take them.
#[must_use]
pub fn dropped_lines() -> u64 {
    DROPPED.get().map_or(0, |dropped| dropped.dropped_lines() as u64)
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.provider.as_ref().map(SdkTracerProvider::shutdown) {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

/// Starts logging and tracing for the process. Call it outside of an async runtime, because the
/// exporter uses a blocking HTTP client on its own thread.
pub fn start(settings: &TelemetrySettings) -> Result<Guard, TelemetryError> {
    let provider = settings.otlp_endpoint.as_deref().map(provider).transpose()?;
    let spans = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer().with_tracer(provider.tracer(env!("CARGO_PKG_NAME")))
    });
    let (writer, guard) = writer();
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines = match settings.log_format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    let filter = EnvFilter::builder().parse(&settings.log)?;
    let lines = lines.with_filter(LogLimit);
    tracing_subscriber::registry().with(filter).with(spans).with(lines).try_init()?;
    std::panic::set_hook(Box::new(log_panic));
    std::thread::Builder::new().name("log-summary".to_owned()).spawn(|| {
        loop {
            std::thread::sleep(log_limit::WINDOW);
            log_limit::summarize();
        }
    })?;
    Ok(Guard { provider, _lines: guard })
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

fn provider(endpoint: &str) -> Result<SdkTracerProvider, ExporterBuildError> {
    // The setting holds the address of the collector; the exporter needs that of its signal.
    let base = endpoint.trim_end_matches('/');
    let signal = if base.ends_with("/v1/traces") { "" } else { "/v1/traces" };
    let exporter =
        SpanExporter::builder().with_http().with_endpoint(format!("{base}{signal}")).build()?;
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_service_name("onsale").with_attribute(version).build();
    Ok(SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
        .with_batch_exporter(exporter)
        .build())
}
