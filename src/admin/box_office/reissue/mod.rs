//! New codes for a buyer who lost the old ones: to the place in a queue, and to the session.

pub mod http;
pub mod model;
pub mod service;
