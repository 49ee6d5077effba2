//! Which keys a schedule has, under which epoch, on which server; and having them rebuilt when
//! Redis turns out to have lost them.

mod known;

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::{mpsc, oneshot};

pub use self::known::Known;
use tokio::time::{Instant, timeout_at};

use super::model::Sequence;
use super::pg;
use crate::concert::service::{Catalogue, CatalogueError};
use crate::outbox::model::{Delivered, OutboxId};
use crate::store::high_water::Seen;
use crate::store::id::ScheduleId;
use crate::store::keys::Keys;
use crate::store::pg::Pg;
use crate::store::redis::Redis;
use crate::store::script::{Place, ScriptError, inspect};
use crate::store::{Store, StoreError};

/// How long a call waits in all to find a schedule's keys or to have them rebuilt, before it answers that
/// the store is unavailable.
const HEAL_WAIT: Duration = Duration::from_millis(1500);

/// The scripts of one schedule's line; cheap to clone.
#[derive(Debug, Clone)]
pub struct Line {
    /// The connections.
    pub redis: Redis,
    /// Whose line, under which epoch, on which server.
    pub place: Arc<Place>,
}

/// A schedule whose keys are to be rebuilt, and whom to tell when that is done.
#[derive(Debug)]
pub struct Lost {
    /// Which schedule.
    pub schedule: ScheduleId,
    /// Told when its keys are there again; dropped where that failed.
    pub healed: oneshot::Sender<()>,
}

/// The lines of all schedules, as this process knows them; cheap to clone.
#[derive(Debug, Clone)]
pub struct Lines {
    redis: Redis,
    pg: Pg,
    catalogue: Catalogue,
    places: Cache<ScheduleId, Arc<Place>>,
    /// Under which epoch, and how far: kept when a place is forgotten.
    seen: Cache<ScheduleId, (u64, Arc<Seen>)>,
    /// The highest epoch that PostgreSQL was seen to have: keys of an older one are never used again.
    epochs: Cache<ScheduleId, u64>,
    lost: mpsc::Sender<Lost>,
    delivered: Delivered,
}

impl Lines {
    /// The lines, and the end at which `upkeep::recover` hears of lost ones.
    #[must_use]
    pub fn new(
        redis: Redis,
        pg: Pg,
        catalogue: Catalogue,
        delivered: Delivered,
    ) -> (Self, mpsc::Receiver<Lost>) {
        let (lost, losses) = mpsc::channel(1024);
        let places = Cache::builder().max_capacity(100_000).build();
        let seen = Cache::builder().max_capacity(100_000).build();
        let epochs = Cache::builder().max_capacity(100_000).build();
        (Self { redis, pg, catalogue, places, seen, epochs, lost, delivered }, losses)
    }

    /// The connections.
    #[must_use]
    pub fn redis(&self) -> &Redis {
        &self.redis
    }

    /// The other store.
    #[must_use]
    pub fn pg(&self) -> &Pg {
        &self.pg
    }

