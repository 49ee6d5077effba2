//! Why administration refuses.

use crate::concert::service::CatalogueError;
use crate::store::StoreError;
use crate::store::id::SeatId;

/// Why a change was not made; then nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// There is no such concert.
    #[error("there is no such concert")]
    ConcertNotFound,
    /// There is no such schedule.
    #[error("there is no such schedule")]
    ScheduleNotFound,
    /// At least one seat is not of this schedule.
    #[error("there is no such seat in this schedule")]
    SeatNotFound,
    /// The times are not in their order.
    #[error("the times are not in order: {0}")]
    InvalidTimes(&'static str),
    /// The order of entry is fixed once people may join.
    #[error("the line is open")]
    LineIsOpen,
    /// Seats that somebody holds or has bought.
    #[error("seats are in use")]
    SeatsInUse(Vec<SeatId>),
    /// What only the stored state, or the whole of the request, can tell to be wrong.
    #[error("{pointer}: {detail}")]
    Invalid {
        /// A JSON Pointer into the body.
        pointer: String,
        /// In words.
        detail: String,
    },
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AdminError {
    /// [`AdminError::Invalid`].
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
