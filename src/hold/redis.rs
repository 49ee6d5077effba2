//! Runs the scripts of the seats and reads their replies.

use uuid::Uuid;

use super::model::{Claim, FencedSeat};
use crate::queue::lines::Line;
use crate::queue::model::Ticket;
use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::script::{Reply, Script, ScriptError};

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
    seats: &[u32],
) -> Result<Claim, ScriptError> {
    let names = [
        "meta", "active", "place", "called", "holder", "held", "claim", "sold", "seatlog", "buyers",
    ];
    let mut args = vec![
        line.place.keys.epoch().to_string(),
        ticket.user.to_string(),
        ticket.sequence.0.to_string(),
        hold.to_string(),
    ];
    args.extend(seats.iter().map(ToString::to_string));
    let keys = line.place.keys.several(&names);
    let reply = line.place.run(&line.redis, Script::Take, &keys, &args).await?;
    if reply.word == "OK" {
        line.place.seen.changed(reply.get(0)?);
    }
    Ok(claim(&reply)?)
}

/// Reads what `hold/take` said.
pub fn claim(reply: &Reply) -> Result<Claim, StoreError> {
    match reply.word.as_str() {
        "OK" => Ok(Claim::Ok),
        "TAKEN" => Ok(Claim::Taken { repeater: reply.get::<u8>(0)? == 1, seats: reply.rest(1)? }),
        "NOT_ACTIVE" => Ok(Claim::NotActive),
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
    let keys = line.place.keys.several(&["meta", "holder", "held", "claim", "sold", "seatlog"]);
    for seats in seats.chunks(200) {
        let mut args = vec![
            line.place.keys.epoch().to_string(),
            decided.state.to_owned(),
            decided.hold.map_or_else(|| "-".to_owned(), |hold| hold.to_string()),
            decided.left_ms.to_string(),
        ];
        args.extend(
            seats.iter().flat_map(|seat| [seat.number.to_string(), seat.fence.to_string()]),
        );
        let reply = line.place.run(&line.redis, Script::Apply, &keys, &args).await?;
        line.place.seen.changed(reply.get(1)?);
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

/// Notes who has claimed seats before, for a rebuilding.
pub async fn load_buyers(line: &Line, buyers: &[UserId]) -> Result<(), StoreError> {
    for buyers in buyers.chunks(5000) {
        let mut pipe = redis::pipe();
        pipe.cmd("SADD").arg(line.place.keys.named("buyers"));
        for buyer in buyers {
            pipe.arg(buyer.0);
        }
        line.redis.bulk_pipe::<()>(pipe.ignore()).await?;
    }
    Ok(())
}
