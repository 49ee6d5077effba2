//! The relay: delivers outbox entries to Redis if their delivery right after the commit failed. An
//! entry that is refused again and again is parked with its reason, and does not delay others.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, mpsc};

use crate::concert::model::{SETTINGS_CHANGED, SettingsChanged};
use crate::outbox::model::{Entry, OutboxId};
use crate::outbox::pg::{self, Batch};
use crate::queue::keyspaces::Keyspaces;
use crate::queue::model::{Completed, TICKET_COMPLETED};
use crate::queue::service::WaitingRoom;
use crate::seats::model::{SEATS_CHANGED, SeatsChanged};
use crate::seats::service::SeatClaims;
use crate::store::StoreError;
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

/// Minimum age of an entry: the process that wrote a younger one is still delivering it.
const AGE: Duration = Duration::from_secs(2);
/// Entries per round.
const BATCH: i64 = 100;
/// After this many schedules without an answer in one round, Redis counts as unavailable.
const MAX_UNANSWERED: usize = 3;
/// Refusals of one entry, some 2 s apart, after which it is parked.
const REFUSALS: i32 = 4;
/// Maximum duration of the deliveries of one round. No transaction is open during them.
const LONGEST: Duration = Duration::from_millis(1200);

/// The relay of one process.
#[derive(Debug, Clone)]
pub struct Relay {
    pg: Pg,
    claims: SeatClaims,
    queue: WaitingRoom,
    keyspaces: Keyspaces,
    metrics: Metrics,
    delivered: Arc<Mutex<mpsc::Receiver<OutboxId>>>,
}

impl Relay {
    /// Puts the loop together. `delivered` receives the ids of entries that are already delivered.
    #[must_use]
    pub fn new(
        pg: Pg,
        claims: SeatClaims,
        queue: WaitingRoom,
        keyspaces: Keyspaces,
        metrics: Metrics,
        delivered: mpsc::Receiver<OutboxId>,
    ) -> Self {
        let delivered = Arc::new(Mutex::new(delivered));
        Self { pg, claims, queue, keyspaces, metrics, delivered }
    }

    /// Removes delivered entries, then delivers overdue ones; true if there may be more.
    pub async fn step(&self) -> Result<bool, StoreError> {
        self.remove_delivered().await?;
        let relayed = self.relay(AGE).await?;
        let backlog = pg::backlog(&self.pg).await?;
        let rows = |rows: i64| rows.unsigned_abs();
        self.metrics.outbox(rows(backlog.waiting), rows(backlog.parked));
        Ok(relayed)
    }

    async fn remove_delivered(&self) -> Result<(), StoreError> {
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

    /// Delivers entries older than `age`; true if there may be more. An entry whose delivery fails
    /// is tried again later, after the others; in this round it only delays entries of its own
    /// schedule.
    pub async fn relay(&self, age: Duration) -> Result<bool, StoreError> {
        let Batch { entries, now } = pg::take_overdue(&self.pg, age, BATCH).await?;
        let (mut done, mut untried, mut unanswered) = (Vec::new(), Vec::new(), HashSet::new());
        let begun = Instant::now();
        for entry in &entries {
            // If Redis does not answer for several schedules, each further one would take its whole
            // timeout. Another relay may take the entries once `age` has passed.
            if begun.elapsed() > LONGEST || unanswered.len() == MAX_UNANSWERED {
                untried.push(entry.id);
                continue;
            }
            let schedule = entry.payload["schedule"].as_i64();
            if unanswered.contains(&schedule) {
                continue;
            }
            match self.deliver(entry, now).await {
                Ok(()) => done.push(entry.id),
                Err(error @ StoreError::Unavailable { .. }) => {
                    tracing::warn!(?schedule, %error, "delivering an outbox entry failed");
                    unanswered.insert(schedule);
                }
                // After an error of PostgreSQL the entry stays as it is, and is taken again later.
                Err(error) => {
                    if let Err(error) = self.refuse(entry, &error).await {
                        tracing::warn!(%error, "recording a refused outbox entry failed");
                    }
                }
            }
        }
        if !untried.is_empty() {
            pg::give_back(&self.pg, &untried, age).await?;
        }
        if !done.is_empty() {
            pg::remove(&self.pg, &done).await?;
        }
        let is_full = i64::try_from(entries.len()).unwrap_or(BATCH) == BATCH;
        Ok(is_full && !done.is_empty())
    }

    async fn deliver(&self, entry: &Entry, now: DateTime<Utc>) -> Result<(), StoreError> {
        match entry.kind.as_str() {
            SEATS_CHANGED => self.claims.apply(&read::<SeatsChanged>(entry)?, now).await,
            TICKET_COMPLETED => self.queue.complete(&read::<Completed>(entry)?).await,
            SETTINGS_CHANGED => {
                self.keyspaces.configure(read::<SettingsChanged>(entry)?.schedule).await
            }
            other => Err(StoreError::Inconsistent(format!("unknown outbox entry kind {other}"))),
        }
    }

    /// Notes a refusal, and parks the entry after [`REFUSALS`] of them.
    async fn refuse(&self, entry: &Entry, error: &StoreError) -> Result<(), StoreError> {
        let Entry { id: OutboxId(id), kind, .. } = entry;
        if pg::refuse(&self.pg, entry.id, &error.to_string(), REFUSALS).await? {
            tracing::error!(id, kind, %error,
                "parked an outbox entry that Redis refused too often");
        } else {
            tracing::warn!(id, kind, %error, "Redis refused an outbox entry; it is retried");
        }
        Ok(())
    }
}

fn read<T: DeserializeOwned>(entry: &Entry) -> Result<T, StoreError> {
    serde_json::from_value(entry.payload.clone())
        .map_err(|error| StoreError::Inconsistent(format!("outbox entry {}: {error}", entry.id.0)))
}
