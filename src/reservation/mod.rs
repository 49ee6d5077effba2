//! Reservations: a claim in Redis becomes rows in PostgreSQL, all or none.

pub mod attempt;
pub mod best;
pub mod error;
pub mod expiry;
pub mod http;
pub mod model;
pub mod pg;
pub mod pick;
pub mod read;
pub mod service;
pub mod write;
