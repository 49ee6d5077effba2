//! What can keep seats from being held, found or given back.

use crate::concert::service::CatalogueError;
use crate::idempotency::model::KeyError;
use crate::queue::service::QueueError;
use crate::store::StoreError;
use crate::store::id::SeatId;
use crate::store::pg::MaybeConflict;

/// Why seats were not held or given back.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// Somebody else holds or has bought these.
    #[error("seats are taken")]
    Taken {
        /// Which.
        seats: Vec<SeatId>,
        /// May hide the success of an earlier try under the same key.
        repeater: bool,
    },
    /// Best available found too few, or lost every race for them.
    #[error("not enough seats")]
    NotEnough,
    /// The ticket's slot is over, or never was, or is of another schedule.
    #[error("the ticket is not active")]
    NotActive,
    /// More seats than one user may have.
    #[error("more than {limit} seats")]
    OverLimit {
        /// How many one user may have.
        limit: u32,
        /// Some of them may be of holds past their end, which count until they are ended.
        lapsed: bool,
    },
    /// The same seats were held again and again without paying.
    #[error("held too often without paying")]
    Churn,
    /// Not a seat of this schedule.
    #[error("no such seat")]
    NoSeat,
    /// No such schedule.
    #[error("no such schedule")]
    NoSchedule,
    /// Before the sale opens.
    #[error("the sale is not open")]
    NotOpen,
    /// Past the deadline.
    #[error("the sale is over")]
    Closed,
    /// The concert is withdrawn.
    #[error("the concert is withdrawn")]
    ConcertUnavailable,
    /// No such hold, or another user's.
    #[error("no such hold")]
    NoHold,
    /// No such reservation, or another user's.
    #[error("no such reservation")]
    NoReservation,
    /// The hold was paid: it can only be refunded.
    #[error("already paid")]
    AlreadyPaid,
    /// The token's user is gone.
    #[error("no such user")]
    UnknownUser,
    /// The ticket stood in the way.
    #[error(transparent)]
    Ticket(#[from] QueueError),
    /// The idempotency key stood in the way.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl HoldError {
    /// Whether this refusal, decided before the transaction, may hide that an earlier request under
    /// the same key succeeded. Those who merely lost a race for a seat are spared PostgreSQL.
    #[must_use]
    pub fn may_hide_success(&self) -> bool {
        match self {
            Self::Taken { repeater, .. } => *repeater,
            Self::NotEnough
            | Self::NotActive
            | Self::OverLimit { .. }
            | Self::NotOpen
            | Self::Closed
            | Self::ConcertUnavailable => true,
            _ => false,
        }
    }
}

impl MaybeConflict for HoldError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_conflict())
    }
}

impl From<CatalogueError> for HoldError {
    fn from(error: CatalogueError) -> Self {
        match error {
            CatalogueError::Store(error) => Self::Store(error),
            _ => Self::NoSchedule,
        }
    }
}
