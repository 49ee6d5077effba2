//! What the service tells its operators: logs, traces, metrics.

pub mod latency;
pub mod metrics;
pub mod rate;
mod registry;
pub mod rejections;
pub mod rounds;
pub mod tracing;

pub use metrics::Metrics;
