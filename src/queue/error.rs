//! Why the queue did not do what it was asked.

use chrono::{DateTime, Utc};

use super::ticket::jwt::InvalidTicket;
use crate::rate_limit::RateLimitExceeded;
use crate::store::StoreError;

/// Why the line did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Forged, expired, of another audience.
    #[error(transparent)]
    Invalid(#[from] InvalidTicket),
    /// The ticket is another user's.
    #[error("the ticket is another user's")]
    NotYours,
    /// No such schedule.
    #[error("no such schedule")]
    NoSchedule,
    /// Before the line opens.
    #[error("the line opens at {opens_at}")]
    NotOpen {
        /// When it does.
        opens_at: DateTime<Utc>,
    },
    /// Past the deadline.
    #[error("the sale is over")]
    Closed,
    /// Every seat is sold or blocked.
    #[error("sold out")]
    SoldOut,
    /// The concert is withdrawn.
    #[error("the concert is withdrawn")]
    ConcertUnavailable,
    /// This user asks too often.
    #[error(transparent)]
    TooMany(#[from] RateLimitExceeded),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl QueueError {
    /// The stable name of what went wrong, where the line itself refused.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
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
