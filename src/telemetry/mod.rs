//! What the service tells its operators: logs, traces, metrics.

pub mod metrics;
pub mod tracing;

pub use metrics::Metrics;
