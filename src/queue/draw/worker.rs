//! The draw loop: closes a draw, freezes the list of entrants, draws the ranks and moves the queue.
//! Each step is complete before the next begins, and any process continues where another stopped.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use uuid::Uuid;

use crate::queue::archive_worker::ArchiveWorker;
use crate::queue::draw::model::{Draw, DrawnList, Entrant};
use crate::queue::draw::pg::{self, lease, list};
use crate::queue::draw::redis::{self, BeginReply};
use crate::queue::draw::service::Draws;
use crate::queue::keyspaces::{Keyspaces, ScheduleScripts};
use crate::queue::model::Sequence;
use crate::queue::pg::lock_archive;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;

/// Lease of the process that works on a draw.
const LEASE: Duration = Duration::from_secs(5);
/// Entrants moved per call: each call takes far less than 5 ms.
const MOVED: usize = 100;
/// The mover pauses for as long as its calls took, after this much of them.
const PAUSED_AFTER: Duration = Duration::from_millis(10);
/// Draws that a process carries on at the same time.
const DRAWS: usize = 8;
/// Entries listed per statement.
const LISTED: i64 = 10_000;
/// Ranks written per statement.
const WRITTEN: usize = 5_000;

/// The draw loop of one process.
#[derive(Debug, Clone)]
pub struct DrawWorker {
    pg: Pg,
    keyspaces: Keyspaces,
    draws: Draws,
    archive: ArchiveWorker,
    /// This process's id.
    worker: Uuid,
}

impl DrawWorker {
    /// Puts the loop together.
    #[must_use]
    pub fn new(pg: Pg, keyspaces: Keyspaces, draws: Draws, archive: ArchiveWorker) -> Self {
        Self { pg, keyspaces, draws, archive, worker: Uuid::now_v7() }
    }

