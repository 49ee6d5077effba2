//! Which schedules the loops look after.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use super::pg;
use crate::queue::keyspaces::Lines;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;

const MAX_AGE: Duration = Duration::from_secs(1);

/// The live schedules, read again every second; those last known while PostgreSQL is away. Each reading
/// tells [`Lines`] the epochs, so that keys of an older one are not used any longer than that.
#[derive(Debug, Clone)]
pub struct Live {
    pg: Pg,
    lines: Lines,
    known: Arc<ArcSwap<(Instant, Vec<ScheduleId>)>>,
}

impl Live {
    /// Nothing known yet.
    #[must_use]
    pub fn new(pg: Pg, lines: Lines) -> Self {
        let long_ago = Instant::now().checked_sub(MAX_AGE).unwrap_or_else(Instant::now);
        Self { pg, lines, known: Arc::new(ArcSwap::from_pointee((long_ago, Vec::new()))) }
    }

    /// One step of the loop that reads them also where no other loop asks: those may be waiting for Redis.
    pub async fn step(&self) -> Result<bool, StoreError> {
        self.schedules().await;
        Ok(false)
    }

    /// The live schedules.
    pub async fn schedules(&self) -> Vec<ScheduleId> {
        let known = self.known.load_full();
        if known.0.elapsed() < MAX_AGE {
            return known.1.clone();
        }
        match pg::live(&self.pg).await {
            Ok(live) => {
                for (schedule, epoch) in &live {
                    self.lines.note_epoch(*schedule, *epoch);
                }
                let schedules: Vec<ScheduleId> = live.into_iter().map(|(id, _)| id).collect();
                self.known.store(Arc::new((Instant::now(), schedules.clone())));
                schedules
            }
            Err(error) => {
                tracing::warn!(%error, "the live schedules could not be read");
                self.known.store(Arc::new((Instant::now(), known.1.clone())));
                known.1.clone()
            }
        }
    }
}
