//! The archive loop: writes the queue's log to the table `queue`, in batches.

use super::live_schedules::LiveSchedules;
use crate::queue::archive::fold;
use crate::queue::draw::pg::list;
use crate::queue::draw::service::Draws;
use crate::queue::keyspaces::{Keyspaces, ScheduleScripts};
use crate::queue::pg;
use crate::queue::redis::LogEntry;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

/// Maximum number of log entries per batch, and of events in them.
const BATCH: usize = 2000;
const EVENTS: usize = 5000;
/// Log entries in the first read of a batch: an entry has one event, or hundreds.
const FIRST_READ: usize = 50;

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

    /// Writes one batch of each schedule's log; true if there may be more. Skips logs that were empty
    /// when admission last looked.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let mut more = false;
        for schedule in self.live.schedules().await {
            if self.keyspaces.activity(schedule).is_archived() {
                continue;
            }
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
        let mut tx = self.pg.begin("archive_queue").await?;
        let Some(archived) = pg::lock_archive(&mut tx, schedule).await? else {
            return Ok(false);
        };
        let before = &archived;
        let read = |scripts: ScheduleScripts| async move {
            let now = scripts.keyspace.keys.epoch();
            let from = if now == before.epoch { before.position.as_str() } else { "0-0" };
            Ok((now, read_batch(&scripts, from).await?))
        };
        let (now, (entries, more)) = self.keyspaces.run(schedule, read).await?;
        let Some((last, _)) = entries.last() else {
            return Ok(false);
        };
        // Read after the log: then the ranks of all drawn entries in the log are known.
        let ranks = self.draws.ranks(schedule).await?;
        let joined = |drawn| ranks.as_ref().map_or(drawn, |ranks| ranks.joined(drawn));
        let events = entries.iter().flat_map(|(_, events)| events.iter().map(|(_, e)| e.as_str()));
        let (rows, unparsed) = fold(schedule, joined, events);
        let with_user = pg::write(&mut tx, schedule, &rows).await?;
        pg::admissions::record(&mut tx, schedule, &rows).await?;
        // A list with ranks is frozen.
        let is_open = ranks.is_none() && self.draws.has_draw(schedule).await;
        let listed = is_open && archived.is_listed();
        if listed {
            list::update(&mut tx, schedule, &rows).await?;
        }
        pg::move_archive(&mut tx, schedule, now, last, listed).await?;
        tx.commit().await?;
        let without_user = (rows.len() as u64).saturating_sub(with_user);
        self.metrics.queue_rows_skipped(unparsed + without_user);
        let trim = |scripts: ScheduleScripts| async move { Ok(scripts.trim_log(last).await?) };
        self.keyspaces.run(schedule, trim).await?;
        Ok(more)
    }
}

/// Reads the log entries of one batch after `position`; also returns whether the log has more. Each
/// read is as long as the events of the read before suggest.
async fn read_batch(
    scripts: &ScheduleScripts,
    position: &str,
) -> Result<(Vec<LogEntry>, bool), StoreError> {
    let (mut entries, mut events, mut count) = (Vec::new(), 0, FIRST_READ);
    loop {
        let after = entries.last().map_or(position, |(id, _): &LogEntry| id).to_owned();
        let read = scripts.read_log(&after, count).await?;
        let is_end = read.len() < count;
        events += read.iter().map(|(_, more)| more.len()).sum::<usize>();
        entries.extend(read);
        if is_end || events >= EVENTS || entries.len() >= BATCH {
            let read = entries.len();
            entries.truncate(fitting(&entries));
            let more = !is_end || entries.len() < read;
            return Ok((entries, more));
        }
        let expected = (EVENTS - events) * entries.len() / events.max(1);
        count = expected.clamp(1, BATCH - entries.len());
    }
}

/// How many entries fit into one statement of [`EVENTS`] events, at least one: an entry may have
/// many events, and the time for a statement is limited.
fn fitting(entries: &[LogEntry]) -> usize {
    let mut events = 0;
    let fits = |(_, more): &&LogEntry| {
        let first = events == 0;
        events += more.len();
        first || events <= EVENTS
    };
    entries.iter().take_while(fits).count()
}
