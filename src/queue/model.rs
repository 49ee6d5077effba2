//! Places in line: what a ticket says, how it may end, and what its owner is told.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::concert::model::Phase;
use crate::store::id::{ScheduleId, UserId};
use crate::store::keys::SEQUENCE_BITS;

/// The kind of outbox entry whose payload is a [`Completed`].
pub const TICKET_COMPLETED: &str = "ticket_completed";

/// A place in line: epoch × 2^40 + n, handed out by Redis, never twice.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(transparent)]
#[schema(value_type = i64)]
pub struct Sequence(pub u64);

impl Sequence {
    /// The rebuilding of the line that this place was given out under.
    #[must_use]
    pub fn epoch(self) -> u64 {
        self.0 >> SEQUENCE_BITS
    }

    /// Its number within the epoch.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0 & ((1 << SEQUENCE_BITS) - 1)
    }

    /// As PostgreSQL stores it; below 2^53.
    #[must_use]
    pub fn as_i64(self) -> i64 {
        self.0.cast_signed()
    }
}

/// The id of a ticket: derived, so that joining again gives the same one. UUIDv5 (RFC 9562) of
/// schedule, user and sequence.
#[must_use]
pub fn ticket_id(schedule: ScheduleId, user: UserId, sequence: Sequence) -> Uuid {
    const NAMESPACE: Uuid = Uuid::from_u128(0x6f6e_7361_6c65_4071_8f6c_6421_0000_0002);
    Uuid::new_v5(&NAMESPACE, format!("{schedule}:{user}:{}", sequence.0).as_bytes())
}

/// A verified ticket: whose place, where, and what it was when the ticket was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Derived from the place: [`ticket_id`].
    pub id: Uuid,
    /// Whose.
    pub user: UserId,
    /// In which line.
    pub schedule: ScheduleId,
    /// Which place; of a ticket of before a draw, once it is looked up, the one that was drawn.
    pub sequence: Sequence,
    /// The place that the token itself names.
    pub shown: Sequence,
    /// The place of joining, which the ticket id is derived from: another one after a draw.
    pub joined: Sequence,
    /// Set where it was signed for somebody inside: until when.
    pub active_until: Option<DateTime<Utc>>,
    /// When it expires: the sale's deadline at the time of signing.
    pub expires_at: DateTime<Utc>,
    /// Signed with the first of the secrets.
    pub newest_key: bool,
}

/// What a ticket is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum TicketStatus {
    /// In line.
    Waiting,
    /// Inside.
    Active,
    /// The slot ran out, or nobody came for it within the grace. Final.
    Expired,
    /// Given up by its owner. Final.
    Left,
    /// Bought; the slot was given back. Final.
    Completed,
}

/// How a place ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By time.
    Expired,
    /// By its owner.
    Left,
    /// By a payment.
    Completed,
}

impl Ended {
    /// From the two bits that Redis keeps.
    #[must_use]
    pub fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            1 => Some(Self::Expired),
            2 => Some(Self::Left),
            3 => Some(Self::Completed),
            _ => None,
        }
    }

    /// The two bits that Redis keeps.
    #[must_use]
    pub fn bits(self) -> u8 {
        match self {
            Self::Expired => 1,
            Self::Left => 2,
            Self::Completed => 3,
        }
    }

    /// As clients are told it.
    #[must_use]
    pub fn status(self) -> TicketStatus {
        match self {
            Self::Expired => TicketStatus::Expired,
            Self::Left => TicketStatus::Left,
            Self::Completed => TicketStatus::Completed,
        }
    }
}

/// Where a place stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// In line, or back in front of it within the grace.
    Waiting {
        /// How many are let in before.
        ahead: u64,
    },
    /// Inside until the deadline.
    Active {
        /// Set at admission and never moved.
        until: DateTime<Utc>,
    },
    /// Over.
    Ended(Ended),
}

/// A place and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    /// The place in force: the lowest that its owner has shown.
    pub sequence: Sequence,
    /// The place of joining: another one after a draw.
    pub joined: Sequence,
    /// Where it stands.
    pub standing: Standing,
}

impl Stand {
    /// What a ticket says of itself, which Redis may know better.
    #[must_use]
    pub fn of(ticket: &Ticket) -> Self {
        let standing = match ticket.active_until {
            Some(until) => Standing::Active { until },
            None => Standing::Waiting { ahead: 0 },
        };
        Self { sequence: ticket.sequence, joined: ticket.joined, standing }
    }
}

/// What joining came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined {
    /// The one place this user has.
    pub stand: Stand,
    /// False where they had it before.
    pub new: bool,
}

/// What an admission round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Admitted {
    /// Let in.
    pub admitted: u32,
    /// Passed over.
    pub parked: u32,
    /// Ended by time.
    pub expired: u32,
    /// Still in line.
    pub waiting: u64,
    /// Inside.
    pub active: u64,
    /// The bound of a round was reached: there is more to do.
    pub more: bool,
    /// The silent entry at which the walk stopped, since its silence does not count yet.
    pub stopped_at: Option<Sequence>,
}

/// What the owner of a ticket is told, by join, poll and stream.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TicketView {
    /// Present when it changed: the client keeps this one from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_token: Option<String>,
    /// The same for one place, whoever asks.
    pub ticket_id: Uuid,
    /// The line.
    pub schedule_id: ScheduleId,
    /// Where the place stands.
    pub status: TicketStatus,
    /// The place.
    pub sequence: Sequence,
    /// `ahead` + 1; null when not waiting or while places are being restored.
    pub position: Option<u64>,
    /// How many are let in before; null as `position`.
    pub ahead: Option<u64>,
    /// How many wait in all.
    pub waiting: u64,
    /// Expected wait by the measured admission rate; null while unknown.
    pub eta_seconds: Option<u64>,
    /// By the fastest rate measured lately.
    pub eta_low_seconds: Option<u64>,
    /// By the slowest rate measured lately.
    pub eta_high_seconds: Option<u64>,
    /// When to ask again; null when the status is final.
    pub poll_after_ms: Option<u64>,
    /// Free seats.
    pub seats_available: u32,
    /// When the slot ends; only while ACTIVE.
    pub active_expires_at: Option<DateTime<Utc>>,
    /// By when a slot must be claimed by asking; only in what is pushed, since asking claims.
    pub claim_by: Option<DateTime<Utc>>,
    /// Places are being restored after a loss.
    pub recovering: bool,
    /// Where the sale stands.
    pub phase: Phase,
    /// From the organiser.
    #[schema(value_type = Option<String>)]
    pub message: Option<Arc<str>>,
    /// Clients count by it.
    pub server_time: DateTime<Utc>,
}

/// A buyer has paid: their place is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completed {
    /// In which line.
    pub schedule: ScheduleId,
    /// Who.
    pub user: UserId,
    /// The place they bought from.
    pub sequence: Sequence,
}
