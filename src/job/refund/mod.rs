//! Refunding every payment of a schedule.

pub mod http;
pub mod kind;
pub mod model;
pub mod pg;
