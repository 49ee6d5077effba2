//! Reading reservations.

pub mod pg;
