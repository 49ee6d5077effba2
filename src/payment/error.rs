//! Why a payment or a refund was not decided.

use crate::idempotency::model::KeyError;
use crate::store::StoreError;
use crate::store::pg::MaybeConflict;

/// Why a payment or a refund was not decided. A decision, refusals included, is an answer and not an
/// error.
#[derive(Debug, thiserror::Error)]
pub enum PayError {
    /// No such hold, or another user's.
    #[error("no such hold")]
    NoHold,
    /// No such payment, or another user's.
    #[error("no such payment")]
    NoPayment,
    /// The idempotency key does not allow the request.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MaybeConflict for PayError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_conflict())
    }
}
