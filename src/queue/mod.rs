//! The line: joining, waiting, being let in, leaving.

pub mod archive;
pub mod code;
pub mod draw;
pub mod error;
pub mod handoff;
pub mod http;
mod joinable;
pub mod lines;
pub mod load;
pub mod model;
pub mod next;
pub mod pacing;
pub mod pg;
pub mod redis;
mod rejoin;
pub mod service;
mod settings;
mod standing;
pub mod stream;
pub mod token;
pub mod verified;
pub mod view;
