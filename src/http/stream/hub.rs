//! Hands each stream to the task of its topic. A topic's task starts with its first stream and ends
//! after its last.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::BATCH;
use super::socket::{Gone, Socket};
use crate::store::id::ScheduleId;

/// A stream that has just begun, on its way to its topic.
#[derive(Debug)]
pub struct Arrival<N> {
    /// Its socket; the head of the answer is sent.
    pub socket: Socket,
    /// What the topic has to send to this client.
    pub wants: N,
}

/// The topics of one kind of stream, one per schedule; cheap to clone.
#[derive(Debug)]
pub struct Hub<N> {
    topics: Arc<Mutex<HashMap<ScheduleId, mpsc::UnboundedSender<Arrival<N>>>>>,
}

/// The receiving end of a topic: its new streams.
#[derive(Debug)]
pub struct Arrivals<N> {
    hub: Hub<N>,
    schedule: ScheduleId,
    /// Unbounded, but never longer than the number of streams that a process may have open.
    queue: mpsc::UnboundedReceiver<Arrival<N>>,
}

impl<N> Hub<N> {
    /// Hands a stream to its topic; `begin` starts the topic's task if none runs.
    pub fn enter(
        &self,
        schedule: ScheduleId,
        arrival: Arrival<N>,
        begin: impl FnOnce(Arrivals<N>),
    ) {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let undelivered = match topics.get(&schedule) {
            Some(topic) => topic.send(arrival).err().map(|refused| refused.0),
            None => Some(arrival),
        };
        if let Some(arrival) = undelivered {
            let (topic, queue) = mpsc::unbounded_channel();
            // This cannot fail: the receiver is still in scope.
            let _ = topic.send(arrival);
            topics.insert(schedule, topic);
            begin(Arrivals { hub: self.clone(), schedule, queue });
        }
    }
}

impl<N> Arrivals<N> {
    /// Waits for the next stream.
    pub async fn next(&mut self) -> Option<Arrival<N>> {
        self.queue.recv().await
    }

    /// The next stream, if one has arrived.
    pub fn take(&mut self) -> Option<Arrival<N>> {
        self.queue.try_recv().ok()
    }

    /// Ends a topic that has no streams left, unless a new one has arrived; returns whether it has
    /// ended. The lock keeps new streams out between the check and the end.
    pub fn end(&mut self) -> bool {
        let mut topics = self.hub.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = self.queue.is_empty();
        if ended {
            topics.remove(&self.schedule);
        }
        ended
    }
}

/// Runs one step for every follower, and removes those whose stream has ended. Yields to other
/// tasks after every [`BATCH`] steps.
pub async fn walk<F>(followers: &mut Vec<F>, mut step: impl FnMut(&mut F) -> Result<(), Gone>) {
    let (mut at, mut steps) = (0, 0);
    while let Some(follower) = followers.get_mut(at) {
        if step(follower).is_ok() {
            at += 1;
        } else {
            followers.swap_remove(at);
        }
        steps += 1;
        if steps % BATCH == 0 {
            tokio::task::yield_now().await;
        }
    }
}

impl<N> Default for Hub<N> {
    fn default() -> Self {
        Self { topics: Arc::default() }
    }
}

impl<N> Clone for Hub<N> {
    fn clone(&self) -> Self {
        Self { topics: Arc::clone(&self.topics) }
    }
}
