//! The errors of the waiting room.

use chrono::{DateTime, Utc};

use super::ticket::jwt::InvalidTicket;
use crate::rate_limit::RateLimitExceeded;
use crate::store::StoreError;

/// Error of a call to the waiting room.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The ticket is forged, expired, or of another audience.
    #[error(transparent)]
    Invalid(#[from] InvalidTicket),
    /// The ticket belongs to another user.
    #[error("the ticket belongs to another user")]
    NotYours,
    /// There is no such schedule.
    #[error("no such schedule")]
    NoSchedule,
    /// The queue has not opened yet.
    #[error("the queue opens at {opens_at}")]
    NotOpen {
        /// When the queue opens.
        opens_at: DateTime<Utc>,
    },
    /// The deadline of the sale has passed.
    #[error("the sale is over")]
    Closed,
    /// Every seat is sold or blocked.
    #[error("sold out")]
    SoldOut,
    /// The concert is withdrawn.
    #[error("the concert is withdrawn")]
    ConcertUnavailable,
    /// The user has reached the rate limit.
    #[error(transparent)]
    TooMany(#[from] RateLimitExceeded),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The codes of joins that are refused. A metric has a count for each from the start.
pub const JOIN_REFUSALS: [&str; 6] = [
    "queue_not_open",
    "schedule_closed",
    "sold_out",
    "concert_unavailable",
    "rate_limited",
    "store_unavailable",
];

impl QueueError {
    /// The problem code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(InvalidTicket::Unread) => "store_unavailable",
            Self::Invalid(_) => "ticket_invalid",
            Self::NotYours => "ticket_not_yours",
            Self::NoSchedule => "schedule_not_found",
            Self::NotOpen { .. } => "queue_not_open",
            Self::Closed | Self::Store(StoreError::SaleOver) => "schedule_closed",
            Self::SoldOut => "sold_out",
            Self::ConcertUnavailable => "concert_unavailable",
            Self::TooMany(_) => "rate_limited",
            Self::Store(_) => "store_unavailable",
        }
    }
}
