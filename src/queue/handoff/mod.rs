//! Going on with another device: a code that takes a place, and who it is, there, once.

pub mod http;
mod redis;
pub mod service;
