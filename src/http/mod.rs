//! HTTP, for every feature: the server, its limits, the API's common parts, and event streams.

pub mod api;
pub mod limit;
pub mod server;
pub mod stream;
