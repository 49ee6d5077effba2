//! Refunds of one payment or a whole hold, and moves to another seat.

pub mod http;
pub mod model;
pub mod pg;
pub mod service;
mod work;
