//! Holds as Redis knows them: what PostgreSQL decided about seats, and what a claim came to.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::idempotency::model::Request;
use crate::store::id::{ScheduleId, UserId};

/// The kind of outbox entry whose payload is a [`SeatsChanged`].
pub const SEATS_CHANGED: &str = "seats_changed";

/// What PostgreSQL decided about seats; `hold/apply` tells Redis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsChanged {
    /// Whose seats.
    pub schedule: ScheduleId,
    /// Which, each with its new fence.
    pub seats: Vec<FencedSeat>,
    /// What they are now.
    pub state: SeatState,
}

impl SeatsChanged {
    /// Adds a seat to the one of `events` that says what it is, or an event of its own.
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

/// A seat and the number of its last change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FencedSeat {
    /// 1..n in the schedule.
    pub number: u32,
    /// Rises with every change of the seat.
    pub fence: i64,
    /// Whose it is now, where it is held or sold; counted in Redis for the seat limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
}

/// What seats became.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeatState {
    /// Held until `expires_at` (PostgreSQL's clock).
    Held {
        /// By which hold.
        hold: Uuid,
        /// What the buyer was promised.
        expires_at: DateTime<Utc>,
    },
    /// Sold to this hold.
    Sold {
        /// By which hold.
        hold: Uuid,
    },
    /// Free again.
    Free,
    /// Kept back by an administrator.
    Blocked,
}

/// What Redis has of one seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatSeen {
    /// The last change it has heard of; 0 where none.
    pub fence: i64,
    /// `KEEP`, `SELL`, `FREE`, `BLOCK`.
    pub state: String,
    /// The hold that the state is of, where there is one.
    pub hold: Option<Uuid>,
    /// Shown as sold or blocked.
    pub gone: bool,
    /// How long it is held or claimed yet, in ms; below zero where that is over and not swept.
    pub left_ms: Option<i64>,
    /// Claimed: PostgreSQL has not spoken yet.
    pub claimed: bool,
}

/// The id that a request's claims carry, and the hold that it makes: a repeat of the request meets
/// its own claim, and a request for other seats under the same key does not.
///
/// UUIDv5 (RFC 9562) of schedule, user, idempotency key and what was asked (method, path, body). Where
/// PostgreSQL has a hold of this id although the key is free, because the key was purged after 48 h,
/// the new hold gets a random id (`hold_seats` in `migrations/0008_claims.sql`).
#[must_use]
pub fn hold_id(schedule: ScheduleId, request: &Request) -> Uuid {
    const NAMESPACE: Uuid = Uuid::from_u128(0x6f6e_7361_6c65_4068_8f6c_6421_0000_0001);
    let Request { user, key, asked } = request;
    // A key has no line break, so no two requests read the same.
    Uuid::new_v5(&NAMESPACE, format!("{schedule}:{user}:{key}\n{asked}").as_bytes())
}

/// What trying to claim seats came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// All are claimed, for 5 s.
    Ok {
        /// Some were no claim of this hold before: this call made them.
        fresh: bool,
    },
    /// These are somebody else's.
    Taken {
        /// By number.
        seats: Vec<u32>,
        /// The user has claimed seats here before: this may be the repeat of a success.
        repeater: bool,
    },
    /// The ticket's slot is over, or never was.
    NotActive,
    /// With these seats the user would keep more than the limit.
    OverLimit {
        /// Some of the user's seats are of holds past their end: they count until PostgreSQL ends them.
        lapsed: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holds_id_depends_on_everything_that_its_request_says_and_on_nothing_else() {
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
