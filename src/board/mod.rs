//! The read model: what polls, boards and seat maps are answered from, without asking a store.
//!
//! One snapshot per process and schedule, read a few times a second while anybody asks, and swapped
//! in whole. [`service::Boards`] keeps them, [`snapshot::Board`] is one.

pub mod meta;
pub mod pacing;
pub mod presence;
pub mod rate;
pub mod seats;
pub mod service;
pub mod snapshot;
pub mod waiting;
