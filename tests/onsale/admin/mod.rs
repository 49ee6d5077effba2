//! Administration and operation.

pub mod administration;
pub mod event_report;
pub mod forms;
pub mod operations;
pub mod sale_settings;
pub mod watching;
