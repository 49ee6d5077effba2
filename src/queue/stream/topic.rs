//! All streams of one line, served by one task.
//!
//! It walks over them when the board has changed, in order of their places, and writes to each what
//! is due. Answers of Redis are for one stream each and cost no walk.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::listener::{Listener, Next, Wants};
use super::round::Round;
use crate::http::stream::BATCH;
use crate::http::stream::hub::{Arrival, Arrivals};
use crate::queue::model::Stand;
use crate::queue::service::{Queue, QueueError};
use crate::store::id::ScheduleId;

/// A walk is made this often also where no board was read.
const TICK: Duration = Duration::from_secs(1);
/// Streams that one ticket may have open; one more closes the oldest.
const PER_TICKET: usize = 3;
/// More room than an event takes; what a larger one took is given back.
const SCRATCH: usize = 4096;

/// A place, and a number that rises with every stream of this topic.
type Key = (u64, u64);

/// What Redis said of a stream's ticket. Another may be asked for once this is dropped.
struct Answer {
    key: Key,
    said: Result<Stand, QueueError>,
    _slot: OwnedSemaphorePermit,
}

struct Topic {
    queue: Queue,
    schedule: ScheduleId,
    listeners: BTreeMap<Key, Listener>,
    numbered: u64,
    out: Vec<u8>,
    /// Whom Redis is to be asked for, the front of the line first.
    asking: VecDeque<Key>,
    /// Questions that this process may have under way at a time.
    slots: Arc<Semaphore>,
    answers: mpsc::UnboundedSender<Answer>,
    /// The board of the last walk.
    walked: Option<Instant>,
}

/// Serves the streams that arrive until there are none.
pub(super) async fn serve(
    queue: Queue,
    schedule: ScheduleId,
    slots: Arc<Semaphore>,
    mut arrivals: Arrivals<Wants>,
) {
    // Bounded by the slots.
    let (answers, mut answered) = mpsc::unbounded_channel();
    let mut topic = Topic {
        queue,
        schedule,
        listeners: BTreeMap::new(),
        numbered: 0,
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
            Some(arrival) = arrivals.next() => topic.greet(arrival),
            Some(answer) = answered.recv() => topic.hear(answer),
            () = topic.due(&mut tick) => topic.walk().await,
        }
        topic.ask();
        if topic.listeners.is_empty() && arrivals.end() {
            return;
        }
    }
}

impl Topic {
    /// Returns when there is a board that was not walked by, or it is time anyway.
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

    /// Takes a stream in and tells it what there is to tell.
    fn greet(&mut self, arrival: Arrival<Wants>) {
        // There is a board: the handler has read it.
        let Some(round) = self.round() else {
            return;
        };
        let place = arrival.wants.ticket.sequence.0;
        let open: Vec<Key> =
            self.listeners.range((place, 0)..=(place, u64::MAX)).map(|(key, _)| *key).collect();
        for oldest in open.iter().take((open.len() + 1).saturating_sub(PER_TICKET)) {
            self.listeners.remove(oldest);
        }
        self.numbered += 1;
        let key = (place, self.numbered);
        self.listeners.insert(key, Listener::new(arrival.socket, arrival.wants, &round));
        self.step(key, &round);
    }

    fn hear(&mut self, answer: Answer) {
        let (Some(round), Some(listener)) = (self.round(), self.listeners.get_mut(&answer.key))
        else {
            return;
        };
        listener.hear(answer.said, &round);
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
        let mut gone = Vec::new();
        for (number, (key, listener)) in self.listeners.iter_mut().enumerate() {
            match listener.step(&round, &mut self.out) {
                Ok(Next::Ask) => self.asking.push_back(*key),
                Ok(Next::Nothing) => {}
                Err(_) => gone.push(*key),
            }
            if number % BATCH == BATCH - 1 {
                tokio::task::yield_now().await;
            }
        }
        for key in gone {
            self.listeners.remove(&key);
        }
        self.out.shrink_to(SCRATCH);
    }

    /// Asks Redis for as many as may be under way at a time.
    fn ask(&mut self) {
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
                let said = queue.resolver.ask_redis(&ticket).await.map(|(_, stand)| stand);
                // Nobody waits for it where the topic is over.
                let _ = answers.send(Answer { key, said, _slot: slot });
            });
        }
    }
}
