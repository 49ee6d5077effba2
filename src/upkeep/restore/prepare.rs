//! Reads what is known before the restore: from Redis, and from PostgreSQL if it answers.

use std::fmt;
use std::time::Duration;

use chrono::DateTime;
use uuid::Uuid;

use super::model::{SavedDatabase, SavedSeatState, SavedState, SecretDigests};
use super::{RestoreError, pg, redis};
use crate::store::keys::{META_PATTERN, schedule_of};
use crate::store::pg::Pg;
use crate::store::redis::Redis;
use crate::store::{StoreError, process_records};

/// How long PostgreSQL is waited for. It may be lost.
const POSTGRES: Duration = Duration::from_secs(5);

/// Reads what is saved.
///
/// # Errors
/// [`RestoreError::Store`] if Redis does not answer, or does not let the user list keys.
pub async fn prepare(
    redis: &Redis,
    pg: &Pg,
    secrets: SecretDigests,
) -> Result<SavedState, RestoreError> {
    let (now_ms, _) = process_records::clock(redis).await?;
    let running = process_records::list(redis).await?;
    let mut schedules = Vec::new();
    let keys = redis.scan(META_PATTERN).await?;
    let mut ids: Vec<_> = keys.iter().filter_map(|key| schedule_of(key)).collect();
    ids.sort_unstable();
    for schedule in ids {
        schedules.extend(redis::read_schedule(redis, schedule).await?);
    }
    let postgres = tokio::time::timeout(POSTGRES, read_database(pg)).await;
    Ok(SavedState {
        id: Uuid::now_v7(),
        prepared_at: DateTime::from_timestamp_millis(now_ms).unwrap_or_default(),
        secrets,
        running: running.into_iter().map(|process| process.place).collect(),
        postgres: postgres.ok().and_then(Result::ok),
        schedules,
    })
}

async fn read_database(pg: &Pg) -> Result<SavedDatabase, StoreError> {
    Ok(SavedDatabase { identity: pg::identity(pg).await?, last_ids: pg::last_ids(pg).await? })
}

/// A summary for the operator.
impl fmt::Display for SavedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |state| self.count(state);
        writeln!(
            f,
            "Redis knows {} schedules: {} seats sold, {} held, {} blocked",
            self.schedules.len(),
            count(SavedSeatState::Sold),
            count(SavedSeatState::Held),
            count(SavedSeatState::Blocked)
        )?;
        for half_built in self.schedules.iter().filter(|saved| !saved.complete) {
            let schedule = half_built.schedule;
            writeln!(
                f,
                "warning: the keys of schedule {schedule} were half-built: seats may be absent"
            )?;
        }
        if self.postgres.is_none() {
            writeln!(f, "PostgreSQL did not answer")?;
        }
        if !self.running.is_empty() {
            let places = self.running.join(", ");
            writeln!(
                f,
                "warning: processes run at {places}: stop them before PostgreSQL is restored, and then \
                 prepare again under another name"
            )?;
        }
        Ok(())
    }
}
