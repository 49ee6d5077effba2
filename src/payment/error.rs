//! Errors of payments and refunds.

use crate::idempotency::model::KeyError;
use crate::store::StoreError;
use crate::store::pg::MaybeConflict;

/// Why a payment or refund was not decided. A decided refusal is an answer and not an error: it is
/// stored under the idempotency key.
#[derive(Debug, thiserror::Error)]
pub enum PayError {
    /// There is no such hold, or it belongs to another user.
    #[error("there is no such hold")]
    NoHold,
    /// There is no such payment, or it belongs to another user.
    #[error("there is no such payment")]
    NoPayment,
    /// The idempotency key does not allow the request.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MaybeConflict for PayError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
