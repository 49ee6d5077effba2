//! Serves all streams of one schedule in one task.
//!
//! When the board has changed, the task walks over the streams in order of their sequences, and
//! writes to each the events that are due. A reply of Redis concerns one stream and needs no walk.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::listener::{Listener, Next, Wants};
use super::round::Round;
use crate::http::stream::BATCH;
use crate::http::stream::hub::{Arrival, Arrivals};
use crate::queue::model::QueueEntry;
use crate::queue::service::{QueueError, WaitingRoom};
use crate::store::id::ScheduleId;

/// Interval of walks while no new board is read.
const TICK: Duration = Duration::from_secs(1);
/// Maximum number of open streams per ticket; one more closes the oldest.
const PER_TICKET: usize = 3;
/// Capacity of the write buffer in bytes, above the size of an event. After a larger event the
/// buffer shrinks back.
const SCRATCH: usize = 4096;

/// A sequence, and a number that rises with every stream of this topic.
type Key = (u64, u64);

/// The state of a stream's ticket from Redis. Dropping it allows the next Redis call.
struct Answer {
    key: Key,
    entry: Result<QueueEntry, QueueError>,
    _slot: OwnedSemaphorePermit,
}

struct Topic {
    queue: WaitingRoom,
    schedule: ScheduleId,
    listeners: BTreeMap<Key, Listener>,
    /// Number of streams so far.
    count: u64,
    out: Vec<u8>,
    /// The streams that wait for a Redis call, the front of the queue first.
    asking: VecDeque<Key>,
    /// Permits for Redis calls of this process's streams.
    slots: Arc<Semaphore>,
    answers: mpsc::UnboundedSender<Answer>,
    /// When the board of the last walk was read.
    walked: Option<Instant>,
}

/// Serves the streams that arrive, until none is left.
pub(super) async fn serve(
    queue: WaitingRoom,
    schedule: ScheduleId,
    slots: Arc<Semaphore>,
    mut arrivals: Arrivals<Wants>,
) {
    // Bounded by the permits.
    let (answers, mut answered) = mpsc::unbounded_channel();
    let mut topic = Topic {
        queue,
        schedule,
        listeners: BTreeMap::new(),
        count: 0,
        out: Vec::with_capacity(SCRATCH),
        asking: VecDeque::new(),
        slots,
        answers,
        walked: None,
    };
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            Some(arrival) = arrivals.next() => topic.add(arrival),
            Some(answer) = answered.recv() => topic.take_answer(answer),
            () = topic.due(&mut tick) => topic.walk().await,
        }
        topic.start_calls();
        if topic.listeners.is_empty() && arrivals.end() {
            return;
        }
    }
}

impl Topic {
    /// Returns when there is a new board, or at the next tick.
    async fn due(&self, tick: &mut Interval) {
        let watched = self.queue.boards.watch(self.schedule);
        if watched.board().is_some_and(|board| self.walked.is_none_or(|at| at < board.read_at())) {
            return;
        }
        tokio::select! {
            () = watched.changed() => {}
            _ = tick.tick() => {}
        }
    }

    fn round(&self) -> Option<Round> {
        Round::new(&self.queue, self.queue.boards.watch(self.schedule))
    }

    /// Adds a stream, and writes its first events.
    fn add(&mut self, arrival: Arrival<Wants>) {
        // There is a board: the handler has waited for it.
        let Some(round) = self.round() else {
            return;
        };
        let sequence = arrival.wants.ticket.sequence.0;
        let open = self.listeners.range((sequence, 0)..=(sequence, u64::MAX));
        let open: Vec<Key> = open.map(|(key, _)| *key).collect();
        for oldest in open.iter().take((open.len() + 1).saturating_sub(PER_TICKET)) {
            self.listeners.remove(oldest);
        }
        self.count += 1;
        let key = (sequence, self.count);
        self.listeners.insert(key, Listener::new(arrival.socket, arrival.wants, &round));
        self.step(key, &round);
    }

    fn take_answer(&mut self, answer: Answer) {
        let (Some(round), Some(listener)) = (self.round(), self.listeners.get_mut(&answer.key))
        else {
            return;
        };
        listener.take_answer(answer.entry, &round);
        self.step(answer.key, &round);
    }

    fn step(&mut self, key: Key, round: &Round) {
        match self.listeners.get_mut(&key).map(|listener| listener.step(round, &mut self.out)) {
            Some(Ok(Next::Ask)) => self.asking.push_back(key),
            Some(Err(_)) => drop(self.listeners.remove(&key)),
            Some(Ok(Next::Nothing)) | None => {}
        }
    }

    async fn walk(&mut self) {
        let Some(round) = self.round() else {
            return;
        };
        self.walked = Some(round.board.read_at());
        let mut closed = Vec::new();
        for (number, (key, listener)) in self.listeners.iter_mut().enumerate() {
            match listener.step(&round, &mut self.out) {
                Ok(Next::Ask) => self.asking.push_back(*key),
                Ok(Next::Nothing) => {}
                Err(_) => closed.push(*key),
            }
            if number % BATCH == BATCH - 1 {
                tokio::task::yield_now().await;
            }
        }
        for key in closed {
            self.listeners.remove(&key);
        }
        self.out.shrink_to(SCRATCH);
    }

    /// Starts Redis calls for waiting streams, as many as there are permits.
    fn start_calls(&mut self) {
        while !self.asking.is_empty()
            && let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned()
        {
            let Some(key) = self.asking.pop_front() else {
                return;
            };
            let Some(ticket) = self.listeners.get(&key).map(Listener::ticket) else {
                continue;
            };
            let (queue, answers) = (self.queue.clone(), self.answers.clone());
            tokio::spawn(async move {
                let entry = queue.resolver.ask_redis(&ticket).await.map(|(_, entry)| entry);
                // The topic may have ended.
                let _ = answers.send(Answer { key, entry, _slot: slot });
            });
        }
    }
}
