//! Deletes old rows of the tables that grow with each sale, for `onsale prune`.

pub mod pg;
pub mod service;
