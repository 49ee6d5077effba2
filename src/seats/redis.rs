//! Runs the scripts in `lua/seats` and reads their replies.

use std::time::Duration;

use uuid::Uuid;

use super::model::{Claim, FencedSeat, SeatSeen};
use crate::board::seats::SeatVersion;
use crate::queue::keyspaces::ScheduleScripts;
use crate::queue::model::Ticket;
use crate::queue::rest::Swept;
use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::script::{Reply, Script, ScriptError, check_usable};

/// The state that `seats/apply` gives to seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    /// `KEEP`, `SELL`, `FREE` or `BLOCK`.
    pub state: &'static str,
    /// The hold, if the state has one.
    pub hold: Option<Uuid>,
    /// Time until the hold ends (ms), with `KEEP`.
    pub left_ms: i64,
}

/// Runs `seats/claim`.
pub async fn claim_seats(
    scripts: &ScheduleScripts,
    ticket: &Ticket,
    hold: Uuid,
    limit: u32,
    seats: &[u32],
) -> Result<Claim, ScriptError> {
    let keys = &scripts.keyspace.keys;
    let mut id = Uuid::encode_buffer();
    let id: &str = hold.hyphenated().encode_lower(&mut id);
    let args = (keys.epoch(), ticket.user.0, ticket.sequence.0, id, limit, seats);
    let reply =
        scripts.keyspace.run(&scripts.redis, Script::ClaimSeats, keys.claim(), args).await?;
    if reply.word == "OK" {
        scripts.keyspace.seen.changed(reply.get(0)?);
    }
    Ok(read_claim(&reply)?)
}

/// Reads the reply of `seats/claim`.
pub fn read_claim(reply: &Reply) -> Result<Claim, StoreError> {
    match reply.word.as_str() {
        "OK" => Ok(Claim::Ok { fresh: reply.get::<u32>(2)? > 0 }),
        "TAKEN" => Ok(Claim::Taken { repeater: reply.get::<u8>(0)? == 1, seats: reply.rest(1)? }),
        "NOT_ACTIVE" => Ok(Claim::NotActive),
        "OVER_LIMIT" => Ok(Claim::OverLimit { lapsed: reply.get::<u32>(0)? > 0 }),
        _ => Err(reply.unknown()),
    }
}

/// Runs `seats/find_claims`: the number of live claims that `user` has for `hold`.
pub async fn find_claims(
    scripts: &ScheduleScripts,
    user: UserId,
    hold: Uuid,
) -> Result<u32, ScriptError> {
    let keys = scripts.keyspace.keys.all_named(&["meta", "claim", "user_seats"]);
    let args = (scripts.keyspace.keys.epoch(), user.0, hold.to_string());
    let reply = scripts.keyspace.run(&scripts.redis, Script::FindClaims, &keys, args).await?;
    match reply.word.as_str() {
        "OK" => Ok(reply.get(0)?),
        _ => Err(reply.unknown().into()),
    }
}

/// Runs `seats/release_claims`.
pub async fn release_claims(
    scripts: &ScheduleScripts,
    hold: Uuid,
    seats: &[u32],
) -> Result<(), ScriptError> {
    let mut args = vec![scripts.keyspace.keys.epoch().to_string(), hold.to_string()];
    args.extend(seats.iter().map(ToString::to_string));
    let keys = scripts.keyspace.keys.all_named(&["meta", "held", "claim", "seatlog"]);
    scripts.keyspace.run(&scripts.redis, Script::ReleaseClaims, &keys, &args).await.map(|_| ())
}

/// Runs `seats/apply` for any number of seats, 200 per call: a longer call would delay other calls.
pub async fn apply(
    scripts: &ScheduleScripts,
    decided: Decided,
    seats: &[FencedSeat],
) -> Result<(), ScriptError> {
    let names = ["meta", "holder", "held", "claim", "sold", "seatlog", "user_seats"];
    let keys = scripts.keyspace.keys.all_named(&names);
    for seats in seats.chunks(200) {
        let mut args = vec![
            scripts.keyspace.keys.epoch().to_string(),
            decided.state.to_owned(),
            decided.hold.map_or_else(|| "-".to_owned(), |hold| hold.to_string()),
            decided.left_ms.to_string(),
        ];
        args.extend(seats.iter().flat_map(|seat| {
            let user = seat.user.map_or(0, |user| user.0);
            [seat.number.to_string(), seat.fence.to_string(), user.to_string()]
        }));
        let reply = scripts.keyspace.run(&scripts.redis, Script::ApplySeats, &keys, &args).await?;
        scripts.keyspace.seen.changed(reply.get(1)?);
    }
    Ok(())
}

/// Seats per call of `seats/load`: about 1 ms of Redis's time.
const LOADED_AT_ONCE: usize = 500;

