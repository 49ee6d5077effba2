//! The outbox: changes that Redis must still get, written in the transaction of the effect.
//!
//! The process that commits an effect delivers the entry to Redis at once if it can. The relay
//! (`upkeep::relay`) delivers every entry that was not delivered.

pub mod model;
pub mod pg;
