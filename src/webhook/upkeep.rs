//! The loops beside the dispatcher: one announces phases of sales, one ends, counts and purges.

use std::time::Duration;

use super::pg::{phases, purge};
use crate::store::StoreError;
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

/// Seconds between two comparisons of a sale's phase, in all processes together.
const COMPARE_EVERY: f64 = 2.0;

/// The loop that announces phases of sales.
#[derive(Debug, Clone)]
pub struct PhaseLoop {
    pg: Pg,
}

impl PhaseLoop {
    /// Creates the loop.
    #[must_use]
    pub fn new(pg: Pg) -> Self {
        Self { pg }
    }

    /// Writes an event for each sale that has opened, sold out or closed; true if there may be more.
    pub async fn step(&self) -> Result<bool, StoreError> {
        phases::watch_new(&self.pg).await?;
        phases::announce(&self.pg, COMPARE_EVERY).await
    }
}

/// The loop that gives up deliveries of disabled endpoints, counts deliveries, and purges.
#[derive(Debug, Clone)]
pub struct WebhookUpkeep {
    pg: Pg,
    retention: Duration,
    metrics: Metrics,
}

impl WebhookUpkeep {
    /// Creates the loop. Events and ended deliveries are kept for `retention`.
    #[must_use]
    pub fn new(pg: Pg, retention: Duration, metrics: Metrics) -> Self {
        Self { pg, retention, metrics }
    }

    /// Does one round; true if there may be more.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let given_up = purge::give_up_disabled(&self.pg).await?;
        self.metrics.webhooks().ended("dead", given_up);
        let purge::Backlog { pending, dead, oldest_seconds } = purge::backlog(&self.pg).await?;
        self.metrics.webhooks().backlog(pending, dead, oldest_seconds);
        let more = purge::purge(&self.pg, self.retention).await?;
        Ok(more || purge::may_be_more(given_up))
    }
}
