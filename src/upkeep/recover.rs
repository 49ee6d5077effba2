//! Rebuilding a schedule's keys in Redis from PostgreSQL, under a new epoch.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::load::{LEASE, Loader, gave_up};
use crate::concert::service::Catalogue;
use crate::queue;
use crate::queue::draw::service::Draws;
use crate::queue::keyspaces::{Line, Lines, Lost};
use crate::store::id::ScheduleId;
use crate::store::keys::Keys;
use crate::store::pg::Pg;
use crate::store::redis::Redis;
use crate::store::script::{Place, inspect};
use crate::store::{Store, StoreError};

/// Rebuildings at once in this process, each with one connection to PostgreSQL at a time. The others wait
/// in order of arrival, so that none starves the rest of the process or another one.
const AT_ONCE: usize = 4;
/// After a loss nobody is let in for this long, so that those with old tickets are back first: twice
/// what the nearest of them wait between polls.
const PAUSE: Duration = Duration::from_secs(15);
/// The pauses between two looks at another process's rebuilding grow from the first to the second.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How many times it is looked at, about five minutes in all. Whoever asks after that looks again.
const LOOKS: usize = 600;
/// How long one process alone may begin a rebuilding.
const BEGIN: Duration = Duration::from_secs(2);
/// Keys that are whole, but of an older epoch than PostgreSQL's, were rebuilt on another Redis, or are
/// about to be rebuilt on this one. They are left to the other process for this long: two processes with
/// different Redis servers must not raise the epoch in turn without a pause.
const OVERTAKEN: Duration = Duration::from_secs(5);

/// Who waits for which schedule to be healed.
type Waiting = Arc<Mutex<HashMap<ScheduleId, Vec<oneshot::Sender<()>>>>>;

/// What a schedule's keys are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// There, and of the epoch in force.
    Healed,
    /// Being built by another process.
    Loading,
    /// Whole and on the server that answers, but of an older epoch than PostgreSQL's.
    Overtaken,
    /// Gone, of an older epoch or an older time, on another server, or left half-built.
    Lost,
}

/// The recovery loop of one process.
#[derive(Debug, Clone)]
pub struct Recovery {
    pg: Pg,
    redis: Redis,
    catalogue: Catalogue,
    lines: Lines,
    draws: Draws,
    rebuilds: Arc<Semaphore>,
}

impl Recovery {
    /// Puts the loop together.
    #[must_use]
    pub fn new(pg: Pg, redis: Redis, catalogue: Catalogue, lines: Lines, draws: Draws) -> Self {
        let rebuilds = Arc::new(Semaphore::new(AT_ONCE));
        Self { pg, redis, catalogue, lines, draws, rebuilds }
    }

    /// Heals what `losses` names, until `stop`. Whoever else lost the same schedule meanwhile finds
    /// it healed.
    pub async fn run(self, mut losses: mpsc::Receiver<Lost>, stop: CancellationToken) {
        let waiting: Waiting = Arc::default();
        while let Some(Some(Lost { schedule, healed })) =
            stop.run_until_cancelled(losses.recv()).await
        {
            let mut all = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(others) = all.get_mut(&schedule) {
                // Those who have gone are forgotten before the list grows.
                if others.len() == others.capacity() {
                    others.retain(|healed| !healed.is_closed());
                }
                others.push(healed);
                continue;
            }
            all.insert(schedule, vec![healed]);
            // Each on its own: one that takes long must not keep the others out.
            tokio::spawn(self.clone().heal_for(schedule, Arc::clone(&waiting)));
        }
    }

    /// Heals a schedule and tells everybody who waits for it.
    async fn heal_for(self, schedule: ScheduleId, waiting: Waiting) {
        let turn = Turn { waiting, schedule };
        let outcome = self.heal(schedule).await;
        let told = turn.end();
        match outcome {
            // Whoever waited may have gone; the schedule is healed all the same.
            Ok(()) => {
                for healed in told {
                    let _ = healed.send(());
                }
            }
            Err(error) => tracing::warn!(%schedule, %error, "the keys were not rebuilt"),
        }
    }

