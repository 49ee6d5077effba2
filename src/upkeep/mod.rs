//! Work between the two stores: delivering the outbox to Redis, rebuilding lost keys, repairing
//! drift, and deleting data that is no longer needed.

pub mod load;
pub mod pg;
pub mod purge;
pub mod reconcile;
pub mod recover;
pub mod relay;
pub mod removal;
pub mod restore;
