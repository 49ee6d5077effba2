//! Reads everything that a schedule has in Redis as plain values, to compare it with a model.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use redis::FromRedisValue;

use super::stage::Stage;

/// The queue.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueueState {
    /// (sequence, user) in order.
    pub waiting: Vec<(u64, u64)>,
    pub returned: Vec<(u64, u64)>,
    /// By user.
    pub active: BTreeMap<u64, i64>,
    pub called: BTreeMap<u64, i64>,
    pub parked: BTreeMap<u64, i64>,
    pub place: BTreeMap<u64, String>,
    /// The sequences whose bit is set.
    pub bits: BTreeSet<u64>,
    /// By sequence.
    pub done: BTreeMap<u64, u8>,
    /// The bits of the presence ring.
    pub present: [BTreeSet<u64>; 3],
    pub ring: (usize, i64),
    /// The last sequence whose clients are asked to poll, and the last one before that notice.
    pub notices: (u64, u64),
    /// Processes that answer polls, and the last sequence up to which each has merged presence.
    pub mergers: BTreeMap<String, u64>,
    /// Joined, admitted and expired since the keys were built.
    pub counted: (u64, u64, u64),
    pub tokens: (String, i64),
    /// `<letter> <sequence> <user> [extra]`: without the time.
    pub log: Vec<String>,
}

/// The seats.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeatsState {
    pub holder: BTreeMap<u32, String>,
    pub held: BTreeMap<u32, i64>,
    pub claim: BTreeMap<u32, String>,
    pub sold: BTreeSet<u64>,
    /// Gone, blocked, version.
    pub counted: (u64, u64, u64),
    pub buyers: BTreeSet<u64>,
    /// The seats that may belong to each user.
    pub user_seats: BTreeMap<u64, String>,
    /// The seats that are not free after all changes in the seat log.
    pub map: BTreeMap<u32, u8>,
}

/// The numbers of the set bits; bit 0 is the highest bit of byte 0.
fn bits(bytes: &[u8]) -> BTreeSet<u64> {
    (0u64..)
        .zip(bytes)
        .flat_map(|(index, byte)| {
            (0..8).filter(move |bit| byte << bit & 0x80 != 0).map(move |bit| index * 8 + bit)
        })
        .collect()
}

async fn read<T: FromRedisValue>(stage: &Stage, command: &str, key: &str, args: &[&str]) -> T {
    stage.touch(command, key, args).await
}

async fn sorted<K: FromRedisValue + Ord>(stage: &Stage, key: &str) -> BTreeMap<K, i64> {
    let all: Vec<(K, i64)> = read(stage, "ZRANGE", key, &["0", "-1", "WITHSCORES"]).await;
    all.into_iter().collect()
}

async fn in_order(stage: &Stage, key: &str) -> Vec<(u64, u64)> {
    let all: Vec<(u64, u64)> = read(stage, "ZRANGE", key, &["0", "-1", "WITHSCORES"]).await;
    all.into_iter().map(|(user, sequence)| (sequence, user)).collect()
}

async fn bitmap(stage: &Stage, key: &str) -> BTreeSet<u64> {
    let bytes: Option<Vec<u8>> = read(stage, "GET", key, &[]).await;
    bits(&bytes.unwrap_or_default())
}

async fn meta(stage: &Stage) -> impl Fn(&str) -> i64 + use<> {
    let fields: HashMap<String, String> = read(stage, "HGETALL", "meta", &[]).await;
    move |name| fields.get(name).and_then(|value| value.parse().ok()).unwrap_or(0)
}

fn count(number: i64) -> u64 {
    u64::try_from(number).expect("a count is not negative")
}

/// A stream's texts, oldest first.
async fn stream(stage: &Stage, key: &str) -> Vec<String> {
    let entries: Vec<(String, Vec<String>)> = read(stage, "XRANGE", key, &["-", "+"]).await;
    entries.into_iter().flat_map(|(_, fields)| fields.into_iter().skip(1).step_by(2)).collect()
}

