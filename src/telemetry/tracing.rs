//! Writes logs to standard error, and sends spans over OTLP if an endpoint is set.

use std::io::IsTerminal;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{LogFormat, TelemetrySettings};

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
}

/// Sends the buffered spans when it is dropped. Keep it until the process ends.
#[derive(Debug)]
pub struct Guard {
    provider: Option<SdkTracerProvider>,
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
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match settings.log_format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    let filter = EnvFilter::builder().parse(&settings.log)?;
    tracing_subscriber::registry().with(filter).with(spans).with(lines).try_init()?;
    Ok(Guard { provider })
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
