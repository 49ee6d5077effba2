//! Removing test events: concerts and schedules without buyers. The request marks them, and everything
//! treats them as over at once. `upkeep::removal` then deletes their rows and keys in pages.

pub mod http;
pub mod model;
pub mod pg;
pub mod service;
