//! Rebuilds a schedule's keys in Redis from PostgreSQL, under a new epoch.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::load::{LEASE, Loader, gave_up};
use crate::concert::service::Catalogue;
use crate::queue;
use crate::queue::draw::service::Draws;
use crate::queue::keyspaces::{Keyspaces, RebuildRequest, ScheduleScripts};
use crate::store::id::ScheduleId;
use crate::store::keys::ScheduleKeys;
use crate::store::pg::Pg;
use crate::store::redis::Redis;
use crate::store::script::{Keyspace, inspect};
use crate::store::{Store, StoreError};

/// Maximum number of rebuilds at the same time in this process. Each uses one connection to
/// PostgreSQL at a time; the others wait in order of arrival. So rebuilds do not use up the
/// connections.
const AT_ONCE: usize = 4;
/// After a loss nobody is admitted for this long, so that old tickets are shown again first: about
/// twice the longest pause between polls near the front of the queue. After a stall too:
/// `lua/lib/rounds.lua` has the same figure.
const PAUSE: Duration = Duration::from_secs(15);
/// The pause between two checks of another process's rebuild grows from the first to the second.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// Maximum number of checks: about five minutes in all. The next request starts new ones.
const CHECKS: usize = 600;
/// For how long one process has the right to begin a rebuild.
const BEGIN: Duration = Duration::from_secs(2);
/// For this long, overtaken keys are left to another process, which has rebuilt them on another
/// Redis or is about to rebuild them on this one. Two processes with different Redis servers must
/// not raise the epoch in turn without a pause.
const OVERTAKEN: Duration = Duration::from_secs(5);

/// The callers that wait for a rebuild, by schedule.
type Waiting = Arc<Mutex<HashMap<ScheduleId, Vec<oneshot::Sender<()>>>>>;

/// The state of a schedule's keys in Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeysState {
    /// Complete, and of the current epoch.
    Current,
    /// Another process is building them.
    Loading,
    /// Complete and on the server that answers, but of an older epoch than PostgreSQL's.
    Overtaken,
    /// Missing, of an older epoch or an older time, on another server, or left half-built.
    Lost,
}

/// The recovery loop of one process.
#[derive(Debug, Clone)]
pub struct Recovery {
    pg: Pg,
    redis: Redis,
    catalogue: Catalogue,
    keyspaces: Keyspaces,
    draws: Draws,
    rebuilds: Arc<Semaphore>,
}

impl Recovery {
    /// Puts the loop together.
    #[must_use]
    pub fn new(
        pg: Pg,
        redis: Redis,
        catalogue: Catalogue,
        keyspaces: Keyspaces,
        draws: Draws,
    ) -> Self {
        let rebuilds = Arc::new(Semaphore::new(AT_ONCE));
        Self { pg, redis, catalogue, keyspaces, draws, rebuilds }
    }

    /// Rebuilds the requested schedules until `stop`. Requests for a schedule that is being rebuilt
    /// wait for that rebuild.
    pub async fn run(self, mut losses: mpsc::Receiver<RebuildRequest>, stop: CancellationToken) {
        let waiting: Waiting = Arc::default();
        while let Some(Some(RebuildRequest { schedule, rebuilt })) =
            stop.run_until_cancelled(losses.recv()).await
        {
            let mut all = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(others) = all.get_mut(&schedule) {
                // Drops callers that no longer wait before the list grows.
                if others.len() == others.capacity() {
                    others.retain(|rebuilt| !rebuilt.is_closed());
                }
                others.push(rebuilt);
                continue;
            }
            all.insert(schedule, vec![rebuilt]);
            // One task per schedule: a slow rebuild must not delay the others.
            tokio::spawn(self.clone().recover_and_notify(schedule, Arc::clone(&waiting)));
        }
    }

    /// Rebuilds a schedule and notifies the callers that wait for it.
    async fn recover_and_notify(self, schedule: ScheduleId, waiting: Waiting) {
        let turn = Turn { waiting, schedule };
        let outcome = self.recover_keys(schedule).await;
        let callers = turn.end();
        match outcome {
            Ok(()) => {
                for rebuilt in callers {
                    // A caller may have stopped waiting.
                    let _ = rebuilt.send(());
                }
            }
            Err(error) => tracing::warn!(%schedule, %error, "the rebuild failed"),
        }
    }

