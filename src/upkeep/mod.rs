//! What works between the two stores: delivering the outbox to Redis, rebuilding lost keys,
//! reconciling, and deleting what is no longer needed.

pub mod load;
pub mod pg;
pub mod purge;
pub mod reconcile;
pub mod recover;
pub mod relay;
