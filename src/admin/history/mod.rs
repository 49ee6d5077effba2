//! The history of a sale: one reading per second for an hour, 10 s for a day, a minute afterwards,
//! over all processes, with markers for what changed.
//!
//! Readings are kept as counters and sizes. Rates are computed when they are read, from two readings
//! that follow each other: so any process can write the next one, and a missing one does no harm.

pub mod grid;
pub mod http;
pub mod markers;
pub mod model;
pub mod pg;
pub mod recorder;
pub mod redis;
pub mod rollup;
pub mod sample;
pub mod service;
