//! Deletes data that is no longer needed.

use std::future::ready;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::pg::{self, PastSale};
use crate::idempotency;
use crate::queue;
use crate::queue::model::Sequence;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::keys::ScheduleKeys;
use crate::store::pg::Pg;
use crate::store::redis::Redis;
use crate::user;

/// Rows per statement.
const BATCH: i64 = 10_000;
/// Past schedules per page, and how many of them have their keys removed at the same time.
const PAGE: i64 = 1000;
const AT_ONCE: usize = 16;

/// The purge loop of one process.
#[derive(Debug, Clone)]
pub struct PurgeLoop {
    pg: Pg,
    redis: Redis,
}

impl PurgeLoop {
    /// Puts the loop together.
    #[must_use]
    pub fn new(pg: Pg, redis: Redis) -> Self {
        Self { pg, redis }
    }

    /// Removes idempotency keys after 48 h and records of sign-up forms after 1 h. Ends the queue
    /// entries of sales that closed two hours ago. Unlinks the Redis keys of their queues soon
    /// afterwards, and those of their seats from a day after the concert on. Returns true if there
    /// may be more to delete.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let keys = idempotency::pg::purge(&self.pg, BATCH).await?;
        let forms = user::pg::purge_forms(&self.pg, BATCH).await?;
        for (schedule, epoch, position) in queue::pg::unsettled(&self.pg).await? {
            self.end_entries(schedule).await?;
            queue::pg::settle(&self.pg, schedule, epoch, &position).await?;
        }
        self.unlink_past().await?;
        Ok(i64::try_from(keys.max(forms)).unwrap_or(BATCH) == BATCH)
    }

    /// Ends every open queue entry of a closed sale, in pages.
    async fn end_entries(&self, schedule: ScheduleId) -> Result<(), StoreError> {
        let mut next = Some(Sequence(0));
        while let Some(after) = next {
            next = queue::pg::end_open_entries(&self.pg, schedule, after, BATCH).await?;
        }
        Ok(())
    }

    /// Removes the Redis keys of every past schedule, however old: a process of an older version or
    /// a late call may have created some again.
    async fn unlink_past(&self) -> Result<(), StoreError> {
        let mut after = ScheduleId(0);
        loop {
            let page = pg::past(&self.pg, after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = last.schedule;
            let unlink = |sale: PastSale| async move {
                let keys = ScheduleKeys::new(sale.schedule, sale.epoch);
                let keys = if sale.concert_is_over { keys.all() } else { keys.queue_data() };
                queue::redis::unlink(&self.redis, &keys).await
            };
            let all = stream::iter(page).map(unlink).buffer_unordered(AT_ONCE);
            all.try_for_each(|()| ready(Ok(()))).await?;
        }
    }
}