    /// Runs `call` with the schedule's keys. Where Redis has lost them they are rebuilt first, and
    /// where another process did that, the new epoch is read; then `call` runs once more.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where Redis does not answer, or the rebuilding takes longer than
    /// [`HEAL_WAIT`]. [`StoreError::SaleOver`] where the sale is over and has no keys.
    pub async fn run<T, F>(
        &self,
        schedule: ScheduleId,
        call: impl Fn(Line) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, ScriptError>>,
    {
        let mut tries = 0;
        let until = Instant::now() + HEAL_WAIT;
        loop {
            let place = self.place(schedule, until).await?;
            let failed = match call(Line { redis: self.redis.clone(), place }).await {
                Ok(answer) => return Ok(answer),
                Err(ScriptError::Store(error)) => return Err(error),
                Err(failed) => failed,
            };
            if tries == 2 {
                return Err(unavailable(&failed.to_string()));
            }
            tries += 1;
            self.places.invalidate(&schedule);
            match failed {
                ScriptError::Lost => within(until, self.heal(schedule)).await?,
                ScriptError::Loading => tokio::time::sleep(Duration::from_millis(100)).await,
                ScriptError::Stale | ScriptError::Store(_) => {}
            }
        }
    }

    /// The keys in force: those of PostgreSQL's epoch, on the server they were built on.
    async fn place(&self, schedule: ScheduleId, until: Instant) -> Result<Arc<Place>, StoreError> {
        match self.places.get(&schedule) {
            Some(place) => Ok(place),
            None => within(until, self.find(schedule)).await,
        }
    }

    async fn find(&self, schedule: ScheduleId) -> Result<Arc<Place>, StoreError> {
        for _ in 0..2 {
            let known = match self.known(schedule).await {
                Err(StoreError::Unavailable { store: Store::PostgreSql, .. }) => {
                    self.remembered(schedule)
                }
                other => other?,
            };
            let found = inspect(&self.redis, &Keys::new(schedule, 1)).await?;
            let overdue = found.loading_until_ms > 0 && found.loading_until_ms < found.now_ms;
            if known.agrees(&found) && !overdue {
                let keys = Keys::new(schedule, found.epoch);
                let seen = self.seen_under(schedule, found.epoch);
                let place = Arc::new(Place::new(keys, &found.server).after(seen));
                self.places.insert(schedule, Arc::clone(&place));
                return Ok(place);
            }
            self.heal(schedule).await?;
        }
        Err(unavailable("the schedule's keys are not there"))
    }

    /// What is known of a schedule's keys before Redis is asked.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where PostgreSQL does not answer.
    pub async fn known(&self, schedule: ScheduleId) -> Result<Known, StoreError> {
        let before = self.remembered(schedule);
        let epoch = pg::epoch(&self.pg, schedule).await?;
        self.note_epoch(schedule, epoch);
        Ok(Known { epoch, written: pg::highest(&self.pg, schedule).await?, ..before })
    }

    /// What this process itself remembers of a schedule's keys: with PostgreSQL away the line goes on by
    /// that, and by what Redis says.
    fn remembered(&self, schedule: ScheduleId) -> Known {
        let seen = self.seen.get(&schedule).map(|(epoch, seen)| (epoch, seen.floor()));
        let epoch = self.epochs.get(&schedule).unwrap_or(0);
        Known { epoch, seen, written: Sequence(0) }
    }

    /// Notes the epoch that PostgreSQL has. Keys of an older one are not used from here on: they were
    /// rebuilt since, perhaps on another Redis than this process asks.
    pub fn note_epoch(&self, schedule: ScheduleId, epoch: u64) {
        let older = self.places.get(&schedule).filter(|place| place.keys.epoch() < epoch);
        if let Some(place) = older {
            let used = place.keys.epoch();
            tracing::info!(%schedule, used, epoch, "stopped using keys of an older epoch");
            self.places.invalidate(&schedule);
        }
        if epoch > self.epochs.get(&schedule).unwrap_or(0) {
            self.epochs.insert(schedule, epoch);
        }
    }

    /// Whether this process has seen that the schedule exists and had keys: only then may it be served
    /// while PostgreSQL cannot be asked.
    #[must_use]
    pub fn knows(&self, schedule: ScheduleId) -> bool {
        self.places.contains_key(&schedule) || self.epochs.contains_key(&schedule)
    }

    /// The epoch of the keys that this process uses; 0 where it uses none.
    #[must_use]
    pub fn epoch(&self, schedule: ScheduleId) -> u64 {
        self.places.get(&schedule).map_or(0, |place| place.keys.epoch())
    }

    /// How far the keys were seen to come under an epoch.
    fn seen_under(&self, schedule: ScheduleId, epoch: u64) -> Arc<Seen> {
        if let Some((_, seen)) = self.seen.get(&schedule).filter(|(known, _)| *known == epoch) {
            return seen;
        }
        let seen = Arc::new(Seen::default());
        self.seen.insert(schedule, (epoch, Arc::clone(&seen)));
        seen
    }

    async fn heal(&self, schedule: ScheduleId) -> Result<(), StoreError> {
        match self.catalogue.schedule(schedule).await {
            Ok(sale) if sale.over => return Err(StoreError::SaleOver),
            Ok(_) => {}
            Err(CatalogueError::Store(error)) => return Err(error),
            Err(error) => return Err(unavailable(&error.to_string())),
        }
        let (healed, done) = oneshot::channel();
        self.lost
            .try_send(Lost { schedule, healed })
            .map_err(|_| unavailable("too many schedules wait to be rebuilt"))?;
        done.await.map_err(|_| unavailable("the schedule's keys could not be rebuilt"))
    }

    /// As [`Lines::run`], to tell Redis what PostgreSQL decided. Where the sale is over and has no keys,
    /// there is nothing to tell.
    pub async fn tell<F>(
        &self,
        schedule: ScheduleId,
        call: impl Fn(Line) -> F,
    ) -> Result<(), StoreError>
    where
        F: Future<Output = Result<(), ScriptError>>,
    {
        match self.run(schedule, call).await {
            Err(StoreError::SaleOver) => Ok(()),
            other => other,
        }
    }

    /// Forgets what is known of a schedule's keys.
    pub fn forget(&self, schedule: ScheduleId) {
        self.places.invalidate(&schedule);
    }

    /// Puts a schedule's settings in force in Redis, from PostgreSQL.
    pub async fn configure(&self, schedule: ScheduleId) -> Result<(), StoreError> {
        self.catalogue.forget(schedule);
        let current = match self.catalogue.schedule(schedule).await {
            Ok(current) => current,
            Err(CatalogueError::Store(_)) => {
                return Err(unavailable("the settings could not be read"));
            }
            Err(other) => {
                return Err(StoreError::Inconsistent(format!("schedule {schedule}: {other}")));
            }
        };
        let current = &current;
        self.tell(schedule, |line| async move { line.configure(current).await }).await
    }

    /// As [`Lines::configure`], right after the commit that outbox entry `id` belongs to. A failure
    /// is left to the relay.
    pub async fn tell_settings(&self, id: OutboxId, schedule: ScheduleId) {
        self.delivered.after(id, self.configure(schedule)).await;
    }
}

/// What `search` comes to, or that the store is unavailable where it takes longer.
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
