//! The sales report. Its figures come from PostgreSQL alone, so neither a loss of Redis nor the
//! replacement of a process changes them.

pub mod csv;
pub mod http;
pub mod model;
pub mod pg;
pub mod rejection_writer;
pub mod service;
