//! Finds buyers and seats, and shows what a buyer has and who has a seat.

pub mod http;
pub mod model;
pub mod pg;
pub mod service;
