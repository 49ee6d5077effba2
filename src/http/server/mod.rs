//! The HTTP server: connections, the fast path, and the middleware around the router.

pub mod cors;
pub mod drain;
pub mod fast_path;
pub mod middleware;
pub mod serve;
pub mod state_changes;
pub mod traced_request;
mod unread_body;
