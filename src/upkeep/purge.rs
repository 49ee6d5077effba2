//! Clearing away what is over.

use super::pg;
use crate::idempotency;
use crate::queue;
use crate::store::StoreError;
use crate::store::keys::Keys;
use crate::store::pg::Pg;
use crate::store::redis::Redis;
use crate::user;

const BATCH: i64 = 10_000;

/// The purge loop of one process.
#[derive(Debug, Clone)]
pub struct Purge {
    pg: Pg,
    redis: Redis,
}

impl Purge {
    /// Puts the loop together.
    #[must_use]
    pub fn new(pg: Pg, redis: Redis) -> Self {
        Self { pg, redis }
    }

    /// Removes idempotency keys past 48 h and notes of sign-up forms past 1 h, ends places of closed sales, and drops the Redis keys of
    /// concerts a day over; true where there may be more.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let keys = idempotency::pg::purge(&self.pg, BATCH).await?;
        let forms = user::pg::purge_forms(&self.pg, BATCH).await?;
        for (schedule, epoch) in pg::over(&self.pg).await? {
            queue::redis::unlink(&self.redis, &Keys::new(schedule, epoch)).await?;
        }
        for schedule in pg::closed(&self.pg).await? {
            while queue::pg::close(&self.pg, schedule, BATCH).await? > 0 {}
        }
        Ok(i64::try_from(keys.max(forms)).unwrap_or(BATCH) == BATCH)
    }
}
