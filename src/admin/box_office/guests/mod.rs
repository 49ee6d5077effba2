//! The guest list: seats given for free, by name or to a user, and taken back.

pub mod http;
pub mod model;
pub mod pg;
pub mod service;
mod work;
