//! Reads from Redis which seats of a schedule are not free. No script: this also works on keys that
//! another server built, as after a restart of Redis.

use uuid::Uuid;

use super::model::{SavedSchedule, SavedSeat, SavedSeatState};
use crate::store::id::{ScheduleId, UserId};
use crate::store::keys::ScheduleKeys;
use crate::store::redis::Redis;
use crate::store::{Store, StoreError};

/// Seats read per call: about 1 ms of Redis's time.
const PAGE: u32 = 1000;
/// Maximum number of reads of a schedule whose keys are rebuilt meanwhile.
const TRIES: usize = 5;

/// The fields of `meta` that say what the keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Meta {
    epoch: u64,
    is_loading: bool,
    seats_total: u32,
    last_entry: u64,
}

/// Reads a schedule; `None` if it has no keys.
///
/// # Errors
/// [`StoreError::Unavailable`] if Redis does not answer, or the keys are rebuilt again and again.
pub(super) async fn read_schedule(
    redis: &Redis,
    schedule: ScheduleId,
) -> Result<Option<SavedSchedule>, StoreError> {
    let keys = ScheduleKeys::new(schedule, 1);
    for _ in 0..TRIES {
        let Some(meta) = read_meta(redis, &keys).await? else {
            return Ok(None);
        };
        let Some(seats) = read_seats(redis, &keys, meta).await? else {
            continue;
        };
        let Meta { epoch, is_loading, last_entry, .. } = meta;
        return Ok(Some(SavedSchedule {
            schedule,
            epoch,
            last_entry,
            complete: !is_loading,
            seats,
        }));
    }
    let reason = format!("the keys of schedule {schedule} are being rebuilt: stop the processes");
    Err(StoreError::Unavailable { store: Store::Redis, reason })
}

/// The epoch of a schedule's keys; 0 if there are none.
pub(super) async fn epoch(redis: &Redis, schedule: ScheduleId) -> Result<u64, StoreError> {
    let meta = read_meta(redis, &ScheduleKeys::new(schedule, 1)).await?;
    Ok(meta.map_or(0, |meta| meta.epoch))
}

async fn read_meta(redis: &Redis, keys: &ScheduleKeys) -> Result<Option<Meta>, StoreError> {
    type Fields = (Option<u64>, Option<u64>, Option<u32>, Option<u64>);
    let mut command = redis::cmd("HMGET");
    command.arg(keys.meta()).arg(&["epoch", "loading_until", "seats_total", "next_n"]);
    let (epoch, loading, seats_total, last_entry): Fields = redis.bulk(&command).await?;
    Ok(epoch.map(|epoch| Meta {
        epoch,
        is_loading: loading.is_some(),
        seats_total: seats_total.unwrap_or(0),
        last_entry: last_entry.unwrap_or(0),
    }))
}

/// Reads all seats; `None` if the keys were rebuilt meanwhile.
async fn read_seats(
    redis: &Redis,
    keys: &ScheduleKeys,
    meta: Meta,
) -> Result<Option<Vec<SavedSeat>>, StoreError> {
    // Seats that were added a moment ago are not in the settings yet.
    let mut command = redis::cmd("GETRANGE");
    command.arg(keys.named("sold")).arg(0).arg(-1);
    let sold: Vec<u8> = redis.bulk(&command).await?;
    let bits = u32::try_from(sold.len() * 8).unwrap_or(u32::MAX);
    let total = meta.seats_total.max(bits.saturating_sub(1));
    let mut seats = Vec::new();
    for first in (1..=total).step_by(PAGE as usize) {
        let last = total.min(first + PAGE - 1);
        match read_page(redis, keys, meta, first, last).await? {
            Some(page) => seats.extend(page),
            None => return Ok(None),
        }
    }
    Ok(Some(seats))
}

