//! Removes the keys of a shadow from Redis.

use crate::store::StoreError;
use crate::store::id::RehearsalId;
use crate::store::keys::ScheduleKeys;
use crate::store::redis::Redis;

/// Highest epoch of a shadow: each rebuild of its keys raises it.
const EPOCHS: u64 = 64;

/// Unlinks every key that a shadow can have.
///
/// # Errors
/// [`StoreError::Unavailable`] if Redis does not answer.
pub async fn unlink(redis: &Redis, rehearsal: RehearsalId) -> Result<(), StoreError> {
    let mut command = redis::cmd("UNLINK");
    command.arg(ScheduleKeys::new(rehearsal.schedule(), EPOCHS).all());
    Ok(redis.bulk::<()>(&command).await?)
}
