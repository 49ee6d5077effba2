//! The two stores and how they fail. No feature names a driver: it says [`StoreError`] and
//! [`pg::Tx`].

pub mod high_water;
pub mod id;
pub mod keys;
pub mod pg;
pub mod redis;
pub mod script;
pub mod token_cache;

use std::fmt;

/// Which of the two stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// Reservations, payments, points: what must last.
    PostgreSql,
    /// The line, the active set, the holds: what can time out.
    Redis,
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PostgreSql => "PostgreSQL",
            Self::Redis => "Redis",
        })
    }
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Down, too slow, or too busy: the same call may succeed a moment later.
    #[error("{store} is unavailable: {reason}")]
    Unavailable {
        /// Which store.
        store: Store,
        /// The driver's words, for the log only.
        reason: String,
    },
    /// The sale ended so long ago that its keys in Redis are not built any more.
    #[error("the sale is over, and its keys are gone")]
    SaleOver,
    /// A deadlock or serialization failure: nothing was written, the transaction can run again.
    #[error("the transaction lost a conflict: {0}")]
    Conflict(String),
    /// The connection broke while COMMIT was under way: it may or may not have happened.
    /// Only a repeat under the same idempotency key can tell.
    #[error("the outcome of the commit is unknown: {0}")]
    OutcomeUnknown(String),
    /// What was read contradicts what the schema and the protocol promise.
    #[error("the data is inconsistent: {0}")]
    Inconsistent(String),
    /// A statement or script failed in a way that no retry mends: a defect of ours.
    #[error("{store} refused a call: {reason}")]
    Defect {
        /// Which store.
        store: Store,
        /// The driver's words, for the log only.
        reason: String,
    },
}
