//! What the service tells its operators: logs, traces, metrics.

pub mod metrics;
mod registry;
pub mod rounds;
pub mod spread;
pub mod tracing;
pub mod turned_away;

pub use metrics::Metrics;
