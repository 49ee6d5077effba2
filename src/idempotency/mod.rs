//! Idempotency keys: one effect and one answer per key. The key, the effect and the answer commit
//! in one transaction.

pub mod http;
pub mod model;
pub mod pg;
pub mod service;
