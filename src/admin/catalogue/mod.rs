//! The catalogue for administrators: with drafts, and with the entity tags that changes need.

pub mod http;
pub mod model;
pub mod service;
