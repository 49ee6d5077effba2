//! The seats of a schedule: adding them, and keeping some back.

pub mod http;
pub mod model;
pub mod pg;
pub mod service;
