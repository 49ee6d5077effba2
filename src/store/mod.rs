//! The two stores, PostgreSQL and Redis, and their errors. Features do not name a database driver:
//! they use [`StoreError`] and [`pg::Tx`].

pub mod activity;
pub mod error_count;
pub mod high_water;
pub mod id;
pub mod keys;
pub mod pg;
pub mod process_figures;
pub mod process_records;
pub mod redis;
pub mod script;
pub mod token_cache;

use std::fmt;

/// One of the two stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// Holds the durable data: reservations, payments, points.
    PostgreSql,
    /// Holds the data that can expire: the queue, the active slots, the seat claims.
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

/// Why a call to a store failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The store is down, too slow, or too busy: the same call may succeed later.
    #[error("{store} is unavailable: {reason}")]
    Unavailable {
        /// Which store.
        store: Store,
        /// The driver's message, for the log only.
        reason: String,
    },
    /// The sale ended so long ago that its Redis keys are no longer rebuilt.
    #[error("the sale is over, and Redis no longer has its keys")]
    SaleOver,
    /// A deadlock or a serialization failure: nothing was written, and the transaction can run
    /// again.
    #[error("the transaction lost a conflict: {0}")]
    Conflict(String),
    /// The connection broke during COMMIT: the transaction may or may not be committed. Only a
    /// retry with the same idempotency key can find out.
    #[error("the outcome of the commit is unknown: {0}")]
    OutcomeUnknown(String),
    /// The data that were read contradict the schema or the protocol.
    #[error("the data is inconsistent: {0}")]
    Inconsistent(String),
    /// A statement or script failed in a way that a retry cannot fix: a defect of this service.
    #[error("{store} refused a call: {reason}")]
    Defect {
        /// Which store.
        store: Store,
        /// The driver's message, for the log only.
        reason: String,
    },
}

impl StoreError {
    /// The kind of the error, for traces.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "unavailable",
            Self::SaleOver => "sale_over",
            Self::Conflict(_) => "conflict",
            Self::OutcomeUnknown(_) => "outcome_unknown",
            Self::Inconsistent(_) => "inconsistent",
            Self::Defect { .. } => "defect",
        }
    }
}
