//! Writing the line's log into the `queue` table, in batches behind the line.

use super::live_schedules::Live;
use crate::queue::archive::fold;
use crate::queue::draw::service::Draws;
use crate::queue::keyspaces::{Line, Lines};
use crate::queue::pg;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

const BATCH: usize = 2000;
const EVENTS: usize = 5000;

/// The archive loop of one process.
#[derive(Debug, Clone)]
pub struct Archive {
    pg: Pg,
    lines: Lines,
    draws: Draws,
    live: Live,
    metrics: Metrics,
}

impl Archive {
    /// Puts the loop together.
    #[must_use]
    pub fn new(pg: Pg, (lines, draws): (Lines, Draws), live: Live, metrics: Metrics) -> Self {
        Self { pg, lines, draws, live, metrics }
    }

    /// Writes one batch of each line; true where there may be more.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let mut more = false;
        for schedule in self.live.schedules().await {
            match self.write(schedule).await {
                Ok(full) => more |= full,
                // One line's trouble is not the others'.
                Err(error) => tracing::warn!(%schedule, %error, "the log is written later"),
            }
        }
        Ok(more)
    }

    /// Writes one batch of one line; true where there may be more.
    ///
    /// The position moves in the transaction that writes the rows, and the log is trimmed after its
    /// commit: a crash between the two trims later, and loses nothing.
    pub async fn write(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        let mut tx = self.pg.begin().await?;
        let Some((epoch, position)) = pg::lock_archive(&mut tx, schedule).await? else {
            return Ok(false);
        };
        let position = position.as_str();
        let read = |line: Line| async move {
            let now = line.place.keys.epoch();
            let from = if now == epoch { position } else { "0-0" };
            Ok((now, line.log(from, BATCH).await?))
        };
        let (now, mut entries) = self.lines.run(schedule, read).await?;
        let read = entries.len();
        entries.truncate(fitting(&entries));
        let more = read == BATCH || entries.len() < read;
        let Some((last, _)) = entries.last() else {
            return Ok(false);
        };
        // Asked for after the log was read: whatever is in it of drawn places, they are known.
        let places = self.draws.places(schedule).await?;
        let joined = |place| places.as_ref().map_or(place, |places| places.joined(place));
        let events = entries.iter().flat_map(|(_, events)| events.iter().map(|(_, e)| e.as_str()));
        let (rows, unread) = fold(schedule, joined, events);
        let known = pg::known(&mut tx, &rows).await?;
        pg::write(&mut tx, schedule, &rows).await?;
        pg::move_archive(&mut tx, schedule, now, last).await?;
        tx.commit().await?;
        self.metrics.queue_rows_skipped(unread + (rows.len() as u64).saturating_sub(known));
        let trim = |line: Line| async move { Ok(line.trim_log(last).await?) };
        self.lines.run(schedule, trim).await?;
        Ok(more)
    }
}

/// How many entries go into one statement: one may carry many events, and there is little time.
fn fitting(entries: &[(String, Vec<(String, String)>)]) -> usize {
    let mut events = 0;
    let fits = |(_, more): &&(String, Vec<(String, String)>)| {
        let first = events == 0;
        events += more.len();
        first || events <= EVENTS
    };
    entries.iter().take_while(fits).count()
}
