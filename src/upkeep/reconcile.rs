//! The reconciler: compares what Redis has with PostgreSQL, and mends what differs.
//!
//! Nothing should ever differ: Redis hears of each change through the outbox, and a loss rebuilds it.
//! This is for what nobody thought of, and it counts what it finds. What is merely in flight does not
//! differ, by the order in which it looks: first at PostgreSQL, in one statement, leaving out what
//! the outbox still names; then at Redis, which was told of all the rest before. What Redis knows
//! beyond that is compared with PostgreSQL again, under the seat's lock.

pub mod drift;
pub mod repair;

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use self::drift::{Contradiction, between};
use self::repair::{Restate, Suspect};
use super::pg::{self, SeatNow};
use crate::queue;
use crate::queue::keyspaces::{Line, Lines};
use crate::queue::live_schedules::Live;
use crate::queue::model::Completed;
use crate::queue::service::Queue;
use crate::seats;
use crate::seats::model::{FencedSeat, SeatSeen};
use crate::seats::service::{Holds, decided};
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;
use crate::store::script::{ScriptError, inspect};
use crate::store::{Store, StoreError};
use crate::telemetry::Metrics;

/// Seats looked at in one call of Redis: about a millisecond of its time.
const PAGE: u32 = 1000;
/// Seats mended in one transaction, and transactions in one round: what is more waits for the next.
const MENDED: usize = 200;
const TRANSACTIONS: usize = 25;
/// People inside who are looked at, those whose slots last longest.
const INSIDE: isize = 5000;

/// The reconciler of one process.
#[derive(Debug, Clone)]
pub struct Reconciler {
    pg: Pg,
    lines: Lines,
    holds: Holds,
    queue: Queue,
    live: Live,
    metrics: Metrics,
    every: Duration,
}

impl Reconciler {
    /// Puts the loop together. Each schedule is looked at once in `every`, however many processes
    /// run.
    #[must_use]
    pub fn new(
        pg: Pg,
        lines: Lines,
        (holds, queue): (Holds, Queue),
        live: Live,
        metrics: Metrics,
        every: Duration,
    ) -> Self {
        Self { pg, lines, holds, queue, live, metrics, every }
    }

    /// Compares each schedule that no other process has compared lately.
    pub async fn step(&self) -> Result<bool, StoreError> {
        // A little less than a period, so that the next round of this process finds it over.
        let lease = self.every.mul_f32(0.9);
        for schedule in self.live.schedules().await {
            let redis = self.lines.redis();
            if !queue::redis::lease(redis, schedule, "reconciler", lease).await? {
                continue;
            }
            let begun = Instant::now();
            match self.reconcile(schedule).await {
                Ok(()) => self.metrics.compared(begun.elapsed()),
                // Being rebuilt, or a store is away: the next round comes.
                Err(error) => tracing::warn!(%schedule, %error, "the stores were not compared"),
            }
        }
        Ok(false)
    }

    /// Compares one schedule, and mends what differs.
    pub async fn reconcile(&self, schedule: ScheduleId) -> Result<(), StoreError> {
        let epoch = async |line: Line| Ok(line.place.keys.epoch());
        let epoch = self.lines.run(schedule, epoch).await?;
        self.settings(schedule, epoch).await?;
        let suspects = self.suspects(schedule).await?;
        if !suspects.is_empty() {
            self.intact(schedule, epoch).await?;
        }
        let mut mended = 0;
        for some in suspects.chunks(MENDED).take(TRANSACTIONS) {
            mended += self.mend(schedule, some).await?;
        }
        let again = mended > 0;
        let recount = |line: Line| async move { seats::redis::recount(&line, again).await };
        let (gone_off, blocked_off) = self.lines.run(schedule, recount).await?;
        // What a repair itself has moved is no finding of its own.
        if !again && (gone_off, blocked_off) != (0, 0) {
            tracing::error!(%schedule, gone_off, blocked_off, "Redis had miscounted seats");
            self.metrics.repaired("count", 1);
        }
        self.places(schedule, epoch).await
    }

