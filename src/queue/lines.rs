//! Which keys a schedule has, under which epoch, on which server; and having them rebuilt when
//! Redis turns out to have lost them.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::{mpsc, oneshot};

use super::model::Sequence;
use super::pg;
use crate::concert::service::{Catalogue, CatalogueError};
use crate::outbox::model::{Delivered, OutboxId};
use crate::store::id::ScheduleId;
use crate::store::keys::Keys;
use crate::store::pg::Pg;
use crate::store::redis::Redis;
use crate::store::script::{Inspection, Place, ScriptError, inspect};
use crate::store::seen::{Counters, Seen};
use crate::store::{Store, StoreError};

/// How long a call waits for a rebuilding before it answers that the store is unavailable.
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

/// What keys must have come to, if nothing was lost. Asked for before Redis is: what happens
/// meanwhile only makes it say more.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known {
    /// PostgreSQL's epoch.
    pub epoch: u64,
    /// Under which epoch this process has seen them, and how far.
    seen: Option<(u64, Counters)>,
    /// The highest place that PostgreSQL has.
    written: Sequence,
}

impl Known {
    /// Whether what Redis has can be all of it: built on the very server that answers, under no
    /// older epoch, and not behind what was seen. Where not, it is lost.
    #[must_use]
    pub fn agrees(&self, found: &Inspection) -> bool {
        let seen = self.seen.filter(|(epoch, _)| *epoch == found.epoch);
        let written = self.written.epoch() == found.epoch;
        found.epoch >= self.epoch.max(1)
            && found.built_on == found.server
            && !seen.is_some_and(|(_, floor)| found.counters.behind(floor))
            && !(written && found.counters.joined < self.written.number())
    }
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
        (Self { redis, pg, catalogue, places, seen, lost, delivered }, losses)
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
    /// [`StoreError::Unavailable`] where Redis does not answer or the rebuilding takes too long.
    pub async fn run<T, F>(
        &self,
        schedule: ScheduleId,
        call: impl Fn(Line) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, ScriptError>>,
    {
        let mut tries = 0;
        loop {
            let place = self.place(schedule).await?;
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
                ScriptError::Lost => Box::pin(self.heal(schedule)).await?,
                ScriptError::Loading => tokio::time::sleep(Duration::from_millis(100)).await,
                ScriptError::Stale | ScriptError::Store(_) => {}
            }
        }
    }

    /// The keys in force: those of PostgreSQL's epoch, on the server they were built on.
    async fn place(&self, schedule: ScheduleId) -> Result<Arc<Place>, StoreError> {
        match self.places.get(&schedule) {
            Some(place) => Ok(place),
            None => Box::pin(self.find(schedule)).await,
        }
    }

    async fn find(&self, schedule: ScheduleId) -> Result<Arc<Place>, StoreError> {
        for _ in 0..2 {
            let known = match self.known(schedule).await {
                Err(StoreError::Unavailable { store: Store::PostgreSql, .. }) => Known::default(),
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

    /// What is known of a schedule's keys before Redis is asked. With PostgreSQL away the line goes
    /// on by what Redis says of itself.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where PostgreSQL does not answer.
    pub async fn known(&self, schedule: ScheduleId) -> Result<Known, StoreError> {
        let seen = self.seen.get(&schedule).map(|(epoch, seen)| (epoch, seen.floor()));
        let epoch = pg::epoch(&self.pg, schedule).await?;
        Ok(Known { epoch, seen, written: pg::highest(&self.pg, schedule).await? })
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
        let (healed, done) = oneshot::channel();
        self.lost
            .try_send(Lost { schedule, healed })
            .map_err(|_| unavailable("too many schedules wait to be rebuilt"))?;
        match tokio::time::timeout(HEAL_WAIT, done).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(unavailable("the schedule's keys are being rebuilt")),
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
        self.run(schedule, |line| async move { line.configure(current).await }).await
    }

    /// As [`Lines::configure`], right after the commit that outbox entry `id` belongs to. A failure
    /// is left to the relay.
    pub async fn tell_settings(&self, id: OutboxId, schedule: ScheduleId) {
        self.delivered.after(id, self.configure(schedule)).await;
    }
}

fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable { store: Store::Redis, reason: reason.to_owned() }
}
