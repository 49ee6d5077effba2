//! What an error of Redis means.

use redis::RedisError;

use crate::store::{Store, StoreError};

/// What a server says that will serve the same call a moment later, or another server will.
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

/// The codes in an error, each with what follows it: one, or those of a pipeline.
fn codes(error: &RedisError) -> Vec<(String, String)> {
    let all = error.clone().into_server_errors();
    let all = all.iter().flat_map(|all| all.iter());
    all.map(|(_, one)| (one.code().to_owned(), one.details().unwrap_or("").to_owned())).collect()
}

/// Where a node says that the slot is now, as `host:port`; the host is empty where it is the
/// node's own.
pub(super) fn moved_to(error: &RedisError) -> Option<String> {
    let (_, to) = codes(error).into_iter().find(|(code, _)| code == "MOVED")?;
    Some(to.split_whitespace().nth(1)?.to_owned())
}

/// Whether the connection is of no use any more: broken, silent, or to a server that is no primary
/// any more.
pub(super) fn is_broken(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_timeout()
        || error.is_unrecoverable_error()
        || codes(error).iter().any(|(code, _)| code == "READONLY")
}

/// A call that was never sent.
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
