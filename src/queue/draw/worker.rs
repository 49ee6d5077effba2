//! The draw loop: closes a draw, freezes the list of entrants, draws the ranks, moves the queue.
//! Each step is complete before the next begins, and any process continues where another stopped.

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::queue::archive_worker::ArchiveWorker;
use crate::queue::draw::model::{Draw, Due, order};
use crate::queue::draw::pg::{self, lease};
use crate::queue::draw::redis::{self, BeginReply};
use crate::queue::draw::service::{Draws, PAGE};
use crate::queue::keyspaces::{Keyspaces, ScheduleScripts};
use crate::queue::model::Sequence;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;

/// Lease of the process that works on a draw.
const LEASE: Duration = Duration::from_secs(5);
/// Entrants moved per call: each call takes far less than 5 ms.
const MOVED: usize = 50;
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

    /// Runs one step of every draw that is due; true if one of them made progress.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let mut more = false;
        for due in pg::due(&self.pg).await? {
            let schedule = due.schedule;
            // Every process caches the ranks early: any of them may get tickets from before the
            // draw.
            let read = self.draws.places(schedule).await.map(|_| ());
            match read.and(self.work(due).await) {
                Ok(further) => more |= further,
                // An error of one draw must not stop the others.
                Err(error) => tracing::warn!(%schedule, %error, "a step of the draw failed"),
            }
        }
        Ok(more)
    }

    /// Runs one step of one draw, if no other process has the lease.
    async fn work(&self, due: Due) -> Result<bool, StoreError> {
        let schedule = due.schedule;
        if !self.renew_lease(schedule).await? {
            return Ok(false);
        }
        // Read again under the lease.
        let further = match pg::find(&self.pg, schedule).await? {
            None => self.begin(schedule).await,
            Some(Draw { entrants: None, .. }) => self.freeze(schedule).await,
            Some(Draw { opened_at: None, .. }) => self.draw(schedule).await,
            Some(Draw { moved: false, .. }) => self.move_queue(schedule).await,
            Some(_) => Ok(false),
        };
        lease::give_back(&self.pg, schedule, self.worker).await?;
        further
    }

    /// Takes or renews the lease; false if another process has it.
    async fn renew_lease(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        lease::take(&self.pg, schedule, self.worker, LEASE.as_secs_f64()).await
    }

    /// Closes the draw: later joins are not part of it.
    async fn begin(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        let (epoch, reply) = self.ask(schedule).await?;
        let BeginReply::Begun { base, room, .. } = reply else {
            return Ok(false);
        };
        pg::begin(&self.pg, schedule, epoch, base, room).await?;
        tracing::info!(%schedule, base = base.0, "the draw is closed");
        Ok(true)
    }

    async fn ask(&self, schedule: ScheduleId) -> Result<(u64, BeginReply), StoreError> {
        let ask = |scripts: ScheduleScripts| async move {
            Ok((scripts.keyspace.keys.epoch(), redis::begin_draw(&scripts).await?))
        };
        self.keyspaces.run(schedule, ask).await
    }

    /// Writes and freezes the list of entrants, once the log is archived up to the closing of the
    /// draw.
    async fn freeze(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        let (epoch, reply) = self.ask(schedule).await?;
        let BeginReply::Begun { mark, .. } = reply else {
            return Ok(false);
        };
        while self.archive.write(schedule).await? {
            if !self.renew_lease(schedule).await? {
                return Ok(false);
            }
        }
        let (written, position) = pg::archived(&self.pg, schedule).await?;
        if written != epoch || !reached(&position, &mark) {
            return Ok(false);
        }
        let mut after = Sequence(0);
        while let Some(last) = pg::enter(&self.pg, schedule, after, PAGE).await? {
            after = last;
            if !self.renew_lease(schedule).await? {
                return Ok(false);
            }
        }
        pg::freeze(&self.pg, schedule).await?;
        tracing::info!(%schedule, "the list of entrants is frozen");
        Ok(true)
    }

    /// Draws the ranks. The secret is used only here.
    async fn draw(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        let (mut entrants, mut after) = (Vec::new(), Sequence(0));
        loop {
            let page = pg::tickets(&self.pg, schedule, after, PAGE).await?;
            let Some((last, _)) = page.last() else {
                break;
            };
            after = *last;
            entrants.extend(page);
            if !self.renew_lease(schedule).await? {
                return Ok(false);
            }
        }
        let secret = pg::secret(&self.pg, schedule).await?;
        let ranks = tokio::task::spawn_blocking(move || draw_ranks(&secret, &entrants)).await;
        let ranks = ranks.map_err(|error| StoreError::Inconsistent(error.to_string()))?;
        for ranks in ranks.chunks(WRITTEN) {
            pg::write_places(&self.pg, schedule, ranks).await?;
            if !self.renew_lease(schedule).await? {
                return Ok(false);
            }
        }
        pg::open(&self.pg, schedule).await?;
        tracing::info!(%schedule, entrants = ranks.len(), "the ranks are drawn");
        Ok(true)
    }

    /// Moves the queue into drawn order, and starts admission.
    ///
    /// All under one epoch: if Redis is lost in between, it no longer has the moves.
    async fn move_queue(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        let epoch_now = |scripts: ScheduleScripts| async move { Ok(scripts.keyspace.keys.epoch()) };
        let epoch = self.keyspaces.run(schedule, epoch_now).await?;
        let mut after = Sequence(0);
        loop {
            let page = pg::placed(&self.pg, schedule, after, PAGE).await?;
            let Some(last) = page.last() else {
                break;
            };
            after = last.joined;
            for entrants in page.chunks(MOVED) {
                let begun = Instant::now();
                let step = |scripts: ScheduleScripts| async move {
                    let under = scripts.keyspace.keys.epoch();
                    Ok((under, redis::move_drawn(&scripts, entrants).await?))
                };
                if self.keyspaces.run(schedule, step).await?.0 != epoch {
                    return Ok(true);
                }
                // Leaves half of Redis's time to other calls.
                tokio::time::sleep(begun.elapsed()).await;
            }
            if !self.renew_lease(schedule).await? {
                return Ok(false);
            }
        }
        let end = |scripts: ScheduleScripts| async move {
            let ours = scripts.keyspace.keys.epoch() == epoch;
            Ok((ours, ours && redis::finish_draw(&scripts).await?))
        };
        loop {
            match self.keyspaces.run(schedule, end).await? {
                (false, _) => return Ok(true),
                (true, false) => {}
                (true, true) => break,
            }
        }
        pg::moved(&self.pg, schedule).await?;
        tracing::info!(%schedule, "the queue is in drawn order");
        Ok(true)
    }
}

/// The ranks of all entrants, in order of joining.
fn draw_ranks(secret: &[u8], entrants: &[(Sequence, Uuid)]) -> Vec<(Sequence, u32)> {
    let tickets: Vec<Uuid> = entrants.iter().map(|(_, id)| *id).collect();
    let order = order(secret, &tickets);
    let joined = |index: u32| usize::try_from(index).ok().and_then(|index| entrants.get(index));
    let mut ranks: Vec<(Sequence, u32)> = (1..)
        .zip(order)
        .filter_map(|(rank, index)| joined(index).map(|(sequence, _)| (*sequence, rank)))
        .collect();
    ranks.sort_unstable();
    ranks
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
