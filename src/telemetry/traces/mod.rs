//! Traces: a server span for a request, with a child for each wait for a connection, each script and
//! each transaction. They are sent over OTLP.
//!
//! The spans come from the OpenTelemetry SDK and not from the log, so the level of the log does not
//! cut them. A request that is not recorded costs one decision and no allocation; its children cost
//! one look at the current context.
//!
//! | file | content |
//! | --- | --- |
//! | `settings` | reads the settings, those named `OTEL_…` too |
//! | `parent` | reads the caller's `traceparent` |
//! | `sampler` | decides which requests are recorded |
//! | `active` | the tracer and the sampler of this process |
//! | `server_span` | the span of a request |
//! | `child_span` | the spans of calls to the stores |
//! | `export` | the bounded queue to the collector, and its counts |

mod active;
mod child_span;
mod export;
mod parent;
mod sampler;
mod server_span;
mod settings;

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::trace::SdkTracerProvider;
use reqwest::Url;

use self::active::{Active, activate, active};
pub use self::child_span::{ChildSpan, SharedSpan};
pub(super) use self::export::register;
pub use self::parent::Parent;
pub use self::server_span::{RequestStart, ServerSpan};
pub use self::settings::TraceSettings;

/// Time limit for sending the last spans when the process ends.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);

/// Why traces could not start.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The setting that has the collector's address has none.
    #[error("{0}: must be an http or https URL with a host")]
    Address(&'static str),
    /// One of the variables that the exporter reads itself is not valid.
    #[error("traces: {0}")]
    Exporter(#[from] ExporterBuildError),
}

/// Sends the last spans when it is dropped, for 2 s at most. Keep it until the process ends.
#[derive(Debug)]
pub struct TraceGuard(SdkTracerProvider);

impl Drop for TraceGuard {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(FLUSH_LIMIT) {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

/// Starts to make spans and to send them from a thread of their own. Call it outside of an async
/// runtime, because the exporter uses a blocking HTTP client. Only the first call of a process
/// counts.
///
/// # Errors
/// [`TraceError`] if the collector's address or another setting of the exporter is not valid.
pub fn start(settings: TraceSettings) -> Result<TraceGuard, TraceError> {
    let TraceSettings { endpoint, variable, sampler, resource } = settings;
    if !is_collector(&endpoint) {
        return Err(TraceError::Address(variable));
    }
    let exporter = SpanExporter::builder().with_http().with_endpoint(endpoint).build()?;
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(sampler.clone())
        .with_span_processor(export::bounded(exporter))
        .build();
    let tracer = provider.tracer(env!("CARGO_PKG_NAME"));
    activate(Active { tracer, sampler });
    Ok(TraceGuard(provider))
}

/// Whether spans can be sent to `endpoint`. The exporter itself notices only when it sends.
fn is_collector(endpoint: &str) -> bool {
    let url = Url::parse(endpoint).ok();
    url.is_some_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host())
}

/// Whether this process makes spans.
#[must_use]
pub fn is_on() -> bool {
    active().is_some()
}
