//! Server-sent events.

pub mod many;
pub mod seats;
pub mod tickets;
