//! What tests stand on: a world of stores, processes in it, and people who call them.

pub mod client;
pub mod sale;
pub mod wait;
pub mod world;
