//! Administration and operation.

pub mod administration;
pub mod alerts;
pub mod check;
pub mod forms;
pub mod metrics;
pub mod operations;
pub mod sale_settings;
pub mod sales_report;
pub mod watching;
