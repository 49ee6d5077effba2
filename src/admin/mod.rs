//! Administration: creates concerts, schedules and seats, and changes the settings of sales. Each
//! change commits together with its audit row and, if Redis needs to know, its outbox entry.

pub mod demo;
pub mod error;
pub mod forecast;
pub mod http;
pub mod model;
pub mod pg;
pub mod prune;
pub(crate) mod rules;
pub mod sales_report;
pub mod seat;
pub mod service;
pub mod services;
pub mod settings;
pub mod stats;
pub mod watch;
