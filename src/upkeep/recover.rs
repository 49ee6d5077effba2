//! Rebuilding a schedule's keys in Redis from PostgreSQL, under a new epoch.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::pg::{self, SeatNow};
use crate::concert::service::Catalogue;
use crate::hold;
use crate::hold::model::SeatsChanged;
use crate::hold::service::decided;
use crate::queue;
use crate::queue::draw::service::Draws;
use crate::queue::lines::{Line, Lines, Lost};
use crate::queue::model::{Ended, Sequence};
use crate::store::id::ScheduleId;
use crate::store::keys::Keys;
use crate::store::pg::Pg;
use crate::store::redis::Redis;
use crate::store::script::{Place, ScriptError, inspect};
use crate::store::{Store, StoreError};

/// A rebuilding that takes longer is given up, and anyone starts over.
const LOADING: Duration = Duration::from_secs(30);
/// After a loss nobody is let in for this long, so that those with old tickets are back first: twice
/// what the nearest of them wait between polls.
const PAUSE: Duration = Duration::from_secs(15);
/// How often another process's rebuilding is looked at, and how many times.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const LOOKS: usize = 600;
/// How often loading is tried.
const TRIES: usize = 5;
/// How long one process alone may begin a rebuilding.
const LEASE: Duration = Duration::from_secs(2);
const PAGE: i64 = 5000;

/// Who waits for which schedule to be healed.
type Waiting = Arc<Mutex<HashMap<ScheduleId, Vec<oneshot::Sender<()>>>>>;

/// What a schedule's keys are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// There, and of the epoch in force.
    Healed,
    /// Being built by another process.
    Loading,
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
}

impl Recovery {
    /// Puts the loop together.
    #[must_use]
    pub fn new(pg: Pg, redis: Redis, catalogue: Catalogue, lines: Lines, draws: Draws) -> Self {
        Self { pg, redis, catalogue, lines, draws }
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
        let outcome = self.heal(schedule).await;
        let mut all = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let told = all.remove(&schedule).unwrap_or_default();
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
        for _ in 0..LOOKS {
            match self.look(schedule).await?.0 {
                Found::Healed => {
                    self.lines.forget(schedule);
                    return Ok(());
                }
                Found::Loading => {}
                Found::Lost => {
                    if let Some((epoch, server)) = self.win(schedule).await? {
                        return self.rebuild(schedule, epoch, &server).await;
                    }
                }
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Err(lost("another process's rebuilding takes too long"))
    }

    /// What a schedule's keys are like now, the epoch in PostgreSQL, and the server that answered.
    async fn look(&self, schedule: ScheduleId) -> Result<(Found, u64, String), StoreError> {
        let known = self.lines.known(schedule).await?;
        let seen = inspect(&self.redis, &Keys::new(schedule, 1)).await?;
        let found = if !known.agrees(&seen) {
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
    /// many.
    async fn win(&self, schedule: ScheduleId) -> Result<Option<(u64, String)>, StoreError> {
        // Before anything is begun: what fails half-way keeps everybody out until its time is over.
        let next = queue::pg::epoch(&self.pg, schedule).await? + 1;
        queue::redis::reachable(&self.redis, &Keys::new(schedule, next)).await?;
        if !queue::redis::lease(&self.redis, schedule, "rebuilder", LEASE).await? {
            return Ok(None);
        }
        // Looked at again under the lease: what was lost a moment ago may have been built since by
        // whoever had the lease before.
        let (found, known, server) = self.look(schedule).await?;
        if found == Found::Lost && queue::pg::raise_epoch(&self.pg, schedule, known).await? {
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
        let loading = u64::try_from(LOADING.as_millis()).unwrap_or(u64::MAX);
        if !line.restore(server, loading).await.map_err(gave_up)? {
            return Err(lost("another process rebuilds under a later epoch"));
        }
        let mut tries = 1;
        while let Err(error) = self.load(&line, schedule).await {
            // Most likely a shared connection that died with the last server, unnoticed until it
            // was used. All of it may be loaded again; given up, it would keep everybody waiting
            // until the deadline.
            if tries == TRIES {
                return Err(error);
            }
            tracing::warn!(%schedule, %error, "loading is tried again");
            tries += 1;
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        // The first building of a schedule's keys has no tickets to wait for.
        let pause = if epoch == 1 { 0 } else { u64::try_from(PAUSE.as_millis()).unwrap_or(0) };
        line.ready(pause).await.map_err(gave_up)?;
        self.lines.forget(schedule);
        tracing::info!(%schedule, epoch, "the schedule's keys were built");
        Ok(())
    }

    async fn load(&self, line: &Line, schedule: ScheduleId) -> Result<(), StoreError> {
        self.load_seats(line, schedule).await?;
        self.load_places(line, schedule).await?;
        self.catalogue.forget(schedule);
        let current = self.catalogue.schedule(schedule).await;
        let current = current.map_err(|error| lost(&error.to_string()))?;
        line.configure(&current).await.map_err(gave_up)
    }

    async fn load_seats(&self, line: &Line, schedule: ScheduleId) -> Result<(), StoreError> {
        let (seats, now) = pg::seats_now(&self.pg, schedule).await?;
        for event in events(schedule, &seats) {
            hold::redis::apply(line, decided(event.state, now), &event.seats)
                .await
                .map_err(gave_up)?;
        }
        let buyers = pg::buyers(&self.pg, schedule).await?;
        hold::redis::load_buyers(line, &buyers).await
    }

    async fn load_places(&self, line: &Line, schedule: ScheduleId) -> Result<(), StoreError> {
        // Told in statistics, and what bounds a draw: whoever is beyond is not in it.
        let before = queue::pg::count(&self.pg, schedule).await.unwrap_or(0);
        if let Some(draw) = queue::draw::pg::find(&self.pg, schedule).await? {
            line.load_draw(&draw).await?;
        }
        let places = self.draws.places(schedule).await?;
        let mut after = Sequence(0);
        loop {
            let page = queue::pg::ended(&self.pg, schedule, after, PAGE).await?;
            let last = page.last().map(|(last, _)| *last);
            // Whoever was drawn has two places that are over.
            let drawn = |(joined, ended): &(Sequence, Ended)| {
                places.as_ref()?.drawn(*joined).map(|drawn| (drawn, *ended))
            };
            let drawn: Vec<(Sequence, Ended)> = page.iter().filter_map(drawn).collect();
            line.load_ended(&[page, drawn].concat(), before).await?;
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
        // After the others, so that what has ended stays as it ended.
        let mut joined = Vec::new();
        for (user, sequence) in pg::paid_and_open(&self.pg, schedule).await? {
            line.complete(user, sequence).await.map_err(gave_up)?;
            joined.extend(places.as_ref().map(|it| (it.joined(sequence), Ended::Completed)));
        }
        line.load_ended(&joined, before).await
    }
}

/// What Redis is told of seats that are not free, or were not always: one event for all sold, one for
/// all blocked, one for each hold.
fn events(schedule: ScheduleId, seats: &[SeatNow]) -> Vec<SeatsChanged> {
    let mut events = Vec::new();
    for one in seats {
        SeatsChanged::gather(&mut events, schedule, one.seat, one.state());
    }
    events
}

fn gave_up(error: ScriptError) -> StoreError {
    match error {
        ScriptError::Store(error) => error,
        other => lost(&other.to_string()),
    }
}

fn lost(reason: &str) -> StoreError {
    StoreError::Unavailable { store: Store::Redis, reason: reason.to_owned() }
}
