//! Finds a schedule's keys (the epoch and the server), runs scripts on them, and asks for a rebuild
//! if Redis lost them.

mod expected;

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::{mpsc, oneshot};

pub use self::expected::ExpectedKeys;
use tokio::time::{Instant, timeout_at};

use super::model::Sequence;
use super::pg;
use crate::concert::model::SettingsChanged;
use crate::concert::service::{Catalogue, CatalogueError};
use crate::outbox::model::{Delivered, Recorded};
use crate::store::activity::Activity;
use crate::store::high_water::Seen;
use crate::store::id::ScheduleId;
use crate::store::keys::ScheduleKeys;
use crate::store::pg::Pg;
use crate::store::redis::Redis;
use crate::store::script::{Keyspace, ScriptError, inspect};
use crate::store::{Store, StoreError};

/// How long a call waits in all until a schedule's keys are found or rebuilt. After that the store
/// counts as unavailable.
const REBUILD_WAIT: Duration = Duration::from_millis(1500);

/// Runs the scripts on one schedule's keys; cheap to clone.
#[derive(Debug, Clone)]
pub struct ScheduleScripts {
    /// The connections.
    pub redis: Redis,
    /// The schedule's keys: the epoch and the server.
    pub keyspace: Arc<Keyspace>,
}

/// A request to rebuild a schedule's keys.
#[derive(Debug)]
pub struct RebuildRequest {
    /// The schedule.
    pub schedule: ScheduleId,
    /// Notified when the keys are rebuilt; dropped if the rebuild failed.
    pub rebuilt: oneshot::Sender<()>,
}

/// The keys of all schedules, as this process has found them; cheap to clone.
#[derive(Debug, Clone)]
pub struct Keyspaces {
    redis: Redis,
    pg: Pg,
    catalogue: Catalogue,
    found: Cache<ScheduleId, Arc<Keyspace>>,
    /// The epoch and the highest counters seen; they stay when the keys are dropped from `found`.
    seen: Cache<ScheduleId, (u64, Arc<Seen>)>,
    activity: Cache<ScheduleId, Arc<Activity>>,
    /// The highest epoch read from PostgreSQL. Keys of an older epoch are never used again.
    epochs: Cache<ScheduleId, u64>,
    lost: mpsc::Sender<RebuildRequest>,
    delivered: Delivered,
}

impl Keyspaces {
    /// Puts the service together. `upkeep::recover` receives the requests to rebuild.
    #[must_use]
    pub fn new(
        redis: Redis,
        pg: Pg,
        catalogue: Catalogue,
        delivered: Delivered,
    ) -> (Self, mpsc::Receiver<RebuildRequest>) {
        let (lost, losses) = mpsc::channel(1024);
        let found = Cache::builder().max_capacity(100_000).build();
        let seen = Cache::builder().max_capacity(100_000).build();
        let activity = Cache::builder().max_capacity(100_000).build();
        let epochs = Cache::builder().max_capacity(100_000).build();
        (Self { redis, pg, catalogue, found, seen, activity, epochs, lost, delivered }, losses)
    }

    /// The connections to Redis.
    #[must_use]
    pub fn redis(&self) -> &Redis {
        &self.redis
    }

    /// The connections to PostgreSQL.
    #[must_use]
    pub fn pg(&self) -> &Pg {
        &self.pg
    }

