//! Classifies the errors of Redis.

use redis::RedisError;

use crate::store::{Store, StoreError};

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

/// The error for a call that is refused here, or whose answer is no longer awaited.
pub(super) fn refused(reason: &str) -> RedisError {
    let kind = std::io::ErrorKind::ConnectionRefused;
    std::io::Error::new(kind, reason.to_owned()).into()
}

pub(super) fn defect(error: &RedisError) -> StoreError {
    StoreError::Defect { store: Store::Redis, reason: error.to_string() }
}

impl From<RedisError> for StoreError {
    fn from(error: RedisError) -> Self {
        let passing = codes(&error).iter().any(|(code, _)| PASSING.contains(&code.as_str()));
        if passing || error.is_io_error() || error.is_timeout() || error.is_unrecoverable_error() {
            Self::Unavailable { store: Store::Redis, reason: error.to_string() }
        } else {
            defect(&error)
        }
    }
}
