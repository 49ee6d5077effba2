//! The archive loop: writes the queue's log to the table `queue`, in batches.

use super::live_schedules::LiveSchedules;
use crate::queue::archive::fold;
use crate::queue::draw::service::Draws;
use crate::queue::keyspaces::{Keyspaces, ScheduleScripts};
use crate::queue::pg;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

/// Log entries per batch, and maximum number of events in them.
const BATCH: usize = 2000;
const EVENTS: usize = 5000;

/// The archive loop of one process.
#[derive(Debug, Clone)]
pub struct ArchiveWorker {
    pg: Pg,
    keyspaces: Keyspaces,
    draws: Draws,
    live: LiveSchedules,
    metrics: Metrics,
}

impl ArchiveWorker {
    /// Puts the loop together.
    #[must_use]
    pub fn new(
        pg: Pg,
        keyspaces: Keyspaces,
        draws: Draws,
        live: LiveSchedules,
        metrics: Metrics,
    ) -> Self {
        Self { pg, keyspaces, draws, live, metrics }
    }

    /// Writes one batch of each schedule's log; true if there may be more.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let mut more = false;
        for schedule in self.live.schedules().await {
            match self.write(schedule).await {
                Ok(full) => more |= full,
                // An error of one schedule must not stop the others.
                Err(error) => tracing::warn!(%schedule, %error, "archiving the queue log failed"),
            }
        }
        Ok(more)
    }

    /// Writes one batch of one schedule's log; true if there may be more.
    ///
    /// The transaction that writes the rows also moves the position. The log is trimmed after the
    /// commit. A crash in between loses nothing: the log is trimmed later.
    pub async fn write(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        let mut tx = self.pg.begin().await?;
        let Some((epoch, position)) = pg::lock_archive(&mut tx, schedule).await? else {
            return Ok(false);
        };
        let position = position.as_str();
        let read = |scripts: ScheduleScripts| async move {
            let now = scripts.keyspace.keys.epoch();
            let from = if now == epoch { position } else { "0-0" };
            Ok((now, scripts.read_log(from, BATCH).await?))
        };
        let (now, mut entries) = self.keyspaces.run(schedule, read).await?;
        let read = entries.len();
        entries.truncate(fitting(&entries));
        let more = read == BATCH || entries.len() < read;
        let Some((last, _)) = entries.last() else {
            return Ok(false);
        };
        // Read after the log: then the ranks of all drawn entries in the log are known.
        let places = self.draws.places(schedule).await?;
        let joined = |drawn| places.as_ref().map_or(drawn, |places| places.joined(drawn));
        let events = entries.iter().flat_map(|(_, events)| events.iter().map(|(_, e)| e.as_str()));
        let (rows, unparsed) = fold(schedule, joined, events);
        let with_user = pg::known(&mut tx, &rows).await?;
        pg::write(&mut tx, schedule, &rows).await?;
        pg::move_archive(&mut tx, schedule, now, last).await?;
        tx.commit().await?;
        let without_user = (rows.len() as u64).saturating_sub(with_user);
        self.metrics.queue_rows_skipped(unparsed + without_user);
        let trim = |scripts: ScheduleScripts| async move { Ok(scripts.trim_log(last).await?) };
        self.keyspaces.run(schedule, trim).await?;
        Ok(more)
    }
}

/// How many entries fit into one statement of [`EVENTS`] events, at least one: an entry may have
/// many events, and the time for a statement is limited.
fn fitting(entries: &[(String, Vec<(String, String)>)]) -> usize {
    let mut events = 0;
    let fits = |(_, more): &&(String, Vec<(String, String)>)| {
        let first = events == 0;
        events += more.len();
        first || events <= EVENTS
    };
    entries.iter().take_while(fits).count()
}
