//! The types of the waiting room: queue entries, their states, tickets, and the ticket view.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::sale_figures::SaleFigures;
use crate::board::seats::SeatVersion;
use crate::concert::model::Phase;
use crate::store::id::{ScheduleId, UserId};
use crate::store::keys::SEQUENCE_BITS;

/// The kind of outbox entry whose payload is a [`Completed`].
pub const TICKET_COMPLETED: &str = "ticket_completed";

/// The sequence of a queue entry: epoch × 2^40 + n. A lower one is earlier. Redis hands out each
/// sequence once.
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
    /// The epoch under which Redis handed out this sequence.
    #[must_use]
    pub fn epoch(self) -> u64 {
        self.0 >> SEQUENCE_BITS
    }

    /// The number within the epoch.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0 & ((1 << SEQUENCE_BITS) - 1)
    }

    /// The value that PostgreSQL stores; below 2^53.
    #[must_use]
    pub fn as_i64(self) -> i64 {
        self.0.cast_signed()
    }
}

/// The id of a ticket: UUIDv5 (RFC 9562) of the schedule, the user and the sequence of joining.
/// Joining again gives the same id.
#[must_use]
pub fn ticket_id(schedule: ScheduleId, user: UserId, sequence: Sequence) -> Uuid {
    const NAMESPACE: Uuid = Uuid::from_u128(0x6f6e_7361_6c65_4071_8f6c_6421_0000_0002);
    Uuid::new_v5(&NAMESPACE, format!("{schedule}:{user}:{}", sequence.0).as_bytes())
}

/// A verified ticket: the entry it names, and the entry's state when the ticket was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// The ticket id, derived from the entry: [`ticket_id`].
    pub id: Uuid,
    /// The entry's user.
    pub user: UserId,
    /// The entry's schedule.
    pub schedule: ScheduleId,
    /// The entry's sequence. For a ticket from before a draw, the drawn sequence once it is looked
    /// up.
    pub sequence: Sequence,
    /// The sequence in the token.
    pub shown: Sequence,
    /// The sequence of joining, from which the ticket id is derived. It differs after a draw.
    pub joined: Sequence,
    /// End of the active slot, if the entry was active when the ticket was signed.
    pub active_until: Option<DateTime<Utc>>,
    /// When the ticket expires: the sale's deadline at the time of signing.
    pub expires_at: DateTime<Utc>,
    /// The ticket was signed with the first secret.
    pub newest_key: bool,
}

impl Ticket {
    /// Whether the entry was not drawn, and was not active when the ticket was signed.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.active_until.is_none() && self.joined == self.sequence
    }
}

/// Status of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum TicketStatus {
    /// Waits in the queue.
    Waiting,
    /// Has an active slot.
    Active,
    /// The active slot ended, or the user did not return within the grace. Final.
    Expired,
    /// The user left. Final.
    Left,
    /// The user paid, and the active slot was released. Final.
    Completed,
}

/// How an entry ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By time.
    Expired,
    /// By the user.
    Left,
    /// By a payment.
    Completed,
}

impl Ended {
    /// Reads the two bits that Redis stores.
    #[must_use]
    pub fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            1 => Some(Self::Expired),
            2 => Some(Self::Left),
            3 => Some(Self::Completed),
            _ => None,
        }
    }

    /// The two bits that Redis stores.
    #[must_use]
    pub fn bits(self) -> u8 {
        match self {
            Self::Expired => 1,
            Self::Left => 2,
            Self::Completed => 3,
        }
    }

    /// The status that clients see.
    #[must_use]
    pub fn status(self) -> TicketStatus {
        match self {
            Self::Expired => TicketStatus::Expired,
            Self::Left => TicketStatus::Left,
            Self::Completed => TicketStatus::Completed,
        }
    }
}

/// State of a queue entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryState {
    /// Waits in the queue, or has returned within the grace and is admitted before the others.
    Waiting {
        /// Number of entries admitted before this one.
        ahead: u64,
    },
    /// Has an active slot.
    Active {
        /// End of the slot. Set at admission, never moved.
        until: DateTime<Utc>,
    },
    /// Has ended.
    Ended(Ended),
}