    /// Runs `call` with the schedule's keys. If Redis lost them, they are rebuilt, and if another
    /// process has rebuilt them, the new epoch is read. Then `call` runs again.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if Redis does not answer, or the rebuild takes longer than
    /// [`REBUILD_WAIT`]. [`StoreError::SaleOver`] if the sale is over and has no keys.
    pub async fn run<T, F>(
        &self,
        schedule: ScheduleId,
        call: impl Fn(ScheduleScripts) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, ScriptError>>,
    {
        let mut tries = 0;
        let until = Instant::now() + REBUILD_WAIT;
        loop {
            let keyspace = self.keyspace(schedule, until).await?;
            let failed = match call(ScheduleScripts { redis: self.redis.clone(), keyspace }).await {
                Ok(answer) => return Ok(answer),
                Err(ScriptError::Store(error)) => return Err(error),
                Err(failed) => failed,
            };
            if tries == 2 {
                return Err(unavailable(&failed.to_string()));
            }
            tries += 1;
            self.found.invalidate(&schedule);
            match failed {
                ScriptError::Lost => within(until, self.await_rebuild(schedule)).await?,
                ScriptError::Loading => tokio::time::sleep(Duration::from_millis(100)).await,
                ScriptError::Stale | ScriptError::Store(_) => {}
            }
        }
    }

    /// The current keys: those of PostgreSQL's epoch, on the server they were built on.
    async fn keyspace(
        &self,
        schedule: ScheduleId,
        until: Instant,
    ) -> Result<Arc<Keyspace>, StoreError> {
        match self.found.get(&schedule) {
            Some(keyspace) => Ok(keyspace),
            None => within(until, self.find(schedule)).await,
        }
    }

    async fn find(&self, schedule: ScheduleId) -> Result<Arc<Keyspace>, StoreError> {
        for _ in 0..2 {
            let expected = match self.expected(schedule).await {
                Err(StoreError::Unavailable { store: Store::PostgreSql, .. }) => {
                    self.remembered(schedule)
                }
                other => other?,
            };
            let found = inspect(&self.redis, &ScheduleKeys::new(schedule, 1)).await?;
            let overdue = found.loading_until_ms > 0 && found.loading_until_ms < found.now_ms;
            if expected.agrees(&found) && !overdue {
                let keys = ScheduleKeys::new(schedule, found.epoch);
                let seen = self.seen_under(schedule, found.epoch);
                let keyspace = Keyspace::new(keys, &found.server);
                let keyspace = Arc::new(keyspace.after(seen, self.activity(schedule)));
                self.found.insert(schedule, Arc::clone(&keyspace));
                return Ok(keyspace);
            }
            self.await_rebuild(schedule).await?;
        }
        Err(unavailable("the schedule's keys were not found"))
    }

    /// What a schedule's keys must be like if Redis lost nothing: from PostgreSQL and this process.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if PostgreSQL does not answer.
    pub async fn expected(&self, schedule: ScheduleId) -> Result<ExpectedKeys, StoreError> {
        let before = self.remembered(schedule);
        let epoch = pg::epoch(&self.pg, schedule).await?;
        self.note_epoch(schedule, epoch);
        Ok(ExpectedKeys { epoch, written: pg::highest(&self.pg, schedule).await?, ..before })
    }

    /// As [`Keyspaces::expected`], from this process alone: while PostgreSQL is down, queues
    /// continue with that and with what Redis has.
    fn remembered(&self, schedule: ScheduleId) -> ExpectedKeys {
        let seen = self.seen.get(&schedule).map(|(epoch, seen)| (epoch, seen.floor()));
        let epoch = self.epochs.get(&schedule).unwrap_or(0);
        ExpectedKeys { epoch, seen, written: Sequence(0) }
    }

    /// Notes the epoch that PostgreSQL has. Keys of an older epoch are not used any more: they were
    /// rebuilt since, perhaps on another Redis than this process uses.
    pub fn note_epoch(&self, schedule: ScheduleId, epoch: u64) {
        let older = self.found.get(&schedule).filter(|keyspace| keyspace.keys.epoch() < epoch);
        if let Some(keyspace) = older {
            let used = keyspace.keys.epoch();
            tracing::info!(%schedule, used, epoch, "stopped using keys of an older epoch");
            self.found.invalidate(&schedule);
        }
        if epoch > self.epochs.get(&schedule).unwrap_or(0) {
            self.epochs.insert(schedule, epoch);
        }
    }

    /// Whether this process has seen that the schedule exists and has keys. Only then may it be
    /// served while PostgreSQL is down.
    #[must_use]
    pub fn has_cached(&self, schedule: ScheduleId) -> bool {
        self.found.contains_key(&schedule) || self.epochs.contains_key(&schedule)
    }

    /// The epoch of the keys that this process uses; 0 if it uses none.
    #[must_use]
    pub fn epoch(&self, schedule: ScheduleId) -> u64 {
        self.found.get(&schedule).map_or(0, |keyspace| keyspace.keys.epoch())
    }

    /// The highest counters that this process has seen under an epoch.
    fn seen_under(&self, schedule: ScheduleId, epoch: u64) -> Arc<Seen> {
        if let Some((_, seen)) =
            self.seen.get(&schedule).filter(|(seen_under, _)| *seen_under == epoch)
        {
            return seen;
        }
        let seen = Arc::new(Seen::default());
        self.seen.insert(schedule, (epoch, Arc::clone(&seen)));
        seen
    }

    /// What this process has done to a schedule's keys.
    #[must_use]
    pub fn activity(&self, schedule: ScheduleId) -> Arc<Activity> {
        self.activity.get_with(schedule, Arc::default)
    }

    async fn await_rebuild(&self, schedule: ScheduleId) -> Result<(), StoreError> {
        match self.catalogue.schedule(schedule).await {
            Ok(sale) if sale.over => return Err(StoreError::SaleOver),
            Ok(_) => {}
            Err(CatalogueError::Store(error)) => return Err(error),
            // It was removed.
            Err(_) => return Err(StoreError::SaleOver),
        }
        let (rebuilt, done) = oneshot::channel();
        self.lost
            .try_send(RebuildRequest { schedule, rebuilt })
            .map_err(|_| unavailable("too many schedules wait to be rebuilt"))?;
        done.await.map_err(|_| unavailable("the schedule's keys could not be rebuilt"))
    }

    /// As [`Keyspaces::run`], to apply a decision of PostgreSQL in Redis. Does nothing if the sale
    /// is over and has no keys.
    pub async fn run_unless_over<F>(
        &self,
        schedule: ScheduleId,
        call: impl Fn(ScheduleScripts) -> F,
    ) -> Result<(), StoreError>
    where
        F: Future<Output = Result<(), ScriptError>>,
    {
        match self.run(schedule, call).await {
            Err(StoreError::SaleOver) => Ok(()),
            other => other,
        }
    }

    /// Drops a schedule's keys; the next call finds them again.
    pub fn invalidate(&self, schedule: ScheduleId) {
        self.found.invalidate(&schedule);
    }

    /// Applies a schedule's settings in Redis, from PostgreSQL.
    pub async fn configure(&self, schedule: ScheduleId) -> Result<(), StoreError> {
        self.catalogue.invalidate(schedule);
        let current = match self.catalogue.schedule(schedule).await {
            Ok(current) => current,
            Err(CatalogueError::Store(_)) => {
                return Err(unavailable("reading the settings failed"));
            }
            // It was removed: Redis has no keys of it.
            Err(_) => return Ok(()),
        };
        let current = &current;
        self.run_unless_over(schedule, |scripts| async move { scripts.configure(current).await })
            .await
    }

    /// As [`Keyspaces::configure`], right after the commit; the relay repeats it after a failure.
    pub async fn deliver_settings(&self, changed: &Recorded<SettingsChanged>) {
        self.delivered.after(changed.id, self.configure(changed.event.schedule)).await;
    }
}

/// Waits for `search` until the deadline; after that the store is unavailable.
async fn within<T>(
    until: Instant,
    search: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let waited = timeout_at(until, Box::pin(search)).await;
    waited.unwrap_or_else(|_| Err(unavailable("the schedule's keys are being rebuilt")))
}

fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable { store: Store::Redis, reason: reason.to_owned() }
}