    /// Makes sure that a schedule's keys are complete and of the current epoch: waits for another
    /// process's rebuild, or rebuilds them.
    pub async fn recover_keys(&self, schedule: ScheduleId) -> Result<(), StoreError> {
        let (mut pause, mut overtaken) = (SHORTEST_PAUSE, None);
        for _ in 0..CHECKS {
            let state = self.inspect_keys(schedule).await?.0;
            let since = *overtaken.get_or_insert_with(Instant::now);
            match state {
                KeysState::Current => {
                    self.keyspaces.invalidate(schedule);
                    return Ok(());
                }
                KeysState::Loading => overtaken = None,
                KeysState::Overtaken if since.elapsed() < OVERTAKEN => {}
                KeysState::Overtaken | KeysState::Lost => {
                    // Held only while this process itself rebuilds.
                    let _permit = self.rebuilds.acquire().await;
                    if let Some((epoch, server)) = self.win_epoch(schedule, state).await? {
                        return self.rebuild(schedule, epoch, &server).await;
                    }
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(unavailable("another process's rebuild takes too long"))
    }

    /// The state of a schedule's keys, the epoch in PostgreSQL, and the server that answered.
    async fn inspect_keys(
        &self,
        schedule: ScheduleId,
    ) -> Result<(KeysState, u64, String), StoreError> {
        let expected = self.keyspaces.expected(schedule).await?;
        let found = inspect(&self.redis, &ScheduleKeys::new(schedule, 1)).await?;
        let state = if expected.overtaken(&found) {
            KeysState::Overtaken
        } else if !expected.agrees(&found) {
            KeysState::Lost
        } else if found.loading_until_ms == 0 {
            KeysState::Current
        } else if found.loading_until_ms > found.now_ms {
            KeysState::Loading
        } else {
            KeysState::Lost
        };
        Ok((state, expected.epoch, found.server))
    }

    /// Raises the epoch of a schedule, and with it wins the right to build the keys. Returns the
    /// epoch and the server on which to build them; `None` if another process has that right, or
    /// the keys are no longer in `state`.
    ///
    /// One process at a time does this, and only if Redis can be written and all keys are on one
    /// node: an epoch that is raised and not built is wasted, and each epoch adds keys to every
    /// call.
    async fn win_epoch(
        &self,
        schedule: ScheduleId,
        state: KeysState,
    ) -> Result<Option<(u64, String)>, StoreError> {
        // These reads come first: a rebuild that fails half-way blocks the schedule until its lease
        // ends.
        let next = queue::pg::epoch(&self.pg, schedule).await? + 1;
        // Reading a million drawn ranks takes seconds and renews no lease. They stay cached.
        self.draws.ranks(schedule).await?;
        queue::redis::check_reachable(&self.redis, &ScheduleKeys::new(schedule, next)).await?;
        if !queue::redis::take_lease(&self.redis, schedule, "rebuilder", BEGIN).await? {
            return Ok(None);
        }
        // Checked again under the lease: the process that had it before may have built the keys.
        let (state_now, epoch, server) = self.inspect_keys(schedule).await?;
        if state_now == state && queue::pg::raise_epoch(&self.pg, schedule, epoch).await? {
            return Ok(Some((epoch + 1, server)));
        }
        queue::redis::give_rebuilder_back(&self.redis, schedule).await?;
        Ok(None)
    }

    /// Builds the keys under an epoch that this process has won.
    async fn rebuild(
        &self,
        schedule: ScheduleId,
        epoch: u64,
        server: &str,
    ) -> Result<(), StoreError> {
        let keyspace = Arc::new(Keyspace::new(ScheduleKeys::new(schedule, epoch), server));
        let scripts = ScheduleScripts { redis: self.redis.clone(), keyspace };
        if !scripts.begin_rebuild(server, LEASE).await.map_err(gave_up)? {
            return Err(unavailable("another process rebuilds under a later epoch"));
        }
        self.load(&scripts, schedule).await?;
        // When a schedule's keys are first built, there are no old tickets to wait for.
        let pause = if epoch == 1 { 0 } else { u64::try_from(PAUSE.as_millis()).unwrap_or(0) };
        scripts.finish_rebuild(pause).await.map_err(gave_up)?;
        self.keyspaces.invalidate(schedule);
        tracing::info!(%schedule, epoch, "the schedule's keys were built");
        Ok(())
    }

    async fn load(
        &self,
        scripts: &ScheduleScripts,
        schedule: ScheduleId,
    ) -> Result<(), StoreError> {
        Loader { pg: &self.pg, scripts, draws: &self.draws, schedule }.load().await?;
        self.catalogue.invalidate(schedule);
        let current = self.catalogue.schedule(schedule).await;
        let current = current.map_err(|error| unavailable(&error.to_string()))?;
        scripts.configure(&current).await.map_err(gave_up)
    }
}

/// Removes a schedule from the list of current rebuilds when it is dropped, also by a panic: a
/// schedule that stays on the list is never rebuilt again.
struct Turn {
    waiting: Waiting,
    schedule: ScheduleId,
}

impl Turn {
    /// Ends the turn; returns the callers that wait.
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

fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable { store: Store::Redis, reason: reason.to_owned() }
}
