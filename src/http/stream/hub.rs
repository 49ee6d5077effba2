//! Who serves which stream: one task per topic, begun with its first stream and ended after its
//! last.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::BATCH;
use super::socket::{Gone, Socket};
use crate::store::id::ScheduleId;

/// A stream that has just begun, and what its topic has to know of it.
#[derive(Debug)]
pub struct Arrival<N> {
    /// Its socket; the head of the answer is sent.
    pub socket: Socket,
    /// What it is to be told.
    pub wants: N,
}

/// The topics of one kind of stream, one per schedule; cheap to clone.
#[derive(Debug)]
pub struct Hub<N> {
    topics: Arc<Mutex<HashMap<ScheduleId, mpsc::UnboundedSender<Arrival<N>>>>>,
}

/// A topic's end of its arrivals.
#[derive(Debug)]
pub struct Arrivals<N> {
    hub: Hub<N>,
    schedule: ScheduleId,
    /// Bounded by the streams that a process may have open.
    queue: mpsc::UnboundedReceiver<Arrival<N>>,
}

impl<N> Hub<N> {
    /// Hands a stream to its topic; `begin` starts the topic's task where there is none.
    pub fn enter(
        &self,
        schedule: ScheduleId,
        arrival: Arrival<N>,
        begin: impl FnOnce(Arrivals<N>),
    ) {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let left = match topics.get(&schedule) {
            Some(topic) => topic.send(arrival).err().map(|refused| refused.0),
            None => Some(arrival),
        };
        if let Some(arrival) = left {
            let (topic, queue) = mpsc::unbounded_channel();
            // The receiver is at hand.
            let _ = topic.send(arrival);
            topics.insert(schedule, topic);
            begin(Arrivals { hub: self.clone(), schedule, queue });
        }
    }
}

impl<N> Arrivals<N> {
    /// The next stream; waits for it.
    pub async fn next(&mut self) -> Option<Arrival<N>> {
        self.queue.recv().await
    }

    /// The next stream, where one has come.
    pub fn take(&mut self) -> Option<Arrival<N>> {
        self.queue.try_recv().ok()
    }

    /// For a topic without streams: true where it is over. None can come in between.
    pub fn end(&mut self) -> bool {
        let mut topics = self.hub.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let over = self.queue.is_empty();
        if over {
            topics.remove(&self.schedule);
        }
        over
    }
}

/// Has every follower take a step, and lets those go that are over; lets others run in between.
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
