//! Streams of server-sent events, without a task, a timer or a buffer per stream.
//!
//! A handler answers with [`takeover::Takeover`]. The connection then leaves hyper: its socket goes
//! to a [`hub`], in which one task per topic writes to all sockets of that topic. An idle stream
//! costs only its socket and its entry in a list.
//!
//! The operators' consoles are few: their streams are ordinary answers of axum ([`response`]).

pub mod event;
pub mod hub;
pub mod response;
pub mod socket;
pub mod takeover;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::api::problem::Problem;
use super::limit::connections::ConnectionPermit;
use super::server::drain::Drain;
use crate::telemetry::Metrics;

/// Number of streams that a task serves before it yields to other tasks.
pub const BATCH: usize = 256;

/// Limits the number of streams of this process and runs their tasks; cheap to clone.
#[derive(Debug, Clone)]
pub struct Streams {
    slots: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: CancellationToken,
    drain: Drain,
    /// Number of streams so far: spreads their ends over the time in which the process drains.
    opened: Arc<AtomicU8>,
    metrics: Metrics,
}

/// Counts one stream as open until it is dropped.
#[derive(Debug)]
pub struct Open {
    kind: &'static str,
    metrics: Metrics,
    drain: Drain,
    number: u8,
    _slot: OwnedSemaphorePermit,
    /// Counts the connection as open; set when the connection is handed over.
    connection: Option<ConnectionPermit>,
}

impl Streams {
    /// Allows `max` streams at a time; their tasks belong to `tasks` and end with `stop`. While the
    /// process drains, streams close one after the other.
    #[must_use]
    pub fn new(
        max: usize,
        tasks: TaskTracker,
        stop: CancellationToken,
        drain: Drain,
        metrics: Metrics,
    ) -> Self {
        let slots = Arc::new(Semaphore::new(max));
        Self { slots, tasks, stop, drain, opened: Arc::default(), metrics }
    }

    /// Counts one more stream of a kind (`ticket`, `seats`, `stats`).
    ///
    /// # Errors
    /// `503 overloaded` if the limit is reached, or the process drains.
    pub fn open(&self, kind: &'static str) -> Result<Open, Problem> {
        if self.stop.is_cancelled() || self.drain.has_begun() {
            return Err(Problem::overloaded());
        }
        let slot = Arc::clone(&self.slots).try_acquire_owned();
        let slot = slot.map_err(|_| Problem::overloaded())?;
        self.metrics.stream_opened(kind);
        let (metrics, drain) = (self.metrics.clone(), self.drain.clone());
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        Ok(Open { kind, metrics, drain, number, _slot: slot, connection: None })
    }

    /// Runs a topic's task until it ends or the process drains. Dropping the task closes its
    /// sockets.
    pub fn spawn(&self, topic: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move { stop.run_until_cancelled(topic).await });
    }
}

impl Open {
    /// Counts the connection as open for as long as the stream.
    fn keep(&mut self, connection: ConnectionPermit) {
        self.connection = Some(connection);
    }

    /// Whether the stream is to close, since the process drains.
    fn must_close(&self, now: Instant) -> bool {
        self.drain.closes(self.number, now)
    }

    /// Counts an event that was sent, or given to hyper.
    fn sent(&self) {
        self.metrics.stream_event(self.kind);
    }

    /// Counts a stream that is closed because its client does not read.
    fn slow(&self) {
        self.metrics.stream_dropped(self.kind);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.metrics.stream_closed(self.kind);
    }
}
