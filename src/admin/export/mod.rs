//! Exports of a schedule's records as CSV and JSON Lines, page by page while they are sent.

pub mod http;
pub mod model;
pub mod pg;
pub mod record;
pub mod service;