/// Reads the queue.
pub async fn queue(stage: &Stage) -> QueueState {
    // Concurrently on one connection, which takes about one round trip.
    let (number, waiting, returned, active, called, parked, place, tokens, log) = tokio::join!(
        meta(stage),
        in_order(stage, "waiting"),
        in_order(stage, "returned"),
        sorted(stage, "active"),
        sorted(stage, "called"),
        sorted(stage, "parked"),
        read::<BTreeMap<u64, String>>(stage, "HGETALL", "place", &[]),
        read(stage, "HGET", "meta", &["tokens"]),
        stream(stage, "log"),
    );
    let mut all = QueueState {
        notices: (count(number("notice")), count(number("noticed"))),
        ring: (usize::try_from(number("present_slot")).expect("a slot"), number("present_since")),
        counted: (count(number("next_n")), count(number("admitted")), count(number("expired"))),
        tokens: (tokens, number("tokens_at")),
        ..QueueState { waiting, returned, active, called, parked, place, ..QueueState::default() }
    };
    for epoch in 1..=stage.keyspace.keys.epoch() {
        let (waiting, done) = (format!("bits:{epoch}"), format!("done:{epoch}"));
        let (waiting, done) = tokio::join!(bitmap(stage, &waiting), bitmap(stage, &done));
        all.bits.extend(waiting.into_iter().map(|n| (epoch << 40) + n));
        for bit in done {
            *all.done.entry((epoch << 40) + bit / 2).or_default() |= 2 >> (bit % 2);
        }
    }
    let marked = tokio::join!(
        bitmap(stage, "present:0"),
        bitmap(stage, "present:1"),
        bitmap(stage, "present:2")
    );
    all.present = marked.into();
    let mergers: BTreeMap<String, String> = read(stage, "HGETALL", "mergers", &[]).await;
    for (process, lease) in mergers {
        let upto = lease.split(' ').next().and_then(|upto| upto.parse().ok());
        all.mergers.insert(process, upto.expect("a sequence"));
    }
    for event in log {
        let parts: Vec<&str> = event.split(' ').collect();
        assert!(parts[3].parse::<i64>().is_ok(), "{event}");
        all.log.push([&parts[..3], &parts[4..]].concat().join(" "));
    }
    all
}

impl SeatsState {
    /// The number of seats that a user keeps from others at `now`: claimed, held or sold.
    pub fn kept_for(&self, user: u64, now: i64) -> usize {
        let user = user.to_string();
        let is_theirs = |seat: &u32| {
            let live = self.held.get(seat).is_some_and(|until| *until > now);
            let (claim, holder) = (self.claim.get(seat), self.holder.get(seat));
            let (text, at) = match (claim, holder) {
                (Some(claim), _) if live => (claim, 2),
                (_, Some(holder)) if live || self.sold.contains(&u64::from(*seat)) => (holder, 3),
                _ => return false,
            };
            text.split(' ').nth(at) == Some(&user)
        };
        let seats: BTreeSet<u32> = self.claim.keys().chain(self.holder.keys()).copied().collect();
        seats.iter().filter(|seat| is_theirs(seat)).count()
    }
}

/// Reads the seats.
pub async fn seats(stage: &Stage) -> SeatsState {
    let (number, holder, held, claim, sold, buyers, user_seats, log) = tokio::join!(
        meta(stage),
        read(stage, "HGETALL", "holder", &[]),
        sorted(stage, "held"),
        read(stage, "HGETALL", "claim", &[]),
        bitmap(stage, "sold"),
        read(stage, "SMEMBERS", "buyers", &[]),
        read(stage, "HGETALL", "user_seats", &[]),
        stream(stage, "seatlog"),
    );
    let counted = (count(number("gone")), count(number("blocked")), count(number("seat_version")));
    let map = BTreeMap::new();
    let mut all = SeatsState { holder, held, claim, sold, counted, buyers, user_seats, map };
    for change in log {
        for (seat, shown) in change.split(',').map(|part| part.split_once(':').expect("a change")) {
            all.map.insert(seat.parse().expect("a seat"), shown.parse().expect("a state"));
        }
    }
    all.map.retain(|_, shown| *shown != 0);
    all
}
