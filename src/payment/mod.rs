//! Payments and refunds. One transaction moves points and seats together.

pub mod error;
pub mod http;
pub mod model;
pub mod pg;
pub mod service;
pub mod settle;
