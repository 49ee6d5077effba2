//! Reads reservations and holds.

pub mod pg;
