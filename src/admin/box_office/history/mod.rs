//! What happened to a buyer and to a seat, in order.

pub mod http;
pub mod model;
pub mod pg;
pub mod service;
