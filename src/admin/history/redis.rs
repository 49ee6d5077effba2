//! Reads the sizes of a sale from Redis, without its queue and its seat map.

use std::collections::HashMap;

use crate::board::meta::Meta;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::keys::ScheduleKeys;
use crate::store::redis::Redis;

/// A sale as Redis has it now.
#[derive(Debug, Clone)]
pub struct SaleSeen {
    /// Settings, counters and sizes.
    pub meta: Meta,
    /// Seats that are claimed or held.
    pub held: u64,
    /// Redis's clock (ms).
    pub now_ms: i64,
}

/// Reads the sizes of a sale, in one round trip.
///
/// # Errors
/// [`StoreError::Unavailable`] if Redis does not answer.
pub async fn read_sale(redis: &Redis, schedule: ScheduleId) -> Result<SaleSeen, StoreError> {
    type Answer = (HashMap<String, String>, u64, u64, u64, u64, u64, (i64, i64));
    let keys = ScheduleKeys::new(schedule, 1);
    let mut pipe = redis::pipe();
    pipe.cmd("HGETALL").arg(keys.meta());
    for set in ["waiting", "active", "parked", "returned", "held"] {
        pipe.cmd("ZCARD").arg(keys.named(set));
    }
    pipe.cmd("TIME");
    let (fields, waiting, active, parked, returned, held, (seconds, micros)): Answer =
        redis.bulk_pipe(&pipe).await?;
    let meta = Meta::parse(&fields, [waiting, active, parked, returned]);
    Ok(SaleSeen { meta, held, now_ms: seconds * 1000 + micros / 1000 })
}
