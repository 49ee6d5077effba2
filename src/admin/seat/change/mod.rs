//! Changes of seats that exist: replacing and removing them until the first reservation, and the
//! prices of free seats.

pub mod carry;
pub mod http;
pub mod model;
pub mod pg;
pub mod service;
pub mod state;
