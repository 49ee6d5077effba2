//! Errors of administration.

use serde_json::Value;

use super::publish::model::Obstacle;
use crate::concert::service::CatalogueError;
use crate::precondition::EntityTag;
use crate::store::StoreError;
use crate::store::id::SeatId;

/// Why a change was refused. A refused change has no effect at all.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// There is no such concert.
    #[error("there is no such concert")]
    ConcertNotFound,
    /// There is no such schedule.
    #[error("there is no such schedule")]
    ScheduleNotFound,
    /// At least one seat does not belong to this schedule.
    #[error("there is no such seat in this schedule")]
    SeatNotFound,
    /// The times are not in the required order.
    #[error("the times are not in order: {0}")]
    InvalidTimes(&'static str),
    /// The entry order cannot change once the queue is open.
    #[error("the queue is open, so its entry order is fixed")]
    LineIsOpen,
    /// Buyers hold or own these seats.
    #[error("seats are in use")]
    SeatsInUse(Vec<SeatId>),
    /// Another change came after the state that the caller has seen.
    #[error("the state has changed meanwhile")]
    ChangedMeanwhile {
        /// The current state.
        current: Value,
        /// Its tag.
        tag: EntityTag,
    },
    /// The sale would be impossible.
    #[error("the draft cannot be published")]
    NotPublishable(Vec<Obstacle>),
    /// The schedule has reservations, so its seats stay.
    #[error("the schedule has reservations")]
    SeatsReserved,
    /// Buyers have seats of it, so it cannot be removed.
    #[error("{paid} seats are paid and {held} are held")]
    HasBuyers {
        /// Seats with a payment that is not refunded.
        paid: i64,
        /// Seats with a hold that can still be paid.
        held: i64,
    },
    /// Its removal has begun, so it can no longer be changed.
    #[error("it is being removed")]
    BeingRemoved,
    /// The first report of a schedule is being computed.
    #[error("the sales report is not computed yet")]
    ReportPending,
    /// The request contradicts the stored state, or its fields contradict each other.
    #[error("{pointer}: {detail}")]
    Invalid {
        /// JSON Pointer to the field in the request body.
        pointer: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AdminError {
    /// Builds an [`AdminError::Invalid`].
    #[must_use]
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid { pointer: pointer.into(), detail: detail.into() }
    }
}

impl From<CatalogueError> for AdminError {
    fn from(error: CatalogueError) -> Self {
        match error {
            CatalogueError::ConcertNotFound => Self::ConcertNotFound,
            CatalogueError::ScheduleNotFound => Self::ScheduleNotFound,
            CatalogueError::Store(error) => Self::Store(error),
        }
    }
}
