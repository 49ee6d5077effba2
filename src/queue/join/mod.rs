//! Joining a queue.

mod check;
mod earlier;
pub mod reply;
