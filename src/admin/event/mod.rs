//! The report of a sale: what it came to, from what PostgreSQL has written down of it, so that it is
//! the same whatever Redis has lost and however often processes were replaced.

pub mod csv;
pub mod http;
pub mod model;
pub mod pg;
pub mod rejection_writer;
pub mod service;
