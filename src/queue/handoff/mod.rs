//! Hand-off: a one-time code moves a queue entry and its user's session to another device.

pub mod http;
mod redis;
pub mod service;
