//! An entry of the outbox and the list of those that Redis has heard of.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

/// How long an answer waits for Redis to be told of what was committed.
const TELL_LIMIT: Duration = Duration::from_millis(500);

/// The number of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OutboxId(pub i64);

/// An entry as it was read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its number.
    pub id: OutboxId,
    /// Which kind of event: tells what `payload` is.
    pub kind: String,
    /// The event, by serde.
    pub payload: serde_json::Value,
}

/// Where entries go that were delivered right after their commit, so that the relay need not
/// deliver them again. Losing one costs a harmless repeat.
#[derive(Debug, Clone)]
pub struct Delivered {
    sender: Arc<mpsc::Sender<OutboxId>>,
}

impl Delivered {
    /// The list, and the end from which the relay empties it.
    #[must_use]
    pub fn channel() -> (Self, mpsc::Receiver<OutboxId>) {
        let (sender, receiver) = mpsc::channel(8192);
        (Self { sender: Arc::new(sender) }, receiver)
    }

    /// Puts an entry on the list once `telling` Redis of it has succeeded within [`TELL_LIMIT`]; a
    /// buyer's answer does not wait longer for a Redis that hangs. Otherwise the relay tells it.
    pub async fn after<E: std::fmt::Display>(
        &self,
        id: OutboxId,
        telling: impl Future<Output = Result<(), E>>,
    ) {
        match tokio::time::timeout(TELL_LIMIT, telling).await {
            Ok(Ok(())) => self.push(id),
            Ok(Err(error)) => tracing::warn!(id = id.0, %error, "Redis is told later"),
            Err(_) => tracing::warn!(id = id.0, "Redis is told later: it takes too long"),
        }
    }

    /// Puts an entry on the list; a full list drops it.
    pub fn push(&self, id: OutboxId) {
        // The relay finds it again in the table.
        let _ = self.sender.try_send(id);
    }
}
