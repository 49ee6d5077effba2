//! The sales report. Its figures come from PostgreSQL alone, so neither a loss of Redis nor the
//! replacement of a process changes them. A job computes and stores them.

pub mod course;
pub mod csv;
pub mod entries;
pub mod http;
pub mod job;
pub mod model;
pub mod people;
pub mod pg;
pub mod prediction;
pub mod predictor;
pub mod question;
pub mod rejection_writer;
pub mod service;
pub mod tally;
pub mod waits;
