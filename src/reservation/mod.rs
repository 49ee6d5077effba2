//! Holds seats: a claim in Redis becomes reservations in PostgreSQL, for all seats or none.

pub mod attempt;
pub mod best;
pub mod error;
pub mod expiry;
pub mod http;
pub mod model;
pub mod pg;
pub mod read;
pub mod service;
pub mod write;
