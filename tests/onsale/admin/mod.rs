//! Administration and operation.

pub mod administration;
pub mod alerts;
pub mod check;
pub mod forecast;
pub mod forms;
pub mod metrics;
pub mod operations;
pub mod output;
pub mod prune;
pub mod prune_beside;
pub mod readiness;
pub mod rehearsal;
pub mod rehearsal_shadow;
pub mod report_entries;
pub mod report_figures;
pub mod report_job;
pub mod report_sale;
pub mod report_size;
pub mod sale_settings;
pub mod sales_report;
pub mod watching;
