//! Figures that each process writes to Redis every second, so that any process can give those of
//! all. They are gone seconds after their process.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::StoreError;
use super::keys::PROCESS_FIGURES;
use super::process_records::clock;
use super::redis::Redis;

/// Figures count for this long after they were written, in ms.
const LIFETIME_MS: i64 = 5_000;

/// Writes the figures of the process `id`, and removes those of processes that have ended.
///
/// # Errors
/// [`StoreError::Unavailable`] if Redis does not answer.
pub async fn write(redis: &Redis, id: Uuid, figures: &impl Serialize) -> Result<(), StoreError> {
    let (now, _) = clock(redis).await?;
    let text = serde_json::to_string(&(now, figures))
        .map_err(|error| StoreError::Inconsistent(format!("the figures of a process: {error}")))?;
    let found = read_all(redis).await?;
    let over = found.into_iter().filter(|(_, at, _)| !is_current(*at, now)).map(|(id, ..)| id);
    let over: Vec<String> = over.collect();
    let mut pipe = redis::pipe();
    pipe.atomic().cmd("HSET").arg(PROCESS_FIGURES).arg(id.to_string()).arg(text);
    if !over.is_empty() {
        pipe.cmd("HDEL").arg(PROCESS_FIGURES).arg(over);
    }
    pipe.cmd("PEXPIRE").arg(PROCESS_FIGURES).arg(LIFETIME_MS);
    redis.bulk_pipe::<()>(&pipe).await
}

/// The figures of all running processes. Those that this version cannot read are left out.
///
/// # Errors
/// [`StoreError::Unavailable`] if Redis does not answer.
pub async fn list<T: DeserializeOwned>(redis: &Redis) -> Result<Vec<T>, StoreError> {
    let (now, _) = clock(redis).await?;
    let current = read_all(redis).await?.into_iter().filter(|(_, at, _)| is_current(*at, now));
    Ok(current.filter_map(|(.., figures)| serde_json::from_value(figures).ok()).collect())
}

fn is_current(written_ms: i64, now_ms: i64) -> bool {
    (now_ms - LIFETIME_MS..=now_ms + LIFETIME_MS).contains(&written_ms)
}

/// Process, time of writing and figures of each entry; the time 0 of one that cannot be read.
async fn read_all(redis: &Redis) -> Result<Vec<(String, i64, Value)>, StoreError> {
    let mut command = redis::cmd("HGETALL");
    command.arg(PROCESS_FIGURES);
    let found: Vec<(String, String)> = redis.hot(&command).await?;
    let parse = |(id, text): (String, String)| {
        let (at, figures) = serde_json::from_str(&text).unwrap_or((0, Value::Null));
        (id, at, figures)
    };
    Ok(found.into_iter().map(parse).collect())
}
