//! Users whose access tokens and tickets are refused, because they are erased.
//!
//! A token is valid by its signature, and nobody can take it back. So each process keeps the ids of these
//! users in memory, 8 bytes each, and reads the changes once a second.

use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use chrono::{DateTime, TimeDelta, Utc};

use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::pg::Pg;

/// Changes of one read.
const PAGE: i64 = 10_000;

/// A change may be committed this long after its time. So the last ones are read again.
const OVERLAP: TimeDelta = TimeDelta::minutes(1);

/// The barred users as this process read them last; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct BarredUsers {
    last: Arc<ArcSwap<LastRead>>,
}

/// What was read last.
#[derive(Debug, Clone, Default)]
struct LastRead {
    users: HashSet<UserId>,
    /// Time of the last change.
    upto: DateTime<Utc>,
}

impl BarredUsers {
    /// Whether the user's tokens are refused.
    pub(super) fn has(&self, user: UserId) -> bool {
        let last = self.last.load();
        !last.users.is_empty() && last.users.contains(&user)
    }

    /// Reads the changes since the last read; returns whether there is a new one.
    pub(super) async fn refresh(&self, pg: &Pg) -> Result<bool, StoreError> {
        let before = self.last.load_full();
        let mut rows = changes(pg, before.upto - OVERLAP).await?;
        if rows.iter().all(|row| before.users.contains(&row.user) != row.lifted) {
            return Ok(false);
        }
        let mut read = LastRead::clone(&before);
        while let Some(last) = rows.last() {
            read.upto = read.upto.max(last.changed_at);
            for Change { user, lifted, .. } in &rows {
                if *lifted {
                    read.users.remove(user)
                } else {
                    read.users.insert(*user)
                };
            }
            rows = changes(pg, last.changed_at).await?;
        }
        self.last.store(Arc::new(read));
        Ok(true)
    }
}

/// A change of the table.
struct Change {
    user: UserId,
    lifted: bool,
    changed_at: DateTime<Utc>,
}

/// The next changes after a time, in their order.
async fn changes(pg: &Pg, after: DateTime<Utc>) -> Result<Vec<Change>, StoreError> {
    let rows = sqlx::query!(
        "select user_id, lifted, changed_at from barred_user
         where changed_at > $1 order by changed_at limit $2",
        after,
        PAGE
    )
    .fetch_all(pg.pool())
    .await?;
    let change = |user, lifted, changed_at| Change { user: UserId(user), lifted, changed_at };
    Ok(rows.into_iter().map(|row| change(row.user_id, row.lifted, row.changed_at)).collect())
}
