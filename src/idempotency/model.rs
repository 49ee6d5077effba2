//! A request that may come again, and what became of it.

use aws_lc_rs::digest;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::pg::MaybeConflict;

/// A request under its key: who, which key, and what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Keys are per user.
    pub user: UserId,
    /// 1 to 255 visible ASCII characters.
    pub key: String,
    /// Method, path and parsed body.
    pub asked: String,
}

impl Request {
    /// Of `what` (method and path) and the body as it was understood, so that neither white space
    /// nor the order of members makes two requests of one.
    pub fn new(user: UserId, key: &str, what: &str, body: &impl Serialize) -> Self {
        // Serializing our own plain structs cannot fail; an empty text would only merge failures.
        let body = serde_json::to_string(body).unwrap_or_default();
        Self { user, key: key.to_owned(), asked: format!("{what}\n{body}") }
    }

    /// SHA-256 of what was asked: only for those who come as far as PostgreSQL.
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
    /// A value, or a refusal that was final.
    pub outcome: T,
    /// True where this is the answer of an earlier request under the same key.
    pub replayed: bool,
}

impl<T> Answer<T> {
    /// Changes the outcome, keeping whether it was replayed.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { outcome: change(self.outcome), replayed: self.replayed }
    }
}

/// What can be stored as an outcome.
pub trait Outcome: Serialize + DeserializeOwned + Send {}
impl<T: Serialize + DeserializeOwned + Send> Outcome for T {}

/// Why a key stood in the way.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The first request under this key is still under way.
    #[error("a request under this key is under way")]
    InProgress,
    /// The key was used for another request.
    #[error("the key was used for another request")]
    Reused,
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MaybeConflict for KeyError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_conflict())
    }
}
