//! Deletes the keys of a removed schedule.

use std::time::Duration;

use crate::store::StoreError;
use crate::store::keys::ScheduleKeys;
use crate::store::redis::Redis;

/// Deletes all keys of a removed schedule, and leaves a marker for `lifetime`: boards that still show
/// its queue then show that it has ended. `keys` are of an epoch above all that were used.
pub async fn unlink_removed(
    redis: &Redis,
    keys: &ScheduleKeys,
    lifetime: Duration,
) -> Result<(), StoreError> {
    let mut pipe = redis::pipe();
    pipe.atomic().cmd("UNLINK").arg(keys.all()).ignore();
    pipe.cmd("HSET").arg(keys.meta()).arg("epoch").arg(keys.epoch()).arg("removed").arg(1).ignore();
    let lifetime = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
    pipe.cmd("PEXPIRE").arg(keys.meta()).arg(lifetime).ignore();
    redis.bulk_pipe::<()>(&pipe).await
}
