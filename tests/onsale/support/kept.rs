//! How many seats each user keeps from others, according to Redis.

use std::collections::{BTreeMap, HashMap};

use redis::RedisResult;
use redis::aio::ConnectionLike;

use super::faults::key;

type Texts = HashMap<u32, String>;
type Times = Vec<(u32, f64)>;

/// How many seats a user keeps from others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Claimed; PostgreSQL has not decided yet.
    pub claimed: usize,
    /// Held or bought.
    pub owned: usize,
}

/// The number of seats that each user keeps from others now: claimed, held or bought. Seats without
/// a user in Redis count for user 0.
pub async fn by_user(redis: &mut impl ConnectionLike, schedule: i64) -> BTreeMap<i64, usize> {
    let kept = read(redis, schedule).await.expect("Redis");
    kept.into_iter().map(|(user, kept)| (user, kept.claimed + kept.owned)).collect()
}

/// As [`by_user`], with claimed seats separate from the others.
pub async fn read(
    redis: &mut impl ConnectionLike,
    schedule: i64,
) -> RedisResult<BTreeMap<i64, Kept>> {
    let mut pipe = redis::pipe();
    pipe.atomic().cmd("TIME");
    pipe.cmd("HGETALL").arg(key(schedule, "claim")).cmd("HGETALL").arg(key(schedule, "holder"));
    pipe.cmd("ZRANGE").arg(key(schedule, "held")).arg(0).arg(-1).arg("WITHSCORES");
    let ((seconds, micros), claims, holders, held): ((i64, i64), Texts, Texts, Times) =
        pipe.query_async(redis).await?;
    #[expect(clippy::cast_precision_loss, reason = "a time in ms, below 2^53")]
    let now = (seconds * 1000 + micros / 1000) as f64;
    let mut kept: BTreeMap<i64, Kept> = BTreeMap::new();
    let user = |text: &str, at: usize| {
        text.split(' ').nth(at).and_then(|user| user.parse().ok()).unwrap_or(0)
    };
    for (seat, _) in held.iter().filter(|(_, until)| *until > now) {
        match (claims.get(seat), holders.get(seat)) {
            (Some(claim), _) => kept.entry(user(claim, 2)).or_default().claimed += 1,
            (None, Some(holder)) => kept.entry(user(holder, 3)).or_default().owned += 1,
            (None, None) => {}
        }
    }
    for holder in holders.values().filter(|holder| holder.contains(" SELL ")) {
        kept.entry(user(holder, 3)).or_default().owned += 1;
    }
    Ok(kept)
}

/// The largest number of seats that were held or claimed at the same time, from the log of the seat
/// map. The log has every change, however short it lasted.
pub async fn most_at_once(redis: &mut impl ConnectionLike, schedule: i64) -> usize {
    let entries: Vec<(String, Vec<String>)> = redis::cmd("XRANGE")
        .arg(key(schedule, "seatlog"))
        .arg("-")
        .arg("+")
        .query_async(redis)
        .await
        .expect("Redis");
    let mut shown: HashMap<u32, bool> = HashMap::new();
    let mut most = 0;
    for (_, fields) in entries {
        for change in fields[1].split(',') {
            let (seat, state) = change.split_once(':').expect("a change");
            shown.insert(seat.parse().expect("a seat"), state == "1");
        }
        most = most.max(shown.values().filter(|held| **held).count());
    }
    most
}
