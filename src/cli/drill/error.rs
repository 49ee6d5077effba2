//! Why a drill did not take place.

use std::path::PathBuf;

use super::plan::PlanError;

/// Why a drill did not take place.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    #[error("{0} has no access token{1}")]
    NoToken(PathBuf, &'static str),
    #[error("the client could not be made: {0}")]
    Client(reqwest::Error),
    #[error(
        "a process there does not allow a drill. A drill causes real failures: start every process of \
         a staging system with ONSALE_ALLOW_DRILL=true, and never one that sells tickets"
    )]
    NotAllowed,
    #[error(
        "sign-up is closed: set ONSALE_OPEN_SIGNUP=true on staging, or give access tokens of buyers \
         with --buyer-tokens-file"
    )]
    SignUpClosed,
    #[error("there are {0} access tokens for {1} buyers")]
    FewTokens(usize, u16),
    #[error("{0}")]
    Refused(String, String),
    #[error("{0}")]
    Unexpected(String),
    #[error("signals cannot be received: {0}")]
    Signals(std::io::Error),
}
