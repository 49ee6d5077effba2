//! Why a step of `onsale restore` failed.

use std::path::PathBuf;

use super::model::VERSION;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::MaybeConflict;

/// Why a command of `onsale restore` failed.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file cannot be read or written.
    #[error("{path}: {1}", path = .0.display())]
    File(PathBuf, std::io::Error),
    /// A file of that name exists. It may be the only record of what was sold.
    #[error("{path} exists and is kept: choose another name", path = .0.display())]
    Exists(PathBuf),
    /// The file is cut off, changed, or something else.
    #[error("{path} is not a whole file of `onsale restore prepare`: {1}", path = .0.display())]
    Damaged(PathBuf, String),
    /// Another release wrote the file.
    #[error("{path} has version {1}; this program reads version {VERSION}", path = .0.display())]
    Version(PathBuf, u64),
    /// No secret of the file is one of this command's.
    #[error(
        "the file is of another installation: none of its secrets is set here. After a change of \
         the secrets, set ONSALE_QUEUE_SECRETS to the new and an old one"
    )]
    OtherInstallation,
    /// Processes served after the file was written.
    #[error(
        "{count} seats of schedule {schedule} are sold or blocked in Redis and not in the file: \
         processes served after it was written. Stop them, prepare again under another name, and use \
         that file (--force goes on without these seats)"
    )]
    Outdated {
        /// The first schedule that differs.
        schedule: ScheduleId,
        /// Number of its seats that the file lacks.
        count: usize,
    },
    /// Processes serve.
    #[error("{0}: stop all processes, wait a minute, and try again (--force does not wait)")]
    Running(String),
    /// Redis does not answer, so it is unknown whether processes serve.
    #[error("{0}: without Redis it is unknown whether processes serve (--force goes on)")]
    Unknown(StoreError),
    /// The schema is not that of this program.
    #[error("{0}: run `onsale migrate` first")]
    Schema(String),
    /// Seats that Redis knew as sold are free, and the operator has not decided about them.
    #[error(
        "{0} seats that were sold are free in PostgreSQL, as `onsale restore compare` lists: add \
         --block-missing, which keeps them from sale, or --sell-missing"
    )]
    Undecided(u64),
}

impl MaybeConflict for RestoreError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
