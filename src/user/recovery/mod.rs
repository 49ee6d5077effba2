//! Recovery codes: with one, a user who signed up with only a name can sign in again.

pub mod http;
mod model;
mod pg;
pub mod service;
