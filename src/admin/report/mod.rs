//! What an administrator looks at: how a sale goes, and who changed what.

pub mod answers;
pub mod http;
pub mod model;
pub mod pg;
pub mod service;
pub mod stream;
