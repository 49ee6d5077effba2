//! Administration and operation.

pub mod administration;
pub mod alerts;
pub mod check;
pub mod event_report;
pub mod forms;
pub mod metrics;
pub mod operations;
pub mod sale_settings;
pub mod watching;
