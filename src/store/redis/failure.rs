//! Classifies the errors of Redis.

use redis::{ErrorKind, RedisError};

use crate::store::{Store, StoreError, error_count};

/// Error codes that pass: this server or another one can serve the same call later.
const PASSING: [&str; 11] = [
    "OOM",
    "LOADING",
    "BUSY",
    "READONLY",
    "MISCONF",
    "NOREPLICAS",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "MOVED",
    "ASK",
];

/// The codes in an error, each with its details: one, or several of a pipeline.
fn codes(error: &RedisError) -> Vec<(String, String)> {
    let all = error.clone().into_server_errors();
    let all = all.iter().flat_map(|all| all.iter());
    all.map(|(_, one)| (one.code().to_owned(), one.details().unwrap_or("").to_owned())).collect()
}

/// The address in a MOVED error, as `host:port`; the host is empty if it is the node's own.
pub(super) fn moved_to(error: &RedisError) -> Option<String> {
    let (_, details) = codes(error).into_iter().find(|(code, _)| code == "MOVED")?;
    Some(details.split_whitespace().nth(1)?.to_owned())
}

/// Whether the connection must be replaced: it is broken or silent, or its server is no longer a
/// primary.
pub(super) fn is_broken(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_timeout()
        || error.is_unrecoverable_error()
        || codes(error).iter().any(|(code, _)| code == "READONLY")
}

/// Whether the settings of the connection are wrong, such as its certificates.
pub(super) fn is_setting(error: &RedisError) -> bool {
    error.kind() == ErrorKind::InvalidClientConfig
}

/// The error for a call that is refused here, or whose answer is no longer awaited.
pub(super) fn refused(reason: &str) -> RedisError {
    let kind = std::io::ErrorKind::ConnectionRefused;
    std::io::Error::new(kind, reason.to_owned()).into()
}

/// The error of a check at the start, at which wrong settings must be repaired.
pub(super) fn at_start(error: RedisError) -> StoreError {
    if is_setting(&error) {
        let reason = error.detail().map_or_else(|| error.to_string(), str::to_owned);
        StoreError::Inconsistent(format!("Redis: {reason}"))
    } else {
        error.into()
    }
}

pub(super) fn defect(error: &RedisError) -> StoreError {
    StoreError::Defect { store: Store::Redis, reason: error.to_string() }
}

impl From<RedisError> for StoreError {
    fn from(error: RedisError) -> Self {
        error_count::note(Store::Redis);
        let passing = codes(&error).iter().any(|(code, _)| PASSING.contains(&code.as_str()));
        let is_unreachable =
            error.is_io_error() || error.is_timeout() || error.is_unrecoverable_error();
        // A certificate may expire, and be replaced, while the process runs.
        if passing || is_unreachable || is_setting(&error) {
            Self::Unavailable { store: Store::Redis, reason: error.to_string() }
        } else {
            defect(&error)
        }
    }
}
