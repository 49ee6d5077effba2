//! Holds as Redis knows them: what PostgreSQL decided about seats, and what a claim came to.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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

/// The hold that a request makes: a repeat of the request meets its own claim.
///
/// UUIDv5 (RFC 9562) of schedule, user and idempotency key.
#[must_use]
pub fn hold_id(schedule: ScheduleId, user: UserId, key: &str) -> Uuid {
    const NAMESPACE: Uuid = Uuid::from_u128(0x6f6e_7361_6c65_4068_8f6c_6421_0000_0001);
    Uuid::new_v5(&NAMESPACE, format!("{schedule}:{user}:{key}").as_bytes())
}

/// What trying to claim seats came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// All are claimed, for 5 s.
    Ok,
    /// These are somebody else's.
    Taken {
        /// By number.
        seats: Vec<u32>,
        /// The user has claimed seats here before: this may be the repeat of a success.
        repeater: bool,
    },
    /// The ticket's slot is over, or never was.
    NotActive,
}
