//! Seats as Redis has them: PostgreSQL's decisions, claims, and the reply to a claim.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::idempotency::model::Request;
use crate::store::id::{ScheduleId, UserId};

/// How long a claim lasts, in ms. `lua/seats/claim.lua` has the same figure; the model of the
/// scripts' tests compares the two.
pub const CLAIM_MS: i64 = 5_000;

/// The kind of outbox entry whose payload is a [`SeatsChanged`].
pub const SEATS_CHANGED: &str = "seats_changed";

/// A decision of PostgreSQL about seats. `seats/apply` applies it in Redis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsChanged {
    /// The schedule of the seats.
    pub schedule: ScheduleId,
    /// The seats, each with its new fence.
    pub seats: Vec<FencedSeat>,
    /// The new state of all of them.
    pub state: SeatState,
}

impl SeatsChanged {
    /// Adds a seat to the event in `events` with its state, or adds a new event.
    pub fn gather(
        events: &mut Vec<Self>,
        schedule: ScheduleId,
        seat: FencedSeat,
        state: SeatState,
    ) {
        match events.iter_mut().find(|event| event.state == state) {
            Some(event) => event.seats.push(seat),
            None => events.push(Self { schedule, seats: vec![seat], state }),
        }
    }
}

/// A seat and its fence, the number of its last change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FencedSeat {
    /// The seat's number in the schedule, from 1.
    pub number: u32,
    /// Rises with every change of the seat.
    pub fence: i64,
    /// The user who holds or owns the seat. Redis counts it for the seat limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
}

/// The state of a seat, as PostgreSQL decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeatState {
    /// Held until `expires_at` (PostgreSQL's clock).
    Held {
        /// The hold's id.
        hold: Uuid,
        /// When the hold expires, as promised to the buyer.
        expires_at: DateTime<Utc>,
    },
    /// Sold.
    Sold {
        /// The id of the hold that was paid.
        hold: Uuid,
    },
    /// Free again.
    Free,
    /// Blocked by an administrator.
    Blocked,
}

/// One seat as Redis has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatSeen {
    /// The fence of the last change that was applied; 0 if the seat never changed.
    pub fence: i64,
    /// `KEEP`, `SELL`, `FREE` or `BLOCK`.
    pub state: String,
    /// The hold of that state, if it has one.
    pub hold: Option<Uuid>,
    /// The user who holds or owns the seat.
    pub user: Option<UserId>,
    /// The seat map shows the seat as sold or blocked.
    pub gone: bool,
    /// Time until the claim or hold ends, in ms; negative if it has ended and was not swept yet.
    pub left_ms: Option<i64>,
    /// The seat has a claim that PostgreSQL has not decided yet.
    pub claimed: bool,
}

/// The id of a request's claims and of the hold that it makes. A repeat of the request has the same
/// id, so its own claims do not refuse it. A request for other seats under the same key has another
/// id.
///
/// UUIDv5 (RFC 9562) of the schedule, the user, the idempotency key and the request (method, path,
/// body). After 48 h the key is purged, and PostgreSQL may still have a hold with this id. The new
/// hold then gets a random id (`migrations/functions/write_hold.sql`).
#[must_use]
pub fn hold_id(schedule: ScheduleId, request: &Request) -> Uuid {
    const NAMESPACE: Uuid = Uuid::from_u128(0x6f6e_7361_6c65_4068_8f6c_6421_0000_0001);
    let Request { user, key, asked } = request;
    // A key has no line break, so no two requests have the same text.
    Uuid::new_v5(&NAMESPACE, format!("{schedule}:{user}:{key}\n{asked}").as_bytes())
}

/// The reply to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// All seats are claimed, for 5 s.
    Ok {
        /// This call made at least one claim that the hold did not have before.
        fresh: bool,
    },
    /// Other claims or holds keep some of the seats, or they are sold or blocked.
    Taken {
        /// Their numbers.
        seats: Vec<u32>,
        /// The user has claimed seats of this schedule before, so this may repeat a request that
        /// succeeded.
        repeater: bool,
    },
    /// The ticket has no active slot.
    NotActive,
    /// With these seats the user would have more seats than the limit.
    OverLimit {
        /// Some of the user's seats belong to holds past their end. They count until PostgreSQL
        /// ends the holds.
        lapsed: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_id_depends_on_every_part_of_its_request_and_on_nothing_else() {
        let id = |schedule, user, key: &str, body: &str| {
            hold_id(ScheduleId(schedule), &Request::new(UserId(user), key, "POST /", &body))
        };
        let first = id(1, 2, "key", "[3]");
        assert_eq!(first, id(1, 2, "key", "[3]"));
        let others = [id(2, 2, "key", "[3]"), id(1, 3, "key", "[3]"), id(1, 2, "kez", "[3]")];
        assert!(!others.contains(&first), "{others:?}");
        assert_ne!(first, id(1, 2, "key", "[4]"), "other seats under the same key");
    }
}
