//! The feed: published events in one order, for clients that rather poll.

pub mod http;
pub mod model;
pub mod service;
