//! Logs, traces and metrics for operators.

pub mod latency;
pub mod metrics;
pub mod rate;
mod registry;
pub mod rejections;
pub mod rounds;
pub mod tracing;

pub use metrics::Metrics;
