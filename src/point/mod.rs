//! Points: balances, and their history. A balance is the sum of its history.

pub mod http;
pub mod model;
pub mod pg;
pub mod service;
