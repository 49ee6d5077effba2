//! Recovery codes: a user who signed up by name alone signs in again with theirs.

pub mod http;
mod model;
mod pg;
pub mod service;
