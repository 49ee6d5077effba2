//! Models of onsale as pure code: no input or output, no clock, no async.
//!
//! - [`pacing`]: how often clients poll. The service itself uses it.
//! - [`auto_rate`]: feedback admission, the rate that follows a target. The service itself uses it.
//! - [`queue`]: the queue, as the scripts in Redis change it. The scripts' tests compare them with it.
//! - [`costs`]: what each operation costs, from `docs/performance.toml`.
//! - [`plan`]: what a sale needs, by pacing and costs.
//! - [`simulation`]: how a sale goes, by pacing and queue.

pub mod auto_rate;
pub mod costs;
pub mod memory;
mod number;
pub mod pacing;
pub mod plan;
pub mod queue;
pub mod simulation;
