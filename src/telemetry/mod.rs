//! What the service tells its operators: logs, traces, metrics.

pub mod metrics;
mod registry;
pub mod tracing;

pub use metrics::Metrics;
