//! Errors of the private servers.

use std::io;
use std::path::{Path, PathBuf};

/// Why a private server or its folder could not be used.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// This machine has no usable binary.
    #[error("{what} was not found. {hint}")]
    Missing {
        /// The program and its required version.
        what: String,
        /// How to get it.
        hint: String,
    },
    /// Another process runs servers in this folder.
    #[error("{} is in use: another `onsale dev` runs there", .0.display())]
    InUse(PathBuf),
    /// A server ended or gave no answer before it was ready.
    #[error("{server} did not start: {reason}\n{log}")]
    Start {
        /// Which server.
        server: &'static str,
        /// Why it did not start.
        reason: String,
        /// The end of its log.
        log: String,
    },
    /// A server of a killed run still runs, and could not be ended or has no pid file.
    #[error("{server} of an earlier run still uses {} and could not be ended", log.display())]
    Leftover {
        /// Which server.
        server: &'static str,
        /// The log that it holds a lock on.
        log: PathBuf,
    },
    /// The account that PostgreSQL runs under cannot enter a folder that it needs.
    #[error("PostgreSQL cannot run as root, and the account `{account}` cannot use {}", path.display())]
    Unreachable {
        /// The account's name.
        account: String,
        /// The folder that it cannot use.
        path: PathBuf,
    },
    /// PostgreSQL refused a statement or a connection.
    #[error("PostgreSQL: {0}")]
    Database(String),
    /// Redis refused a command or a connection, or did not reach the expected state in time.
    #[error("Redis: {0}")]
    Redis(String),
    /// An operation on a file or a process failed.
    #[error("{what}: {error}")]
    Io {
        /// The operation and its path.
        what: String,
        /// The system's error.
        error: io::Error,
    },
    /// The service that `onsale dev` runs on its stores ended with an error.
    #[error("{0}")]
    Service(Box<dyn std::error::Error + Send + Sync>),
}

impl DevError {
    /// Adds the operation and the path to an I/O error: `.map_err(DevError::io("read", path))`.
    pub(crate) fn io(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let what = format!("cannot {verb} {}", path.display());
        move |error| Self::Io { what, error }
    }
}
