//! Deletes concerts and schedules whose removal has begun, in pages: first the keys in Redis, then the
//! rows, the schedule itself last. Every step can be repeated, and any process continues.

mod pg;
mod redis;

use std::time::Duration;

use self::pg::{Page, Removed};
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::keys::ScheduleKeys;
use crate::store::pg::Pg;
use crate::store::redis::Redis;

/// Rows per transaction.
const BATCH: i64 = 5_000;
/// How long the marker stays in Redis. A board that nobody asks for is dropped after a minute, so
/// later polls find no board with the queue.
const MARKER: Duration = Duration::from_mins(10);

/// The loop of removals of one process.
#[derive(Debug, Clone)]
pub struct RemovalLoop {
    pg: Pg,
    redis: Redis,
}

impl RemovalLoop {
    /// Puts the loop together.
    #[must_use]
    pub fn new(pg: Pg, redis: Redis) -> Self {
        Self { pg, redis }
    }

    /// Removes every marked schedule, then the marked concerts that have none left. Starts 3 s after
    /// the mark: by then every process has read it.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let marked = pg::list_marked(&self.pg).await?;
        for schedule in &marked {
            self.remove(*schedule).await?;
        }
        pg::delete_concerts(&self.pg).await?;
        Ok(false)
    }

    async fn remove(&self, Removed { schedule, epoch }: Removed) -> Result<(), StoreError> {
        self.unlink(schedule, epoch).await?;
        for table in pg::TABLES {
            let mut after = 0;
            loop {
                match pg::delete_page(&self.pg, table, schedule, after, BATCH).await? {
                    Page::Busy => return Ok(()),
                    Page::Last => break,
                    Page::Next(last) => after = last,
                }
            }
        }
        if pg::delete_schedule(&self.pg, schedule).await? {
            // A call that was late may have written a key since.
            self.unlink(schedule, epoch).await?;
            tracing::info!(%schedule, "removed a schedule");
        }
        Ok(())
    }

    /// Unlinks the keys of every epoch, and of one that a rebuild may have begun.
    async fn unlink(&self, schedule: ScheduleId, epoch: u64) -> Result<(), StoreError> {
        let keys = ScheduleKeys::new(schedule, epoch + 1);
        redis::unlink_removed(&self.redis, &keys, MARKER).await
    }
}