    /// Makes sure that what differs was read of keys that are those of `epoch` still, and not lost, which
    /// nobody may have found out yet: then they are rebuilt, and nothing was wrong with them.
    async fn intact(&self, schedule: ScheduleId, epoch: u64) -> Result<(), StoreError> {
        let same = |line: Line| async move {
            let known = self.lines.known(schedule).await?;
            let found = inspect(self.lines.redis(), &line.place.keys).await?;
            if !known.agrees(&found) {
                return Err(ScriptError::Lost);
            }
            Ok(found.epoch == epoch && found.loading_until_ms == 0)
        };
        if self.lines.run(schedule, same).await? {
            return Ok(());
        }
        let reason = "the schedule's keys were rebuilt meanwhile".to_owned();
        Err(StoreError::Unavailable { store: Store::Redis, reason })
    }

    /// The seats that Redis and PostgreSQL differ about.
    async fn suspects(&self, schedule: ScheduleId) -> Result<Vec<Suspect>, StoreError> {
        let (seats, now) = pg::seats_now(&self.pg, schedule).await?;
        let begun = Instant::now();
        let total = pg::seats_total(&self.pg, schedule).await?;
        let mut changed = seats.iter().peekable();
        let mut suspects = Vec::new();
        for first in (1..=total).step_by(PAGE as usize) {
            let last = total.min(first + PAGE - 1);
            let look = |line: Line| async move { seats::redis::look(&line, first, last).await };
            let seen = self.lines.run(schedule, look).await?;
            let passed = TimeDelta::from_std(begun.elapsed()).unwrap_or_default();
            for (number, seen) in (first..=last).zip(&seen) {
                let known = changed.next_if(|one| one.seat.number == number);
                let untouched = SeatNow::untouched(number);
                let one = known.unwrap_or(&untouched);
                suspects.extend(suspect(one, seen, now + passed));
            }
        }
        Ok(suspects)
    }

    /// States seats anew; returns how many still differed.
    async fn mend(&self, schedule: ScheduleId, suspects: &[Suspect]) -> Result<u64, StoreError> {
        let (events, now) = self.pg.transact(&Restate { schedule, suspects }).await?;
        let mut mended = 0;
        for (id, event) in &events {
            mended += event.seats.len() as u64;
            self.holds.tell(*id, event, now).await;
        }
        if mended > 0 {
            self.metrics.repaired("seat", mended);
        }
        Ok(mended)
    }

    /// Whether Redis has the settings in force.
    async fn settings(&self, schedule: ScheduleId, epoch: u64) -> Result<(), StoreError> {
        let Some(version) = pg::settings_told(&self.pg, schedule).await? else {
            return Ok(());
        };
        let read = |line: Line| async move { line.settings_version().await };
        let seen = self.lines.run(schedule, read).await?;
        if seen < version {
            self.intact(schedule, epoch).await?;
            tracing::error!(%schedule, version, seen, "Redis had older settings");
            self.lines.configure(schedule).await?;
            self.metrics.repaired("settings", 1);
        }
        Ok(())
    }

    /// Whether somebody is still inside with a place that they have paid from.
    async fn places(&self, schedule: ScheduleId, epoch: u64) -> Result<(), StoreError> {
        let read = |line: Line| async move { Ok(line.inside(INSIDE).await?) };
        let inside = self.lines.run(schedule, read).await?;
        let paid = pg::paid_of(&self.pg, schedule, &inside).await?;
        if paid.is_empty() {
            return Ok(());
        }
        // Asked again: PostgreSQL, where they had paid, was asked after Redis, where they were.
        let still = self.lines.run(schedule, read).await?;
        self.intact(schedule, epoch).await?;
        for (user, sequence) in paid.into_iter().filter(|place| still.contains(place)) {
            tracing::error!(%schedule, %user, sequence = sequence.0, "a paid place was inside");
            self.queue.complete(&Completed { schedule, user, sequence }).await?;
            self.metrics.repaired("place", 1);
        }
        Ok(())
    }
}

/// Whether a seat differs, as of PostgreSQL's clock `now`. What Redis may not have heard of is left
/// alone.
fn suspect(one: &SeatNow, seen: &SeatSeen, now: DateTime<Utc>) -> Option<Suspect> {
    let FencedSeat { number, fence, .. } = one.seat;
    let how: Contradiction = between(fence, decided(one.state(), now), seen)?;
    (!one.pending).then_some(Suspect { number, fence, seen: seen.fence, how })
}
