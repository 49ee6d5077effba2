//! Making concerts, schedules and seats, and steering sales. Every change is written together with
//! who made it and with what Redis must hear of it.

pub mod demo;
pub mod error;
pub mod event;
pub mod http;
pub mod model;
pub mod pg;
pub mod report;
mod rules;
pub mod seat;
pub mod service;
pub mod settings;
pub mod watch;
