//! The draw: entries from before the opening are admitted in a drawn order, which nobody chooses.

pub mod http;
pub mod model;
pub mod pg;
pub mod redis;
pub mod service;
pub mod worker;
