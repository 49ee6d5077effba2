//! Lost and broken stores, killed processes, and how everything returns.

pub mod backward;
pub mod bulk_pool;
pub mod comebacks;
pub mod draw_recovery;
pub mod failover;
pub mod fault;
pub mod loss;
pub mod outage;
pub mod parking;
pub mod rebuild;
pub mod reconciler;
pub mod reshard;
