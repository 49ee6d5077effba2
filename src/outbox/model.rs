//! An entry of the outbox, and the list of delivered entries.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

/// How long an answer waits for the delivery of a committed entry to Redis.
const DELIVERY_LIMIT: Duration = Duration::from_millis(500);

/// The number of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OutboxId(pub i64);

/// An entry of the outbox.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The number of the entry.
    pub id: OutboxId,
    /// The kind of event, which determines the form of `payload`.
    pub kind: String,
    /// The event, serialized with serde.
    pub payload: serde_json::Value,
}

/// An event, and its number in the outbox. Returned by the transaction that wrote it, and delivered
/// to Redis once that has committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded<E> {
    /// The number of the entry.
    pub id: OutboxId,
    /// The event.
    pub event: E,
}

/// The list of entries that were delivered right after their commit, so that the relay does not
/// deliver them again. A lost item only causes a second delivery, which is harmless.
#[derive(Debug, Clone)]
pub struct Delivered {
    sender: Arc<mpsc::Sender<OutboxId>>,
}

impl Delivered {
    /// Creates the list, and the receiver from which the relay reads it.
    #[must_use]
    pub fn channel() -> (Self, mpsc::Receiver<OutboxId>) {
        let (sender, receiver) = mpsc::channel(8192);
        (Self { sender: Arc::new(sender) }, receiver)
    }

    /// Runs `delivery` to Redis, and adds the entry to the list if it succeeds within 500 ms: a
    /// buyer's answer does not wait longer when Redis hangs. Otherwise the relay delivers the
    /// entry.
    pub async fn after<E: std::fmt::Display>(
        &self,
        id: OutboxId,
        delivery: impl Future<Output = Result<(), E>>,
    ) {
        match tokio::time::timeout(DELIVERY_LIMIT, delivery).await {
            Ok(Ok(())) => self.push(id),
            Ok(Err(error)) => {
                tracing::warn!(id = id.0, %error, "outbox entry left to the relay: Redis failed");
            }
            Err(_) => {
                tracing::warn!(id = id.0, "outbox entry left to the relay: Redis is too slow");
            }
        }
    }

    /// Adds an entry to the list; a full list drops it.
    pub fn push(&self, id: OutboxId) {
        // If the list is full, the relay finds the entry in the table.
        let _ = self.sender.try_send(id);
    }
}
