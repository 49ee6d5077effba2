//! Runs the scripts of the seats and reads their replies.

use std::time::Duration;

use uuid::Uuid;

use super::model::{Claim, FencedSeat, SeatSeen};
use crate::queue::keyspaces::Line;
use crate::queue::model::Ticket;
use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::script::{Reply, Script, ScriptError, in_force};

/// What `hold/apply` is told of the seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    /// `KEEP`, `SELL`, `FREE`, `BLOCK`.
    pub state: &'static str,
    /// The hold, where there is one.
    pub hold: Option<Uuid>,
    /// For how long, where held.
    pub left_ms: i64,
}

/// `hold/take`.
pub async fn take(
    line: &Line,
    ticket: &Ticket,
    hold: Uuid,
    limit: u32,
    seats: &[u32],
) -> Result<Claim, ScriptError> {
    let keys = &line.place.keys;
    let mut id = Uuid::encode_buffer();
    let id: &str = hold.hyphenated().encode_lower(&mut id);
    let args = (keys.epoch(), ticket.user.0, ticket.sequence.0, id, limit, seats);
    let reply = line.place.run(&line.redis, Script::Take, keys.take(), args).await?;
    if reply.word == "OK" {
        line.place.seen.changed(reply.get(0)?);
    }
    Ok(claim(&reply)?)
}

/// Reads what `hold/take` said.
pub fn claim(reply: &Reply) -> Result<Claim, StoreError> {
    match reply.word.as_str() {
        "OK" => Ok(Claim::Ok { fresh: reply.get::<u32>(2)? > 0 }),
        "TAKEN" => Ok(Claim::Taken { repeater: reply.get::<u8>(0)? == 1, seats: reply.rest(1)? }),
        "NOT_ACTIVE" => Ok(Claim::NotActive),
        "OVER_LIMIT" => Ok(Claim::OverLimit { lapsed: reply.get::<u32>(0)? > 0 }),
        _ => Err(reply.unknown()),
    }
}

/// `hold/drop`.
pub async fn drop(line: &Line, hold: Uuid, seats: &[u32]) -> Result<(), ScriptError> {
    let mut args = vec![line.place.keys.epoch().to_string(), hold.to_string()];
    args.extend(seats.iter().map(ToString::to_string));
    let keys = line.place.keys.several(&["meta", "held", "claim", "seatlog"]);
    line.place.run(&line.redis, Script::Drop, &keys, &args).await.map(|_| ())
}

/// `hold/apply`, for any number of seats, 200 at a time: more would keep everybody waiting.
pub async fn apply(line: &Line, decided: Decided, seats: &[FencedSeat]) -> Result<(), ScriptError> {
    let names = ["meta", "holder", "held", "claim", "sold", "seatlog", "user_seats"];
    let keys = line.place.keys.several(&names);
    for seats in seats.chunks(200) {
        let mut args = vec![
            line.place.keys.epoch().to_string(),
            decided.state.to_owned(),
            decided.hold.map_or_else(|| "-".to_owned(), |hold| hold.to_string()),
            decided.left_ms.to_string(),
        ];
        args.extend(seats.iter().flat_map(|seat| {
            let user = seat.user.map_or(0, |user| user.0);
            [seat.number.to_string(), seat.fence.to_string(), user.to_string()]
        }));
        let reply = line.place.run(&line.redis, Script::Apply, &keys, &args).await?;
        line.place.seen.changed(reply.get(1)?);
    }
    Ok(())
}

/// Seats in one call of `hold/load`: about a millisecond of Redis.
const LOADED_AT_ONCE: usize = 500;

