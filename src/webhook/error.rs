//! Errors of webhooks and of the feed.

use crate::store::StoreError;

/// Why a call was refused. A refused call has no effect.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// There is no such endpoint.
    #[error("there is no such webhook endpoint")]
    NotFound,
    /// At least one event of a replay does not exist.
    #[error("there is no such event")]
    EventNotFound,
    /// A disabled endpoint gets no messages.
    #[error("the webhook endpoint is disabled")]
    Disabled,
    /// There are as many endpoints as there may be.
    #[error("there are {limit} webhook endpoints")]
    TooMany {
        /// The limit.
        limit: i64,
    },
    /// The feed is off, so nothing would ever appear in it.
    #[error("the event feed is off")]
    FeedOff,
    /// Events after the cursor were purged.
    #[error("events after the cursor were purged")]
    EventsExpired {
        /// Cursor before the oldest event that is left.
        oldest_after: String,
    },
    /// A field has a value that cannot be used.
    #[error("{pointer}: {detail}")]
    Invalid {
        /// JSON Pointer to the field in the request body.
        pointer: &'static str,
        /// What is wrong with it.
        detail: &'static str,
    },
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
