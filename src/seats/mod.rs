//! Seat holds in Redis: claims before PostgreSQL has spoken, and what it said afterwards.

pub mod model;
pub mod redis;
pub mod service;
