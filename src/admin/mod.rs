//! Administration: creates concerts, schedules and seats, and changes the settings of sales. Each
//! change commits together with its audit row and, if Redis needs to know, its outbox entry.

pub mod alerts;
pub mod auto_admission;
pub mod box_office;
pub mod catalogue;
pub mod demo;
pub mod edit;
pub mod error;
pub mod export;
pub mod forecast;
pub mod history;
pub mod http;
pub mod model;
pub mod pace;
pub mod person;
pub mod pg;
pub mod prune;
pub mod publish;
pub mod removal;
pub(crate) mod rules;
pub mod sales_report;
pub mod seat;
pub mod service;
pub mod services;
pub mod settings;
pub mod state;
pub mod stats;
pub mod watch;