    /// Carries on every draw that is due, as far as it can go now.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let due = stream::iter(pg::due(&self.pg).await?);
        due.for_each_concurrent(DRAWS, |due| async move {
            let schedule = due.schedule;
            let worked = self.work(schedule).await;
            // Every process computes the ranks early: any of them may get tickets from before the
            // draw. The one that drew them has them.
            let known = self.draws.ranks(schedule).await;
            // An error of one draw must not stop the others.
            if let Err(error) = worked.and(known.map(|_| ())) {
                tracing::warn!(%schedule, %error, "a step of the draw failed");
            }
        })
        .await;
        Ok(false)
    }

    /// Carries on one draw, if no other process has the lease.
    async fn work(&self, schedule: ScheduleId) -> Result<(), StoreError> {
        if !self.renew_lease(schedule).await? {
            return Ok(());
        }
        let worked = self.carry_on(schedule).await;
        lease::give_back(&self.pg, schedule, self.worker).await?;
        worked
    }

    /// Runs the steps that are left, until one of them has to wait or to be repeated.
    async fn carry_on(&self, schedule: ScheduleId) -> Result<(), StoreError> {
        loop {
            // Read again under the lease.
            let is_done = match pg::find(&self.pg, schedule).await? {
                None => self.begin(schedule).await?,
                Some(Draw { entrants: None, .. }) => self.freeze(schedule).await?,
                Some(draw) if !draw.moved => self.draw(schedule, draw).await?,
                Some(_) => return Ok(()),
            };
            if !is_done {
                return Ok(());
            }
        }
    }

    /// Takes or renews the lease; false if another process has it.
    async fn renew_lease(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        lease::take(&self.pg, schedule, self.worker, LEASE.as_secs_f64()).await
    }

    /// Closes the draw: later joins are not part of it.
    async fn begin(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        let (epoch, reply) = self.begin_in_redis(schedule).await?;
        let BeginReply::Begun { base, room, .. } = reply else {
            return Ok(false);
        };
        pg::begin(&self.pg, schedule, epoch, base, room).await?;
        tracing::info!(%schedule, base = base.0, "the draw is closed");
        Ok(true)
    }

    /// Closes the draw in Redis if it is due; also returns the epoch of the keys.
    async fn begin_in_redis(&self, schedule: ScheduleId) -> Result<(u64, BeginReply), StoreError> {
        let begin = |scripts: ScheduleScripts| async move {
            Ok((scripts.keyspace.keys.epoch(), redis::begin_draw(&scripts).await?))
        };
        self.keyspaces.run(schedule, begin).await
    }

    /// Freezes the list of entrants, once the log is archived up to the closing of the draw.
    async fn freeze(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        let (epoch, reply) = self.begin_in_redis(schedule).await?;
        let BeginReply::Begun { mark, .. } = reply else {
            return Ok(false);
        };
        while self.archive.write(schedule).await? {
            if !self.renew_lease(schedule).await? {
                return Ok(false);
            }
        }
        let mut tx = self.pg.begin("freeze_draw").await?;
        // The archive writes nothing meanwhile.
        let Some(archived) = lock_archive(&mut tx, schedule).await? else {
            return Ok(false);
        };
        if archived.epoch != epoch || !reached(&archived.position, &mark) {
            return Ok(false);
        }
        // After a loss of Redis a user may have two entries. The lower one counts.
        if epoch == 1 && archived.is_listed() {
            list::freeze(&mut tx, schedule).await?;
            tx.commit().await?;
        } else {
            drop(tx);
            tracing::info!(%schedule, "the list of entrants is written again");
            if !self.write_list(schedule).await? {
                return Ok(false);
            }
        }
        tracing::info!(%schedule, "the list of entrants is frozen");
        Ok(true)
    }

    /// Writes and freezes the list from the archived entries; false if another process has the
    /// lease now.
    async fn write_list(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        while list::clear(&self.pg, schedule, LISTED).await? > 0 {
            if !self.renew_lease(schedule).await? {
                return Ok(false);
            }
        }
        let mut after = Sequence(0);
        while let Some(last) = list::enter(&self.pg, schedule, after, LISTED).await? {
            after = last;
            if !self.renew_lease(schedule).await? {
                return Ok(false);
            }
        }
        let mut tx = self.pg.begin("freeze_draw_list").await?;
        list::freeze(&mut tx, schedule).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Draws the ranks and moves the queue into drawn order. The ranks are written meanwhile, and
    /// then the secret becomes public. The secret is used only after the freeze, so any process
    /// that repeats this draws the same ranks.
    async fn draw(&self, schedule: ScheduleId, draw: Draw) -> Result<bool, StoreError> {
        let drawn = self.draws.drawn_list(schedule, draw.base).await?;
        tracing::info!(%schedule, entrants = drawn.len(), "the ranks are drawn");
        let publish = async {
            match draw.opened_at {
                Some(_) => Ok(true),
                None => self.publish(schedule, &drawn).await,
            }
        };
        // Either goes on if the other fails.
        let (published, moved) = tokio::join!(publish, self.move_queue(schedule, &drawn));
        let is_done = published? && moved?;
        if is_done {
            pg::moved(&self.pg, schedule).await?;
        }
        Ok(is_done)
    }

    /// Writes the ranks, and makes the secret public; false if another process has the lease now.
    async fn publish(&self, schedule: ScheduleId, drawn: &DrawnList) -> Result<bool, StoreError> {
        for ranks in drawn.ranks().chunks(WRITTEN) {
            list::write_ranks(&self.pg, schedule, ranks).await?;
            if !self.renew_lease(schedule).await? {
                return Ok(false);
            }
        }
        pg::open(&self.pg, schedule).await?;
        tracing::info!(%schedule, "the secret of the draw is public");
        Ok(true)
    }

    /// Moves the queue into drawn order, from the first rank on: what is moved is admitted
    /// meanwhile. Then ends the draw. False if that must be repeated.
    ///
    /// All under one epoch: if Redis is lost in between, it no longer has the moves.
    async fn move_queue(
        &self,
        schedule: ScheduleId,
        drawn: &DrawnList,
    ) -> Result<bool, StoreError> {
        let epoch_now = |scripts: ScheduleScripts| async move { Ok(scripts.keyspace.keys.epoch()) };
        let epoch = self.keyspaces.run(schedule, epoch_now).await?;
        let (mut moved, mut renewed, mut busy) = (0, Instant::now(), Duration::ZERO);
        while moved < drawn.len() {
            let begun = Instant::now();
            let entrants: Vec<Entrant> = drawn.after(moved, MOVED).copied().collect();
            let entrants = entrants.as_slice();
            let step = |scripts: ScheduleScripts| async move {
                let under = scripts.keyspace.keys.epoch();
                Ok((under, redis::move_drawn(&scripts, moved, entrants).await?))
            };
            match self.keyspaces.run(schedule, step).await? {
                (under, _) if under != epoch => return Ok(false),
                (_, Some(now)) => moved = now,
                (_, None) => break,
            }
            busy += begun.elapsed();
            if busy >= PAUSED_AFTER {
                // Leaves half of Redis's time to other calls.
                tokio::time::sleep(busy).await;
                busy = Duration::ZERO;
            }
            if renewed.elapsed() > LEASE / 4 {
                if !self.renew_lease(schedule).await? {
                    return Ok(false);
                }
                renewed = Instant::now();
            }
        }
        self.finish(schedule, epoch).await
    }

    /// Ends the draw in Redis, under `epoch`; false under another one.
    async fn finish(&self, schedule: ScheduleId, epoch: u64) -> Result<bool, StoreError> {
        let end = |scripts: ScheduleScripts| async move {
            let ours = scripts.keyspace.keys.epoch() == epoch;
            Ok((ours, ours && redis::finish_draw(&scripts).await?))
        };
        loop {
            match self.keyspaces.run(schedule, end).await? {
                (false, _) => return Ok(false),
                (true, false) => {}
                (true, true) => break,
            }
        }
        tracing::info!(%schedule, "the queue is in drawn order");
        Ok(true)
    }
}

/// Whether the log position `position` is at or after `mark`; both are `<ms>-<number>`.
fn reached(position: &str, mark: &str) -> bool {
    let parts = |text: &str| -> Option<(u64, u64)> {
        let (millis, number) = text.split_once('-')?;
        Some((millis.parse().ok()?, number.parse().ok()?))
    };
    parts(mark).is_some_and(|mark| parts(position).is_some_and(|position| position >= mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_compared_as_numbers() {
        for (position, mark, expected) in [
            ("1000-0", "999-9", true),
            ("999-10", "999-9", true),
            ("999-9", "999-9", true),
            ("999-8", "999-9", false),
            ("99-9", "999-0", false),
            ("", "0-1", false),
        ] {
            assert_eq!(reached(position, mark), expected, "{position} {mark}");
        }
    }
}
