//! Seats in Redis: claims before PostgreSQL decides, and PostgreSQL's decisions afterwards.

pub mod model;
pub mod redis;
pub mod service;
