//! Limits that protect the service: open connections, slow clients, concurrent requests, and rates
//! per address and per user.

pub mod address_limits;
pub mod client_address;
pub mod concurrency;
pub mod connections;
pub mod gate;
pub mod rate_headers;
pub mod rehearsals;
pub mod slow_client;
mod traffic_warnings;
pub mod user_limit;
