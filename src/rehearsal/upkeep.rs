//! Ends rehearsals whose process died, and removes the shadows of all that ended. Every process does
//! this; one at a time works on a removal.

use super::pg;
use super::pg::removal::{self, Removal};
use super::redis;
use crate::store::StoreError;
use crate::store::id::RehearsalId;
use crate::store::pg::Pg;
use crate::store::redis::Redis;

/// The loop of one process; cheap to clone.
#[derive(Debug, Clone)]
pub struct RehearsalUpkeep {
    pg: Pg,
    redis: Redis,
}

impl RehearsalUpkeep {
    /// Puts the loop together.
    #[must_use]
    pub fn new(pg: Pg, redis: Redis) -> Self {
        Self { pg, redis }
    }

    /// One step. Returns true if it removed something and there may be more.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let broken = pg::end_broken(&self.pg).await?;
        if broken > 0 {
            tracing::warn!("ended a rehearsal whose process died");
        }
        let Some(removal) = removal::take(&self.pg).await? else { return Ok(false) };
        let Removal { rehearsal, is_quiet, has_no_sale } = removal;
        if !has_no_sale {
            self.remove_sale(rehearsal).await?;
        } else if is_quiet {
            self.remove_rest(rehearsal).await?;
        }
        removal::give_back(&self.pg, rehearsal).await?;
        Ok(false)
    }

    /// Removes the rows of the sale, page by page.
    async fn remove_sale(&self, id: RehearsalId) -> Result<(), StoreError> {
        while removal::remove_sale_page(&self.pg, id).await? {}
        Ok(())
    }

    /// Removes the keys and the buyers, once no process works on the sale: a late call may have
    /// created keys, and a late batch rows of the queue.
    async fn remove_rest(&self, id: RehearsalId) -> Result<(), StoreError> {
        redis::unlink(&self.redis, id).await?;
        while removal::remove_buyers_page(&self.pg, id).await? {}
        tracing::info!(rehearsal = %id, "removed the shadow of a rehearsal");
        Ok(())
    }
}
