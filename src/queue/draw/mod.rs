//! The draw: those who joined before the opening are let in in an order that nobody chose.

pub mod http;
pub mod model;
pub mod pg;
pub mod redis;
pub mod service;
pub mod worker;