/// `hold/load`: puts seats back while the keys are being rebuilt, each with what PostgreSQL decided about
/// it. Renews the lease of the rebuilding with each call.
///
/// # Errors
/// [`ScriptError::Stale`] where the rebuilding is over, or another process has started over.
pub async fn load(
    line: &Line,
    seats: &[(FencedSeat, Decided)],
    lease: Duration,
) -> Result<(), ScriptError> {
    let names = ["meta", "holder", "held", "claim", "sold", "user_seats"];
    let keys = line.place.keys.several(&names);
    let lease_ms = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
    for seats in seats.chunks(LOADED_AT_ONCE) {
        let words = |(seat, decided): &(FencedSeat, Decided)| {
            let hold = decided.hold.map_or_else(|| "-".to_owned(), |hold| hold.to_string());
            let user = seat.user.map_or(0, |user| user.0);
            (seat.number, seat.fence, decided.state, hold, decided.left_ms, user)
        };
        let seats: Vec<_> = seats.iter().map(words).collect();
        let args = (line.place.keys.epoch(), lease_ms, seats);
        let reply = line.place.run_bulk(&line.redis, Script::LoadSeats, &keys, args).await?;
        match reply.word.as_str() {
            "OK" => line.place.seen.changed(reply.get(1)?),
            "READY" => return Err(ScriptError::Stale),
            _ => return Err(reply.unknown().into()),
        }
    }
    Ok(())
}

/// `hold/sweep`; true where there is more to do.
pub async fn sweep(line: &Line) -> Result<bool, ScriptError> {
    let keys = line.place.keys.several(&["meta", "held", "claim", "seatlog"]);
    let args = [line.place.keys.epoch().to_string()];
    let reply = line.place.run(&line.redis, Script::Sweep, &keys, &args).await?;
    match reply.word.as_str() {
        "OK" => Ok(false),
        "MORE" => Ok(true),
        _ => Err(reply.unknown().into()),
    }
}

/// `hold/recount`: by how much the counts of seats gone, and of seats blocked, were too high. The
/// blocked are counted where `blocked_too`.
pub async fn recount(line: &Line, blocked_too: bool) -> Result<(i64, i64), ScriptError> {
    let keys = line.place.keys.several(&["meta", "holder", "sold"]);
    let args = [line.place.keys.epoch().to_string(), u8::from(blocked_too).to_string()];
    let reply = line.place.run(&line.redis, Script::Recount, &keys, &args).await?;
    match reply.word.as_str() {
        "OK" => Ok((reply.get(0)?, reply.get(1)?)),
        _ => Err(reply.unknown().into()),
    }
}

/// What Redis has of the seats from `first` to `last`, as of one moment. Past the scripts, so that
/// nothing waits behind a long one.
pub async fn look(line: &Line, first: u32, last: u32) -> Result<Vec<SeatSeen>, ScriptError> {
    type Texts = Vec<Option<String>>;
    type Answer = ((Option<u64>, Option<u64>), (i64, i64), Texts, Texts, Vec<Option<f64>>, Vec<u8>);
    let keys = &line.place.keys;
    let mut pipe = redis::pipe();
    pipe.atomic().cmd("HMGET").arg(keys.meta()).arg("epoch").arg("loading_until").cmd("TIME");
    for (command, key) in [("HMGET", "holder"), ("HMGET", "claim"), ("ZMSCORE", "held")] {
        pipe.cmd(command).arg(keys.named(key));
        (first..=last).for_each(|number| _ = pipe.arg(number));
    }
    pipe.cmd("GETRANGE").arg(keys.named("sold")).arg(first / 8).arg(last / 8);
    let ((epoch, loading), (seconds, micros), holders, claims, held, sold): Answer =
        line.redis.bulk_pipe(&pipe).await?;
    in_force(keys, epoch, loading)?;
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
            #[expect(clippy::cast_possible_truncation, reason = "a time in ms, below 2^53")]
            let left_ms = held.map(|until| until as i64 - now_ms);
            let (gone, claimed) = (bit(number), claim.is_some());
            SeatSeen { fence, state, hold, gone, left_ms, claimed }
        })
        .collect())
}

/// Notes who has claimed seats before, for a rebuilding.
pub async fn load_buyers(line: &Line, buyers: &[UserId]) -> Result<(), ScriptError> {
    for buyers in buyers.chunks(2000) {
        let mut pipe = redis::pipe();
        pipe.cmd("SADD").arg(line.place.keys.named("buyers"));
        for buyer in buyers {
            pipe.arg(buyer.0);
        }
        line.redis.bulk_pipe::<()>(pipe.ignore()).await?;
    }
    Ok(())
}
