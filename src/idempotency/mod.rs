//! One effect and one answer per idempotency key: the key, the effect and the answer commit
//! together.

pub mod http;
pub mod model;
pub mod pg;
pub mod service;
