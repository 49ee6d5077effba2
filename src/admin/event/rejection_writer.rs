//! Writing down whom this process turned away, and why.

use super::pg;
use crate::store::StoreError;
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

/// The loop that writes refusals down, of one process.
#[derive(Debug, Clone)]
pub struct TurnedAway {
    pg: Pg,
    metrics: Metrics,
}

impl TurnedAway {
    /// Puts the loop together.
    #[must_use]
    pub fn new(pg: Pg, metrics: Metrics) -> Self {
        Self { pg, metrics }
    }

    /// Writes down what was counted since the last time; what could not be written is counted on.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let counted = self.metrics.take_turned_away();
        if counted.is_empty() {
            return Ok(false);
        }
        if let Err(error) = pg::write_turned_away(&self.pg, &counted).await {
            self.metrics.give_back(counted);
            return Err(error);
        }
        Ok(false)
    }
}
