//! Everything that the service has about one person, as one JSON document.

pub mod http;
pub mod pg;
pub mod service;
