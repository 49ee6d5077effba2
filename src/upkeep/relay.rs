//! The outbox's relay: whatever Redis was not told right after a commit, it is told here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, mpsc};

use crate::concert::model::{SETTINGS_CHANGED, SettingsChanged};
use crate::hold::model::{SEATS_CHANGED, SeatsChanged};
use crate::hold::service::Holds;
use crate::outbox::model::{Entry, OutboxId};
use crate::outbox::pg;
use crate::queue::lines::Lines;
use crate::queue::model::{Completed, TICKET_COMPLETED};
use crate::queue::service::Queue;
use crate::reservation::read::pg::clock;
use crate::store::StoreError;
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

/// Younger entries are being delivered by whoever made them.
const AGE: Duration = Duration::from_secs(2);
const BATCH: i64 = 100;
/// Failures of one round after which Redis counts as away.
const PATIENCE: usize = 3;
/// How long one round may take.
const LONGEST: Duration = Duration::from_millis(1200);

/// The relay of one process.
#[derive(Debug, Clone)]
pub struct Relay {
    pg: Pg,
    holds: Holds,
    queue: Queue,
    lines: Lines,
    metrics: Metrics,
    delivered: Arc<Mutex<mpsc::Receiver<OutboxId>>>,
}

impl Relay {
    /// Puts the loop together; `delivered` is where entries come from that need no relaying.
    #[must_use]
    pub fn new(
        pg: Pg,
        holds: Holds,
        queue: Queue,
        lines: Lines,
        metrics: Metrics,
        delivered: mpsc::Receiver<OutboxId>,
    ) -> Self {
        let delivered = Arc::new(Mutex::new(delivered));
        Self { pg, holds, queue, lines, metrics, delivered }
    }

    /// Removes what was delivered, then delivers what is overdue; true where there may be more.
    pub async fn step(&self) -> Result<bool, StoreError> {
        self.forget_delivered().await?;
        let relayed = self.relay(AGE).await?;
        let backlog = pg::backlog(&self.pg).await?;
        self.metrics.outbox_backlog(u64::try_from(backlog).unwrap_or(0));
        Ok(relayed == BATCH)
    }

    async fn forget_delivered(&self) -> Result<(), StoreError> {
        let mut done = Vec::new();
        let mut delivered = self.delivered.lock().await;
        while let Ok(id) = delivered.try_recv() {
            done.push(id);
        }
        for batch in done.chunks(1000) {
            pg::remove(&self.pg, batch).await?;
        }
        Ok(())
    }

    /// Delivers entries older than `age`; returns how many. One that fails stays for the next time,
    /// and does not keep the others.
    pub async fn relay(&self, age: Duration) -> Result<i64, StoreError> {
        let mut tx = self.pg.begin().await?;
        let entries = pg::overdue(&mut tx, age, BATCH).await?;
        if entries.is_empty() {
            return Ok(0);
        }
        let now = clock(&mut tx).await?;
        let (mut done, mut failed) = (Vec::new(), 0);
        let begun = Instant::now();
        for entry in &entries {
            // The transaction is idle meanwhile, and must not be for long.
            if begun.elapsed() > LONGEST {
                break;
            }
            match self.deliver(entry, now).await {
                Ok(()) => done.push(entry.id),
                // One schedule is being rebuilt, or Redis is away: then the rest would fail too,
                // each after its time limit.
                Err(error @ StoreError::Unavailable { .. }) => {
                    tracing::warn!(%error, "the outbox waits");
                    failed += 1;
                    if failed == PATIENCE {
                        break;
                    }
                }
                Err(error) => {
                    tracing::error!(id = entry.id.0, %error, "an event was not delivered");
                }
            }
        }
        pg::remove_locked(&mut tx, &done).await?;
        tx.commit().await?;
        Ok(i64::try_from(done.len()).unwrap_or(0))
    }

    async fn deliver(&self, entry: &Entry, now: DateTime<Utc>) -> Result<(), StoreError> {
        match entry.kind.as_str() {
            SEATS_CHANGED => self.holds.apply(&read::<SeatsChanged>(entry)?, now).await,
            TICKET_COMPLETED => self.queue.complete(&read::<Completed>(entry)?).await,
            SETTINGS_CHANGED => {
                self.lines.configure(read::<SettingsChanged>(entry)?.schedule).await
            }
            other => Err(StoreError::Inconsistent(format!("an outbox entry is of kind {other}"))),
        }
    }
}

fn read<T: DeserializeOwned>(entry: &Entry) -> Result<T, StoreError> {
    serde_json::from_value(entry.payload.clone())
        .map_err(|error| StoreError::Inconsistent(format!("outbox entry {}: {error}", entry.id.0)))
}
