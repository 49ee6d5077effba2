//! Erasing one person.

pub mod http;
pub mod kind;
pub mod model;
pub mod pg;
pub mod request;
