//! Logs, traces and metrics for operators.

pub mod latency;
mod log_limit;
pub mod metrics;
mod numbers;
#[cfg(target_os = "linux")]
mod process;
pub mod rate;
mod registry;
pub mod rejections;
pub mod rounds;
pub mod schedules;
pub mod stores;
pub mod text_format;
pub mod traces;
pub mod tracing;
pub mod webhooks;

pub use metrics::Metrics;
