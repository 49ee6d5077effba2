//! Why the private servers could not be had.

use std::io;
use std::path::{Path, PathBuf};

/// What went wrong with a private server or its folder. Each text says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// No usable binary on this machine.
    #[error("{what} was not found. {hint}")]
    Missing {
        /// The program and the version it takes.
        what: String,
        /// How to get it.
        hint: String,
    },
    /// Another process runs servers in this folder.
    #[error("{} is in use: another `onsale dev` runs there", .0.display())]
    InUse(PathBuf),
    /// A server ended, or stayed silent, instead of getting ready.
    #[error("{server} did not start: {reason}\n{log}")]
    Start {
        /// Which server.
        server: &'static str,
        /// What was seen.
        reason: String,
        /// The end of its log.
        log: String,
    },
    /// A server left behind by a killed run neither ended nor named itself.
    #[error("a {server} of an earlier run still holds {} and could not be ended", log.display())]
    Leftover {
        /// Which server.
        server: &'static str,
        /// The log that it holds a lock on.
        log: PathBuf,
    },
    /// The account that PostgreSQL runs under cannot get at what it needs.
    #[error("PostgreSQL does not run as root, and the account `{account}` cannot use {}", path.display())]
    Unreachable {
        /// The account's name.
        account: String,
        /// What it cannot use.
        path: PathBuf,
    },
    /// PostgreSQL refused a statement or a connection.
    #[error("PostgreSQL: {0}")]
    Database(String),
    /// Redis refused a command or a connection, or did not become what it was to be.
    #[error("Redis: {0}")]
    Redis(String),
    /// A file or a process could not be handled.
    #[error("{what}: {error}")]
    Io {
        /// What was tried, and on which path.
        what: String,
        /// The system's words.
        error: io::Error,
    },
    /// The service that `onsale dev` runs on its stores ended with an error.
    #[error("{0}")]
    Service(Box<dyn std::error::Error + Send + Sync>),
}

impl DevError {
    /// Says which path an I/O error was about: `.map_err(DevError::io("read", path))`.
    pub(super) fn io(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let what = format!("cannot {verb} {}", path.display());
        move |error| Self::Io { what, error }
    }
}
