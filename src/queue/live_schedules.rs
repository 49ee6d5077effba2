//! The schedules that the loops work on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use super::pg;
use crate::queue::keyspaces::Keyspaces;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;

/// The list is read again after this long.
const MAX_AGE: Duration = Duration::from_secs(1);

/// The live schedules, read from PostgreSQL every second. While PostgreSQL is down, the last list
/// stays in use. Each read passes the epochs to [`Keyspaces`], so that keys of an older epoch are
/// used for at most one second more.
#[derive(Debug, Clone)]
pub struct LiveSchedules {
    pg: Pg,
    keyspaces: Keyspaces,
    last: Arc<ArcSwap<(Instant, Vec<ScheduleId>)>>,
}

impl LiveSchedules {
    /// Starts with an empty list, which the first call replaces.
    #[must_use]
    pub fn new(pg: Pg, keyspaces: Keyspaces) -> Self {
        let long_ago = Instant::now().checked_sub(MAX_AGE).unwrap_or_else(Instant::now);
        Self { pg, keyspaces, last: Arc::new(ArcSwap::from_pointee((long_ago, Vec::new()))) }
    }

    /// One step of the loop that keeps the list current. The other loops may be waiting for Redis
    /// and not ask for it.
    pub async fn step(&self) -> Result<bool, StoreError> {
        self.schedules().await;
        Ok(false)
    }

    /// The ids of the live schedules.
    pub async fn schedules(&self) -> Vec<ScheduleId> {
        let last = self.last.load_full();
        if last.0.elapsed() < MAX_AGE {
            return last.1.clone();
        }
        match pg::list_live_schedules(&self.pg).await {
            Ok(live) => {
                for (schedule, epoch) in &live {
                    self.keyspaces.note_epoch(*schedule, *epoch);
                }
                let schedules: Vec<ScheduleId> = live.into_iter().map(|(id, _)| id).collect();
                self.last.store(Arc::new((Instant::now(), schedules.clone())));
                schedules
            }
            Err(error) => {
                tracing::warn!(%error, "reading the live schedules failed");
                self.last.store(Arc::new((Instant::now(), last.1.clone())));
                last.1.clone()
            }
        }
    }
}
