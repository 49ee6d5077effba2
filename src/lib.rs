//! onsale: a ticket-sale engine. The modules, in the order a buyer meets them.

pub mod config;
pub mod dev;
pub mod http;
pub mod store;
pub mod telemetry;
pub mod user;