/// One user's position in one schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueEntry {
    /// The entry's current sequence: the lowest that the user has shown.
    pub sequence: Sequence,
    /// The sequence of joining. It differs after a draw.
    pub joined: Sequence,
    /// The state.
    pub state: EntryState,
}

impl QueueEntry {
    /// The entry as its ticket states it. Redis may have a later state.
    #[must_use]
    pub fn of(ticket: &Ticket) -> Self {
        let entry = Self::waiting(ticket.sequence, ticket.joined);
        match ticket.active_until {
            Some(until) => Self { state: EntryState::Active { until }, ..entry },
            None => entry,
        }
    }

    /// A waiting entry whose position is not known yet.
    #[must_use]
    pub fn waiting(sequence: Sequence, joined: Sequence) -> Self {
        Self { sequence, joined, state: EntryState::Waiting { ahead: 0 } }
    }
}

/// The result of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined {
    /// The user's one entry.
    pub entry: QueueEntry,
    /// The join created the entry.
    pub new: bool,
}

/// The result of one call of `queue/admit`, or of several in one round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Admitted {
    /// Entries admitted.
    pub admitted: u32,
    /// Entries passed over.
    pub parked: u32,
    /// Entries ended by time.
    pub expired: u32,
    /// Entries that still wait.
    pub waiting: u64,
    /// Active slots in use.
    pub active: u64,
    /// A bound of the script was reached: there is more to do.
    pub more: bool,
    /// The silent entry at which admission stopped, since its silence does not count yet.
    pub stopped_at: Option<Sequence>,
    /// The seat map.
    pub seats: SeatVersion,
    /// For how long nothing more is due, unless a script changes the queue.
    pub rest: Duration,
    /// Entries of the queue's log that are not archived.
    pub log_length: u64,
    /// The sale, for the metrics.
    pub figures: SaleFigures,
}

/// A ticket and the state of its queue entry: the answer to a join and a poll, and a stream event.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TicketView {
    /// The new ticket, if it changed. Send this one from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_token: Option<String>,
    /// The ticket id. It never changes for one queue entry.
    pub ticket_id: Uuid,
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// The status of the ticket.
    pub status: TicketStatus,
    /// The sequence of the queue entry. A lower one is earlier. Not a position.
    pub sequence: Sequence,
    /// `ahead` + 1; null when not waiting, before the draw, and while the queue is being restored.
    pub position: Option<u64>,
    /// Number of entries admitted before this one; null when `position` is null.
    pub ahead: Option<u64>,
    /// Number of waiting entries.
    pub waiting: u64,
    /// Expected wait in seconds, by the measured admission rate; null while unknown.
    pub eta_seconds: Option<u64>,
    /// Expected wait in seconds, by the fastest part of the last 30 s.
    pub eta_low_seconds: Option<u64>,
    /// Expected wait in seconds, by the slowest part of the last 30 s.
    pub eta_high_seconds: Option<u64>,
    /// Milliseconds to wait before the next poll; null when the status is final.
    pub poll_after_ms: Option<u64>,
    /// Number of free seats.
    pub seats_available: u32,
    /// When the active slot ends; only while ACTIVE.
    pub active_expires_at: Option<DateTime<Utc>>,
    /// Always null: a poll claims an active slot, and so does an open stream.
    pub claim_by: Option<DateTime<Utc>>,
    /// The queue is being restored after a loss of data.
    pub recovering: bool,
    /// The phase of the sale.
    pub phase: Phase,
    /// The organiser's message.
    #[schema(value_type = Option<String>)]
    pub message: Option<Arc<str>>,
    /// The server's time, for countdowns.
    pub server_time: DateTime<Utc>,
}

/// Event: the user of an entry has paid, and the entry is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completed {
    /// The entry's schedule.
    pub schedule: ScheduleId,
    /// The buyer.
    pub user: UserId,
    /// The entry's sequence.
    pub sequence: Sequence,
}
