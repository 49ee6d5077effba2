//! Errors of jobs.

use crate::idempotency::model::KeyError;
use crate::store::StoreError;
use crate::store::id::JobId;
use crate::store::pg::MaybeConflict;

/// Why a job was not made, found or cancelled. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// There is no such job.
    #[error("there is no such job")]
    NoJob,
    /// There is no such schedule.
    #[error("there is no such schedule")]
    NoSchedule,
    /// There is no such user.
    #[error("there is no such user")]
    NoUser,
    /// A job of this kind is not finished yet for the same schedule or user.
    #[error("job {0} is not finished yet")]
    Exists(JobId),
    /// The job has ended, or its kind cannot be cancelled.
    #[error("the job cannot be cancelled")]
    NotCancellable,
    /// An administrator asked to erase themselves.
    #[error("an administrator cannot erase their own user")]
    OwnUser,
    /// The user has something to lose.
    #[error("the user has holds, tickets or points")]
    HasEntitlements {
        /// Seats that wait for payment.
        held_seats: i64,
        /// Paid seats of concerts to come.
        tickets: i64,
        /// Balance in points.
        balance: i64,
    },
    /// The idempotency key does not allow the request.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MaybeConflict for JobError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
