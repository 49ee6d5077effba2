//! Points: the balance, and the history that it is the sum of.

pub mod http;
pub mod model;
pub mod pg;
pub mod service;
