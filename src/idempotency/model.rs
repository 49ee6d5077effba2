//! A request with an idempotency key, and its answer.

use aws_lc_rs::digest;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::pg::MaybeConflict;

/// A request with its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The user; each user has their own keys.
    pub user: UserId,
    /// The key: 1 to 255 visible ASCII characters.
    pub key: String,
    /// Method, path and parsed body of the request.
    pub asked: String,
}

impl Request {
    /// Creates a request from `what` (method and path) and the parsed body. Two bodies that differ
    /// only in white space or in the order of members are the same request.
    pub fn new(user: UserId, key: &str, what: &str, body: &impl Serialize) -> Self {
        // Serializing our own plain structs cannot fail.
        let body = serde_json::to_string(body).unwrap_or_default();
        Self { user, key: key.to_owned(), asked: format!("{what}\n{body}") }
    }

    /// The SHA-256 hash of `asked`. Computed only for requests that reach PostgreSQL.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut fingerprint = [0; 32];
        let digest = digest::digest(&digest::SHA256, self.asked.as_bytes());
        fingerprint.copy_from_slice(digest.as_ref());
        fingerprint
    }
}

/// An answer, and whether it was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// A value, or a final refusal.
    pub outcome: T,
    /// Whether this is the answer to an earlier request with the same key.
    pub replayed: bool,
}

impl<T> Answer<T> {
    /// Converts the outcome, and keeps `replayed`.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { outcome: change(self.outcome), replayed: self.replayed }
    }
}

/// What the transaction of a request did.
#[derive(Debug)]
pub struct Effect<T, E = ()> {
    /// The answer, which is stored under the key: a value, or a final refusal.
    pub outcome: T,
    /// The event to deliver after the commit, such as a change for Redis. Not stored here: the
    /// relay delivers it if this process does not.
    pub event: E,
}

/// The answer to a request. `event` is to be delivered, if this call is the one that committed.
#[derive(Debug)]
pub struct Done<T, E = ()> {
    /// The answer.
    pub answer: Answer<T>,
    /// The event to deliver after the commit.
    pub event: Option<E>,
}

/// A type that can be stored as an outcome.
pub trait Outcome: Serialize + DeserializeOwned + Send {}
impl<T: Serialize + DeserializeOwned + Send> Outcome for T {}

/// Why a request with an idempotency key got no answer.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The first request with this key is still in progress.
    #[error("a request with this key is in progress")]
    InProgress,
    /// The key was used for another request.
    #[error("the key was used for another request")]
    Reused,
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MaybeConflict for KeyError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
