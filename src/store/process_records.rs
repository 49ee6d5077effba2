//! Records of the running processes in Redis, by which `onsale check` compares them. A record ends
//! with its process, or when the process has not written it again for [`LIFETIME`].

use std::time::Duration;

use chrono::Utc;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::StoreError;
use super::keys::PROCESSES;
use super::redis::Redis;

/// Time between two writes of a record.
pub const PERIOD: Duration = Duration::from_secs(10);

/// How long a record counts after it was written.
pub const LIFETIME: Duration = Duration::from_secs(45);

/// What a process says about itself. It contains no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessRecord {
    /// Id of the process, new at each start.
    pub id: Uuid,
    /// Name of its machine, and the address on which it listens.
    pub place: String,
    /// Version of the program.
    pub version: String,
    /// Maximum number of its connections to PostgreSQL.
    pub db_pool: u32,
    /// Digest of the secret of access tokens; `None` with an identity provider.
    pub jwt_secret: Option<String>,
    /// Digests of the ticket secrets. The first one signs.
    pub queue_secrets: Vec<String>,
    /// Whether `onsale drill` may cause failures here.
    #[serde(default)]
    pub allows_drill: bool,
    /// By how much its clock is ahead of Redis's, in ms.
    #[serde(default)]
    pub ahead_ms: i64,
    /// When it was written, by Redis's clock, in ms since 1970.
    #[serde(default)]
    pub written_ms: i64,
}

/// The clock of Redis, and by how much the clock of this process is ahead of it, both in ms. The
/// error of the second is at most half the time that the call took.
///
/// # Errors
/// [`StoreError::Unavailable`] if Redis does not answer.
pub async fn clock(redis: &Redis) -> Result<(i64, i64), StoreError> {
    let begun = Utc::now().timestamp_millis();
    let (seconds, micros): (i64, i64) = redis.hot(&redis::cmd("TIME")).await?;
    let middle = i64::midpoint(begun, Utc::now().timestamp_millis());
    let now = seconds * 1000 + micros / 1000;
    Ok((now, middle - now))
}

/// Writes the record of this process, and removes those whose time is over.
///
/// # Errors
/// [`StoreError::Unavailable`] if Redis does not answer.
pub async fn write(redis: &Redis, record: &ProcessRecord) -> Result<(), StoreError> {
    let (now, ahead_ms) = clock(redis).await?;
    let record = ProcessRecord { ahead_ms, written_ms: now, ..record.clone() };
    let text = serde_json::to_string(&record).map_err(|error| inconsistent(&error))?;
    let lifetime = i64::try_from(LIFETIME.as_millis()).unwrap_or(i64::MAX);
    let over: Vec<String> = (read(redis).await?.into_iter())
        .filter(|(_, other)| !other.as_ref().is_some_and(|other| is_current(other, now)))
        .map(|(id, _)| id)
        .collect();
    let mut pipe = redis::pipe();
    pipe.atomic().cmd("HSET").arg(PROCESSES).arg(record.id.to_string()).arg(text);
    if !over.is_empty() {
        pipe.cmd("HDEL").arg(PROCESSES).arg(over);
    }
    pipe.cmd("PEXPIRE").arg(PROCESSES).arg(lifetime);
    redis.bulk_pipe::<()>(&pipe).await
}

/// Removes the record of a process that ends.
///
/// # Errors
/// [`StoreError::Unavailable`] if Redis does not answer.
pub async fn remove(redis: &Redis, id: Uuid) -> Result<(), StoreError> {
    let mut command = redis::cmd("HDEL");
    command.arg(PROCESSES).arg(id.to_string());
    Ok(redis.hot(&command).await?)
}

/// The records of the processes that run, in order of their places.
///
/// # Errors
/// [`StoreError::Unavailable`] if Redis does not answer.
pub async fn list(redis: &Redis) -> Result<Vec<ProcessRecord>, StoreError> {
    let (now, _) = clock(redis).await?;
    let records = read(redis).await?.into_iter().filter_map(|(_, record)| record);
    let mut current: Vec<_> = records.filter(|record| is_current(record, now)).collect();
    current.sort_by(|one, other| one.place.cmp(&other.place));
    Ok(current)
}

fn is_current(record: &ProcessRecord, now_ms: i64) -> bool {
    let age = now_ms.saturating_sub(record.written_ms);
    i128::from(age) < i128::try_from(LIFETIME.as_millis()).unwrap_or(i128::MAX)
}

/// All records by their ids; `None` for one that this version cannot read.
async fn read(redis: &Redis) -> Result<Vec<(String, Option<ProcessRecord>)>, StoreError> {
    let mut command = redis::cmd("HGETALL");
    command.arg(PROCESSES);
    let found: Vec<(String, String)> = redis.hot(&command).await?;
    Ok(found.into_iter().map(|(id, text)| (id, serde_json::from_str(&text).ok())).collect())
}

fn inconsistent(error: &serde_json::Error) -> StoreError {
    StoreError::Inconsistent(format!("the record of a process: {error}"))
}
