//! The read model: polls, public boards and seat maps are answered from it without a store.
//!
//! A process has one snapshot per schedule. It reads the snapshot again a few times a second while
//! clients ask for the schedule, and replaces it as a whole. Without requests it costs nothing. [`service::Boards`] holds the
//! snapshots; [`snapshot::Board`] is one of them.

pub mod meta;
pub mod presence;
pub mod rate;
pub mod seats;
pub mod service;
pub mod snapshot;
pub mod wait;
pub mod waiting;
