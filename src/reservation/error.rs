//! Errors of holds and reservations.

use crate::concert::service::CatalogueError;
use crate::idempotency::model::KeyError;
use crate::queue::service::QueueError;
use crate::store::StoreError;
use crate::store::id::SeatId;
use crate::store::pg::MaybeConflict;

/// Why seats were not held, found or released.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// Other buyers hold or own some of the seats.
    #[error("some of the seats are taken")]
    Taken {
        /// Ids of the taken seats.
        seats: Vec<SeatId>,
        /// The user has claimed seats of this schedule before, so an earlier try under the same key
        /// may have succeeded.
        repeater: bool,
    },
    /// There are too few free seats.
    #[error("there are not enough free seats")]
    NotEnough,
    /// Other buyers took each choice of best available seats first.
    #[error("other buyers took each choice first")]
    Crowded,
    /// The ticket has no active slot in this schedule.
    #[error("the ticket is not active")]
    NotActive,
    /// The user would have more seats than the limit.
    #[error("the limit is {limit} seats per user")]
    OverLimit {
        /// Limit of seats per user.
        limit: u32,
        /// Some of the user's seats may belong to lapsed holds. Those count until they are ended.
        lapsed: bool,
    },
    /// The user held the same seats too often without paying.
    #[error("the seats were held too often without a payment")]
    Churn,
    /// One of the seats does not belong to this schedule.
    #[error("there is no such seat in this schedule")]
    NoSeat,
    /// There is no such schedule.
    #[error("there is no such schedule")]
    NoSchedule,
    /// The sale has not opened.
    #[error("the sale has not opened")]
    NotOpen,
    /// The deadline has passed.
    #[error("the sale is over")]
    Closed,
    /// The concert is withdrawn.
    #[error("the concert is withdrawn")]
    ConcertUnavailable,
    /// There is no such hold, or it belongs to another user.
    #[error("there is no such hold")]
    NoHold,
    /// There is no such reservation, or it belongs to another user.
    #[error("there is no such reservation")]
    NoReservation,
    /// The hold was paid, so its payments can only be refunded.
    #[error("the hold is already paid")]
    AlreadyPaid,
    /// The token's user does not exist.
    #[error("there is no such user")]
    UnknownUser,
    /// The ticket does not allow the request.
    #[error(transparent)]
    Ticket(#[from] QueueError),
    /// The idempotency key does not allow the request.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl HoldError {
    /// Whether an earlier request under the same key may have succeeded although this one is
    /// refused. Only then is the stored answer read from PostgreSQL; losing a race for a seat needs
    /// no read.
    #[must_use]
    pub fn may_hide_success(&self) -> bool {
        match self {
            Self::Taken { repeater, .. } => *repeater,
            Self::NotEnough
            | Self::Crowded
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
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
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