    /// Makes sure that a schedule's keys are there: finds them healed, waits for another process, or
    /// rebuilds them.
    pub async fn heal(&self, schedule: ScheduleId) -> Result<(), StoreError> {
        let (mut pause, mut overtaken) = (LOOK_AGAIN, None);
        for _ in 0..LOOKS {
            let found = self.look(schedule).await?.0;
            let since = *overtaken.get_or_insert_with(Instant::now);
            match found {
                Found::Healed => {
                    self.lines.forget(schedule);
                    return Ok(());
                }
                Found::Loading => overtaken = None,
                Found::Overtaken if since.elapsed() < OVERTAKEN => {}
                Found::Overtaken | Found::Lost => {
                    // Held only while this process itself rebuilds.
                    let _permit = self.rebuilds.acquire().await;
                    if let Some((epoch, server)) = self.win(schedule, found).await? {
                        return self.rebuild(schedule, epoch, &server).await;
                    }
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(lost("another process's rebuilding takes too long"))
    }

    /// What a schedule's keys are like now, the epoch in PostgreSQL, and the server that answered.
    async fn look(&self, schedule: ScheduleId) -> Result<(Found, u64, String), StoreError> {
        let known = self.lines.known(schedule).await?;
        let seen = inspect(&self.redis, &Keys::new(schedule, 1)).await?;
        let found = if known.overtaken(&seen) {
            Found::Overtaken
        } else if !known.agrees(&seen) {
            Found::Lost
        } else if seen.loading_until_ms == 0 {
            Found::Healed
        } else if seen.loading_until_ms > seen.now_ms {
            Found::Loading
        } else {
            Found::Lost
        };
        Ok((found, known.epoch, seen.server))
    }

    /// Wins the next epoch of a schedule whose keys are lost, and with it the right to build them on
    /// a server; nothing where another process has it.
    ///
    /// Only a Redis that can be written, where all keys are in one place, is rebuilt, and by one
    /// process at a time: an epoch that is raised and then not built is burnt, and there are not
    /// many. `wanted` is what the keys were found to be, and must still be.
    async fn win(
        &self,
        schedule: ScheduleId,
        wanted: Found,
    ) -> Result<Option<(u64, String)>, StoreError> {
        // Before anything is begun: what fails half-way keeps everybody out until its lease has ended.
        let next = queue::pg::epoch(&self.pg, schedule).await? + 1;
        // A million places of a draw take seconds to read, and renew no lease; they are kept.
        self.draws.places(schedule).await?;
        queue::redis::reachable(&self.redis, &Keys::new(schedule, next)).await?;
        if !queue::redis::lease(&self.redis, schedule, "rebuilder", BEGIN).await? {
            return Ok(None);
        }
        // Looked at again under the lease: what was lost a moment ago may have been built since by
        // whoever had the lease before.
        let (found, known, server) = self.look(schedule).await?;
        if found == wanted && queue::pg::raise_epoch(&self.pg, schedule, known).await? {
            return Ok(Some((known + 1, server)));
        }
        queue::redis::end_lease(&self.redis, schedule).await?;
        Ok(None)
    }

    /// Builds the keys anew under an epoch that this process has won.
    async fn rebuild(
        &self,
        schedule: ScheduleId,
        epoch: u64,
        server: &str,
    ) -> Result<(), StoreError> {
        let place = Arc::new(Place::new(Keys::new(schedule, epoch), server));
        let line = Line { redis: self.redis.clone(), place };
        if !line.restore(server, LEASE).await.map_err(gave_up)? {
            return Err(lost("another process rebuilds under a later epoch"));
        }
        self.load(&line, schedule).await?;
        // The first building of a schedule's keys has no tickets to wait for.
        let pause = if epoch == 1 { 0 } else { u64::try_from(PAUSE.as_millis()).unwrap_or(0) };
        line.ready(pause).await.map_err(gave_up)?;
        self.lines.forget(schedule);
        tracing::info!(%schedule, epoch, "the schedule's keys were built");
        Ok(())
    }

    async fn load(&self, line: &Line, schedule: ScheduleId) -> Result<(), StoreError> {
        Loader { pg: &self.pg, line, draws: &self.draws, schedule }.load().await?;
        self.catalogue.forget(schedule);
        let current = self.catalogue.schedule(schedule).await;
        let current = current.map_err(|error| lost(&error.to_string()))?;
        line.configure(&current).await.map_err(gave_up)
    }
}

/// Takes a schedule off the list of those that are being healed, whatever became of it: a panic must not
/// leave it there, or it is never healed again.
struct Turn {
    waiting: Waiting,
    schedule: ScheduleId,
}

impl Turn {
    /// Ends the turn; returns who waits.
    fn end(&self) -> Vec<oneshot::Sender<()>> {
        let mut all = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&self.schedule).unwrap_or_default()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.end();
    }
}

fn lost(reason: &str) -> StoreError {
    StoreError::Unavailable { store: Store::Redis, reason: reason.to_owned() }
}
