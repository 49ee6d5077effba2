//! Live figures of a sale, and the audit.

pub mod answers;
pub mod http;
pub mod model;
pub mod pg;
pub mod service;
pub mod stream;
