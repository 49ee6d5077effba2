//! Lost and broken stores, killed processes, and how everything returns.

pub mod backward;
pub mod bulk_pool;
pub mod comebacks;
pub mod draw_recovery;
pub mod failover;
pub mod fault;
pub mod loss;
pub mod lost_holds;
pub mod migrations;
pub mod outage;
pub mod parking;
pub mod pooler;
pub mod purge;
pub mod queue_after_loss;
pub mod read_only;
pub mod rebuild;
pub mod reconciler;
pub mod redis_acl;
pub mod redis_tls;
pub mod reshard;
pub mod restore;
pub mod restore_prepare;
pub mod restore_refusals;
pub mod second_restore;
