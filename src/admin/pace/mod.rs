//! Why the admission of a sale goes as it goes, and when the sale sells out at this pace.

pub mod forecast;
pub mod model;
pub mod pg;
pub mod reason;
pub mod seen;
pub mod service;
