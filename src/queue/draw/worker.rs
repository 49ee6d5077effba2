//! Holding a draw: shut, freeze the list, draw, move the line. Each step is done for good before the
//! next begins, and any process goes on where another stopped.

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::queue::archive_worker::Archive;
use crate::queue::draw::model::{Draw, Due, order};
use crate::queue::draw::pg::{self, lease};
use crate::queue::draw::redis::BeginReply;
use crate::queue::draw::service::{Draws, PAGE};
use crate::queue::keyspaces::{Line, Lines};
use crate::queue::model::Sequence;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;

/// How long one process alone works on a draw after it last said so.
const LEASE: Duration = Duration::from_secs(5);
/// Entrants moved per call: each call stays far below 5 ms.
const MOVED: usize = 50;
/// Entrants written per statement.
const WRITTEN: usize = 5_000;

/// The draw loop of one process.
#[derive(Debug, Clone)]
pub struct Drawing {
    pg: Pg,
    lines: Lines,
    draws: Draws,
    archive: Archive,
    /// This process among others.
    worker: Uuid,
}

impl Drawing {
    /// Puts the loop together.
    #[must_use]
    pub fn new(pg: Pg, lines: Lines, draws: Draws, archive: Archive) -> Self {
        Self { pg, lines, draws, archive, worker: Uuid::now_v7() }
    }

    /// Goes on with every draw that is due; true where one of them has come further.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let mut more = false;
        for due in pg::due(&self.pg).await? {
            let schedule = due.schedule;
            // Read early, in every process: tickets of before the draw will be shown to all.
            let read = self.draws.places(schedule).await.map(|_| ());
            match read.and(self.work(due).await) {
                Ok(further) => more |= further,
                // One draw's trouble is not the others'.
                Err(error) => tracing::warn!(%schedule, %error, "the draw goes on later"),
            }
        }
        Ok(more)
    }

    /// One step of one draw, if no other process is at it.
    async fn work(&self, due: Due) -> Result<bool, StoreError> {
        let schedule = due.schedule;
        if !self.still_ours(schedule).await? {
            return Ok(false);
        }
        // Read again under the lease.
        let further = match pg::find(&self.pg, schedule).await? {
            None => self.begin(schedule).await,
            Some(Draw { entrants: None, .. }) => self.freeze(schedule).await,
            Some(Draw { opened_at: None, .. }) => self.draw(schedule).await,
            Some(Draw { moved: false, .. }) => self.move_line(schedule).await,
            Some(_) => Ok(false),
        };
        lease::give_back(&self.pg, schedule, self.worker).await?;
        further
    }

    async fn still_ours(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        lease::take(&self.pg, schedule, self.worker, LEASE.as_secs_f64()).await
    }

    /// Shuts it: whoever joins from here on is not in it.
    async fn begin(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        let (epoch, reply) = self.ask(schedule).await?;
        let BeginReply::Begun { base, room, .. } = reply else {
            return Ok(false);
        };
        pg::begin(&self.pg, schedule, epoch, base, room).await?;
        tracing::info!(%schedule, base = base.0, "the draw is shut");
        Ok(true)
    }

    async fn ask(&self, schedule: ScheduleId) -> Result<(u64, BeginReply), StoreError> {
        let ask =
            |line: Line| async move { Ok((line.place.keys.epoch(), line.draw_begin().await?)) };
        self.lines.run(schedule, ask).await
    }

    /// Writes down who is in it, once all are in the table who joined before it was shut.
    async fn freeze(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        let (epoch, reply) = self.ask(schedule).await?;
        let BeginReply::Begun { mark, .. } = reply else {
            return Ok(false);
        };
        while self.archive.write(schedule).await? {
            if !self.still_ours(schedule).await? {
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
            if !self.still_ours(schedule).await? {
                return Ok(false);
            }
        }
        pg::freeze(&self.pg, schedule).await?;
        tracing::info!(%schedule, "the list of entrants is frozen");
        Ok(true)
    }

    /// Draws: the secret is used here and nowhere else.
    async fn draw(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        let (mut entrants, mut after) = (Vec::new(), Sequence(0));
        loop {
            let page = pg::tickets(&self.pg, schedule, after, PAGE).await?;
            let Some((last, _)) = page.last() else {
                break;
            };
            after = *last;
            entrants.extend(page);
            if !self.still_ours(schedule).await? {
                return Ok(false);
            }
        }
        let secret = pg::secret(&self.pg, schedule).await?;
        let drawn = tokio::task::spawn_blocking(move || places(&secret, &entrants)).await;
        let drawn = drawn.map_err(|error| StoreError::Inconsistent(error.to_string()))?;
        for places in drawn.chunks(WRITTEN) {
            pg::write_places(&self.pg, schedule, places).await?;
            if !self.still_ours(schedule).await? {
                return Ok(false);
            }
        }
        pg::open(&self.pg, schedule).await?;
        tracing::info!(%schedule, entrants = drawn.len(), "the draw is held");
        Ok(true)
    }

    /// Moves the line into the order drawn, and lets admission begin.
    ///
    /// All of it under one epoch: a Redis that is lost in the middle has forgotten who was moved.
    async fn move_line(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        let epoch_now = |line: Line| async move { Ok(line.place.keys.epoch()) };
        let epoch = self.lines.run(schedule, epoch_now).await?;
        let mut after = Sequence(0);
        loop {
            let page = pg::placed(&self.pg, schedule, after, PAGE).await?;
            let Some(last) = page.last() else {
                break;
            };
            after = last.joined;
            for entrants in page.chunks(MOVED) {
                let begun = Instant::now();
                let step = |line: Line| async move {
                    let under = line.place.keys.epoch();
                    Ok((under, line.draw_move(entrants).await?))
                };
                if self.lines.run(schedule, step).await?.0 != epoch {
                    return Ok(true);
                }
                // Half of Redis's time is everybody else's.
                tokio::time::sleep(begun.elapsed()).await;
            }
            if !self.still_ours(schedule).await? {
                return Ok(false);
            }
        }
        let end = |line: Line| async move {
            let ours = line.place.keys.epoch() == epoch;
            Ok((ours, ours && line.draw_end().await?))
        };
        loop {
            match self.lines.run(schedule, end).await? {
                (false, _) => return Ok(true),
                (true, false) => {}
                (true, true) => break,
            }
        }
        pg::moved(&self.pg, schedule).await?;
        tracing::info!(%schedule, "the line stands in the order drawn");
        Ok(true)
    }
}

/// What everybody drew, in order of joining.
fn places(secret: &[u8], entrants: &[(Sequence, Uuid)]) -> Vec<(Sequence, u32)> {
    let tickets: Vec<Uuid> = entrants.iter().map(|(_, id)| *id).collect();
    let order = order(secret, &tickets);
    let joined = |index: u32| usize::try_from(index).ok().and_then(|index| entrants.get(index));
    let mut places: Vec<(Sequence, u32)> = (1..)
        .zip(order)
        .filter_map(|(place, index)| joined(index).map(|(sequence, _)| (*sequence, place)))
        .collect();
    places.sort_unstable();
    places
}

/// Whether a position in a log is another one or behind it: `<ms>-<number>`.
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
        for (position, mark, is) in [
            ("1000-0", "999-9", true),
            ("999-10", "999-9", true),
            ("999-9", "999-9", true),
            ("999-8", "999-9", false),
            ("99-9", "999-0", false),
            ("", "0-1", false),
        ] {
            assert_eq!(reached(position, mark), is, "{position} {mark}");
        }
    }
}