async fn read_page(
    redis: &Redis,
    keys: &ScheduleKeys,
    meta: Meta,
    first: u32,
    last: u32,
) -> Result<Option<Vec<SavedSeat>>, StoreError> {
    type Texts = Vec<Option<String>>;
    type Answer = ((Option<u64>, Option<u64>), (i64, i64), Texts, Vec<Option<f64>>, Vec<u8>);
    let mut pipe = redis::pipe();
    pipe.atomic().cmd("HMGET").arg(keys.meta()).arg("epoch").arg("loading_until").cmd("TIME");
    for (command, key) in [("HMGET", "holder"), ("ZMSCORE", "held")] {
        pipe.cmd(command).arg(keys.named(key));
        (first..=last).for_each(|number| _ = pipe.arg(number));
    }
    pipe.cmd("GETRANGE").arg(keys.named("sold")).arg(first / 8).arg(last / 8);
    let ((epoch, loading), (seconds, micros), holders, held, sold): Answer =
        redis.bulk_pipe(&pipe).await?;
    if (epoch, loading.is_some()) != (Some(meta.epoch), meta.is_loading) {
        return Ok(None);
    }
    #[expect(clippy::cast_precision_loss, reason = "a time in ms, below 2^53")]
    let now_ms = (seconds * 1000 + micros / 1000) as f64;
    let is_gone = |number: u32| {
        let byte = usize::try_from(number / 8 - first / 8).ok().and_then(|at| sold.get(at));
        byte.is_some_and(|byte| byte << (number % 8) & 0x80 != 0)
    };
    let seats = (first..=last).zip(holders).zip(held).filter_map(|((number, holder), held)| {
        let is_held = held.is_some_and(|until| until > now_ms);
        seat(number, holder.as_deref(), is_gone(number), is_held)
    });
    Ok(Some(seats.collect()))
}

/// Reads `<fence> <state> <hold> [user]`; `None` if the seat is free. A seat that the map shows as
/// gone counts as sold, whatever its holder says: the cautious reading.
fn seat(number: u32, holder: Option<&str>, is_gone: bool, is_held: bool) -> Option<SavedSeat> {
    let mut parts = holder.unwrap_or_default().split(' ');
    let fence = parts.next().and_then(|fence| fence.parse().ok()).unwrap_or(0);
    let state = match parts.next() {
        Some("BLOCK") => SavedSeatState::Blocked,
        Some("SELL") => SavedSeatState::Sold,
        _ if is_gone => SavedSeatState::Sold,
        Some("KEEP") if is_held => SavedSeatState::Held,
        _ => return None,
    };
    // A rebuild writes the hold of a sold seat as nil.
    let hold = parts.next().and_then(|hold| hold.parse().ok()).filter(|hold: &Uuid| !hold.is_nil());
    let user = parts.next().and_then(|user| user.parse().ok()).map(UserId);
    Some(SavedSeat { number, state, fence, hold, user })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_read_from_its_holder_its_bit_and_its_deadline() {
        let state = |holder, is_gone, is_held| Some(seat(7, holder, is_gone, is_held)?.state);
        for (holder, is_gone, is_held, expected) in [
            (None, false, false, None),
            (None, false, true, None), // claimed, which PostgreSQL has not decided
            (None, true, false, Some(SavedSeatState::Sold)),
            (Some("4 FREE -"), false, false, None),
            (Some("4 FREE -"), true, false, Some(SavedSeatState::Sold)),
            (Some("4 KEEP - 9"), false, true, Some(SavedSeatState::Held)),
            (Some("4 KEEP - 9"), false, false, None), // lapsed
            (Some("5 SELL - 9"), true, false, Some(SavedSeatState::Sold)),
            (Some("5 BLOCK -"), true, false, Some(SavedSeatState::Blocked)),
        ] {
            assert_eq!(state(holder, is_gone, is_held), expected, "{holder:?}");
        }
        let hold = Uuid::now_v7();
        let sold = seat(7, Some(&format!("5 SELL {hold} 9")), true, false).unwrap();
        assert_eq!((sold.fence, sold.hold, sold.user), (5, Some(hold), Some(UserId(9))));
        let nil = format!("5 SELL {} 9", Uuid::nil());
        assert_eq!(seat(7, Some(&nil), true, false).unwrap().hold, None);
    }
}
