//! Streams of server-sent events, without a task, a timer or a buffer for each.
//!
//! A handler answers with [`takeover::Takeover`]. The connection then leaves hyper: its socket goes
//! to a [`hub`], in which one task per topic writes to all sockets of that topic. What an idle
//! stream costs is its socket and its entry in a list.

pub mod event;
pub mod hub;
pub mod socket;
pub mod takeover;

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::api::problem::Problem;
use super::limit::connections::Guest;
use crate::telemetry::Metrics;

/// How many streams a task serves before it lets others run.
pub const BATCH: usize = 256;

/// The streams of this process: how many there may be, and who serves them; cheap to clone.
#[derive(Debug, Clone)]
pub struct Streams {
    slots: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: CancellationToken,
    metrics: Metrics,
}

/// A stream that counts as open until this is dropped.
#[derive(Debug)]
pub struct Open {
    kind: &'static str,
    metrics: Metrics,
    _slot: OwnedSemaphorePermit,
    /// Counts the connection; there once it was handed over.
    guest: Option<Guest>,
}

impl Streams {
    /// At most `most` streams at a time; their tasks are among `tasks` and end with `stop`.
    #[must_use]
    pub fn new(most: usize, tasks: TaskTracker, stop: CancellationToken, metrics: Metrics) -> Self {
        Self { slots: Arc::new(Semaphore::new(most)), tasks, stop, metrics }
    }

    /// Counts one more stream of a kind (`ticket`, `seats`, `stats`).
    ///
    /// # Errors
    /// `503 overloaded` where there are too many, or the process drains.
    pub fn open(&self, kind: &'static str) -> Result<Open, Problem> {
        if self.stop.is_cancelled() {
            return Err(Problem::overloaded());
        }
        let slot = Arc::clone(&self.slots).try_acquire_owned();
        let slot = slot.map_err(|_| Problem::overloaded())?;
        self.metrics.stream_opened(kind);
        Ok(Open { kind, metrics: self.metrics.clone(), _slot: slot, guest: None })
    }

    /// Runs a topic's task until it ends by itself or the process drains. Dropping it closes its
    /// sockets.
    pub fn spawn(&self, topic: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move { stop.run_until_cancelled(topic).await });
    }
}

impl Open {
    /// Lets the connection count as open as long as the stream does.
    fn keep(&mut self, guest: Guest) {
        self.guest = Some(guest);
    }

    /// So many events were sent.
    fn sent(&self) {
        self.metrics.stream_event(self.kind);
    }

    /// It is closed since its client did not read.
    fn slow(&self) {
        self.metrics.stream_dropped(self.kind);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.metrics.stream_closed(self.kind);
    }
}
