//! Joining a queue.

mod check;
mod earlier;
mod find;
pub mod reply;
