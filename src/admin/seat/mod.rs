//! Adds seats to a schedule, and blocks seats from sale.

pub mod change;
pub mod http;
pub mod model;
pub mod pg;
pub mod service;
