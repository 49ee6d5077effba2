//! Writes this process's rejection counts to PostgreSQL.

use super::pg;
use crate::store::StoreError;
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

/// The loop of one process that writes its rejection counts to PostgreSQL.
#[derive(Debug, Clone)]
pub struct RejectionWriter {
    pg: Pg,
    metrics: Metrics,
}

impl RejectionWriter {
    /// Puts the loop together.
    #[must_use]
    pub fn new(pg: Pg, metrics: Metrics) -> Self {
        Self { pg, metrics }
    }

    /// Writes the counts since the last step. If that fails, they stay counted for the next step. If
    /// its outcome is unknown, they do not: a commit that waits for a standby takes effect in the end.
    /// Always returns false: one step writes everything.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let counts = self.metrics.take_rejections();
        if counts.is_empty() {
            return Ok(false);
        }
        if let Err(error) = pg::write_rejections(&self.pg, &counts).await {
            if !matches!(error, StoreError::OutcomeUnknown(_)) {
                self.metrics.give_back(counts);
            }
            return Err(error);
        }
        Ok(false)
    }
}
