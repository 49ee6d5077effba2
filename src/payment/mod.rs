//! Payments and refunds: where money and seats change hands, in one transaction each.

pub mod error;
pub mod http;
pub mod model;
pub mod pg;
pub mod service;
pub mod settle;