/// Runs `seats/load`: loads seats with PostgreSQL's decisions during a rebuild. Each call renews
/// the lease of the rebuild.
///
/// # Errors
/// [`ScriptError::Stale`] if the rebuild is over, or another process has started a new one.
pub async fn load(
    scripts: &ScheduleScripts,
    seats: &[(FencedSeat, Decided)],
    lease: Duration,
) -> Result<(), ScriptError> {
    let names = ["meta", "holder", "held", "claim", "sold", "user_seats"];
    let keys = scripts.keyspace.keys.all_named(&names);
    let lease_ms = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
    for seats in seats.chunks(LOADED_AT_ONCE) {
        let values = |(seat, decided): &(FencedSeat, Decided)| {
            let hold = decided.hold.map_or_else(|| "-".to_owned(), |hold| hold.to_string());
            let user = seat.user.map_or(0, |user| user.0);
            (seat.number, seat.fence, decided.state, hold, decided.left_ms, user)
        };
        let seats: Vec<_> = seats.iter().map(values).collect();
        let args = (scripts.keyspace.keys.epoch(), lease_ms, seats);
        let reply =
            scripts.keyspace.run_bulk(&scripts.redis, Script::LoadSeats, &keys, args).await?;
        match reply.word.as_str() {
            "OK" => scripts.keyspace.seen.changed(reply.get(1)?),
            "READY" => return Err(ScriptError::Stale),
            _ => return Err(reply.unknown().into()),
        }
    }
    Ok(())
}

/// Runs `seats/sweep`.
pub async fn sweep(scripts: &ScheduleScripts) -> Result<Swept, ScriptError> {
    let keys = scripts.keyspace.keys.all_named(&["meta", "held", "claim", "seatlog"]);
    let args = [scripts.keyspace.keys.epoch().to_string()];
    let reply = scripts.keyspace.run(&scripts.redis, Script::SweepSeats, &keys, &args).await?;
    let seats = SeatVersion { epoch: scripts.keyspace.keys.epoch(), number: reply.get(1)? };
    let next = u64::try_from(reply.get::<i64>(2)?).ok().map(Duration::from_millis);
    let held = reply.get(3)?;
    match reply.word.as_str() {
        "OK" => Ok(Swept { more: false, seats, next, held }),
        "MORE" => Ok(Swept { more: true, seats, next, held }),
        _ => Err(reply.unknown().into()),
    }
}

/// Runs `seats/recount`; returns by how much the counts of gone and of blocked seats were too high.
/// Blocked seats are counted only with `blocked_too`.
pub async fn recount(
    scripts: &ScheduleScripts,
    blocked_too: bool,
) -> Result<(i64, i64), ScriptError> {
    let keys = scripts.keyspace.keys.all_named(&["meta", "holder", "sold"]);
    let args = [scripts.keyspace.keys.epoch().to_string(), u8::from(blocked_too).to_string()];
    let reply = scripts.keyspace.run(&scripts.redis, Script::RecountSeats, &keys, &args).await?;
    match reply.word.as_str() {
        "OK" => Ok((reply.get(0)?, reply.get(1)?)),
        _ => Err(reply.unknown().into()),
    }
}

/// Reads the seats from `first` to `last` at one moment. Not a script: no call waits behind a long
/// one.
pub async fn read_seats(
    scripts: &ScheduleScripts,
    first: u32,
    last: u32,
) -> Result<Vec<SeatSeen>, ScriptError> {
    type Texts = Vec<Option<String>>;
    type Answer = ((Option<u64>, Option<u64>), (i64, i64), Texts, Texts, Vec<Option<f64>>, Vec<u8>);
    let keys = &scripts.keyspace.keys;
    let mut pipe = redis::pipe();
    pipe.atomic().cmd("HMGET").arg(keys.meta()).arg("epoch").arg("loading_until").cmd("TIME");
    for (command, key) in [("HMGET", "holder"), ("HMGET", "claim"), ("ZMSCORE", "held")] {
        pipe.cmd(command).arg(keys.named(key));
        (first..=last).for_each(|number| _ = pipe.arg(number));
    }
    pipe.cmd("GETRANGE").arg(keys.named("sold")).arg(first / 8).arg(last / 8);
    let ((epoch, loading), (seconds, micros), holders, claims, held, sold): Answer =
        scripts.redis.bulk_pipe(&pipe).await?;
    check_usable(keys, epoch, loading)?;
    let now_ms = seconds * 1000 + micros / 1000;
    let bit = |number: u32| {
        let byte = usize::try_from(number / 8 - first / 8).ok().and_then(|at| sold.get(at));
        byte.is_some_and(|byte| byte << (number % 8) & 0x80 != 0)
    };
    let seats = (first..=last).zip(holders).zip(claims).zip(held);
    Ok(seats
        .map(|(((number, holder), claim), held)| {
            let holder = holder.unwrap_or_else(|| "0 FREE -".to_owned());
            let mut parts = holder.split(' ');
            let fence = parts.next().and_then(|fence| fence.parse().ok()).unwrap_or(0);
            let state = parts.next().unwrap_or_default().to_owned();
            let hold = parts.next().and_then(|hold| hold.parse().ok());
            let user = parts.next().and_then(|user| user.parse().ok()).map(UserId);
            #[expect(clippy::cast_possible_truncation, reason = "a time in ms, below 2^53")]
            let left_ms = held.map(|until| until as i64 - now_ms);
            let (gone, claimed) = (bit(number), claim.is_some());
            SeatSeen { fence, state, hold, user, gone, left_ms, claimed }
        })
        .collect())
}

/// Loads the users who have claimed seats before, during a rebuild.
pub async fn load_buyers(scripts: &ScheduleScripts, buyers: &[UserId]) -> Result<(), ScriptError> {
    for buyers in buyers.chunks(2000) {
        let mut pipe = redis::pipe();
        pipe.cmd("SADD").arg(scripts.keyspace.keys.named("buyers"));
        for buyer in buyers {
            pipe.arg(buyer.0);
        }
        scripts.redis.bulk_pipe::<()>(pipe.ignore()).await?;
    }
    Ok(())
}
