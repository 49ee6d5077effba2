//! Publishing drafts. A draft is visible to administrators only; publishing it is final.

pub mod http;
pub mod model;
pub mod pg;
pub mod service;
