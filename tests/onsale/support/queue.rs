//! The queue of a schedule, read from Redis without the service.

use redis::AsyncCommands;

use super::faults::key;
use super::servers::Raw;

/// Whether a user is in one of the schedule's sorted sets: `waiting`, `active`, `parked`,
/// `returned`.
pub async fn is_in(redis: &mut Raw, schedule: i64, set: &str, user: i64) -> bool {
    let score: Option<f64> = redis.zscore(key(schedule, set), user).await.expect("Redis");
    score.is_some()
}

/// The bit of a sequence in the bitmaps of the presence ring; see lua/lib/presence.
fn presence_bit(sequence: u64) -> usize {
    usize::try_from(2 * (sequence & ((1 << 40) - 1)) + (sequence >> 40) % 2).expect("a bit")
}

/// Whether a sequence is marked as present in any bitmap of the presence ring.
pub async fn is_present(redis: &mut Raw, schedule: i64, sequence: u64) -> bool {
    let mut ring = redis::pipe();
    (0..3).for_each(|slot| {
        ring.getbit(key(schedule, &format!("present:{slot}")), presence_bit(sequence));
    });
    let bits: Vec<u8> = ring.query_async(redis).await.expect("Redis");
    bits.contains(&1)
}
