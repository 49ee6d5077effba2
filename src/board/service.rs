//! The boards of this process. A board is read again and again while clients ask for it, and
//! dropped after a minute without a request.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::watch;

use super::presence::Presence;
use super::snapshot::Board;
use crate::store::id::ScheduleId;
use crate::store::redis::Redis;
use crate::store::{Store, StoreError};

/// Shortest pause between two reads of one schedule.
const PAUSE: Duration = Duration::from_millis(200);
/// The pause is this many times as long as the read took, within the bounds: a large queue is read
/// less often.
const PAUSE_FACTOR: u32 = 20;
const LONGEST_PAUSE: Duration = Duration::from_millis(900);
/// A board without a request for this long is dropped.
const DROP_AFTER: Duration = Duration::from_mins(1);
/// How long a request waits for the first read.
const FIRST_WAIT: Duration = Duration::from_millis(1500);

/// All boards of this process; cheap to clone.
#[derive(Debug, Clone)]
pub struct Boards {
    redis: Redis,
    /// Every poll reads it. It changes when a schedule is first asked for, and when one is dropped.
    watched: Arc<ArcSwap<HashMap<ScheduleId, Arc<Watched>>>>,
    begun: Instant,
    /// Ceiling for polls per second of one queue at this process.
    polls_per_second: u32,
}

/// A schedule whose board is read, with its latest board.
#[derive(Debug)]
pub struct Watched {
    board: ArcSwapOption<Board>,
    /// The entries that polled at this process, to be merged into Redis.
    pub presence: Presence,
    /// Time of the last request, in seconds after `Boards::begun`.
    asked: AtomicU64,
    /// The error of the last read, `None` if it succeeded. Sent after every read.
    state: watch::Sender<Option<String>>,
}

impl Boards {
    /// Starts without boards. Poll intervals keep the polls of one queue at this process below
    /// `polls_per_second`, as long as no client learns of its turn too late ([`super::pacing`]).
    #[must_use]
    pub fn new(redis: Redis, polls_per_second: u32) -> Self {
        Self { redis, watched: Arc::default(), begun: Instant::now(), polls_per_second }
    }

    /// The latest snapshot of a schedule. The first call waits for the first read. Later calls do
    /// not call Redis; while Redis is down they return the last snapshot.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if no read has succeeded yet.
    pub async fn get(&self, schedule: ScheduleId) -> Result<Arc<Board>, StoreError> {
        Self::of(&self.watch(schedule)).await
    }

    /// As [`Boards::get`], for a schedule that is already watched.
    pub async fn of(watched: &Watched) -> Result<Arc<Board>, StoreError> {
        if let Some(board) = watched.board() {
            return Ok(board);
        }
        let mut state = watched.state.subscribe();
        let read = tokio::time::timeout(FIRST_WAIT, state.changed()).await;
        match (&*watched.board.load(), read) {
            (Some(board), _) => Ok(Arc::clone(board)),
            (None, Ok(_)) => {
                let reason = state.borrow().clone().unwrap_or_default();
                Err(StoreError::Unavailable { store: Store::Redis, reason })
            }
            (None, Err(_)) => {
                let reason = "reading the first board takes too long".to_owned();
                Err(StoreError::Unavailable { store: Store::Redis, reason })
            }
        }
    }

    /// The watched schedule; starts to watch it if it is not watched yet.
    #[must_use]
    pub fn watch(&self, schedule: ScheduleId) -> Arc<Watched> {
        let now = self.begun.elapsed().as_secs();
        if let Some(watched) = self.watched.load().get(&schedule) {
            // Written at most once a second: all polls share this cache line.
            if watched.asked.load(Ordering::Relaxed) != now {
                watched.asked.store(now, Ordering::Relaxed);
            }
            return Arc::clone(watched);
        }
        let new = Arc::new(Watched {
            board: ArcSwapOption::empty(),
            presence: Presence::default(),
            asked: AtomicU64::new(now),
            state: watch::Sender::new(None),
        });
        let before = self.watched.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.entry(schedule).or_insert_with(|| Arc::clone(&new));
            all
        });
        // Another call may have added it meanwhile.
        if let Some(watched) = before.get(&schedule) {
            return Arc::clone(watched);
        }
        tokio::spawn(self.clone().keep_reading(schedule, Arc::clone(&new)));
        new
    }

    /// The watched schedule, if it is watched.
    #[must_use]
    pub fn watched(&self, schedule: ScheduleId) -> Option<Arc<Watched>> {
        self.watched.load().get(&schedule).map(Arc::clone)
    }

    /// Every watched schedule.
    #[must_use]
    pub fn all(&self) -> Vec<(ScheduleId, Arc<Watched>)> {
        let all = self.watched.load();
        all.iter().map(|(schedule, watched)| (*schedule, Arc::clone(watched))).collect()
    }

    async fn keep_reading(self, schedule: ScheduleId, watched: Arc<Watched>) {
        loop {
            let begun = Instant::now();
            let last = watched.board.load_full();
            match Board::read(&self.redis, schedule, last.as_deref()).await {
                Ok(board) => {
                    let board = board.paced(self.polls_per_second);
                    watched.board.store(Some(Arc::new(board)));
                    watched.state.send_replace(None);
                }
                Err(error) => {
                    tracing::debug!(%schedule, %error, "reading the board failed");
                    watched.state.send_replace(Some(error.to_string()));
                }
            }
            let pause = (begun.elapsed() * PAUSE_FACTOR).clamp(PAUSE, LONGEST_PAUSE);
            tokio::time::sleep(pause).await;
            let idle = self.begun.elapsed().as_secs() - watched.asked.load(Ordering::Relaxed);
            if idle > DROP_AFTER.as_secs() {
                self.watched.rcu(|all| {
                    let mut all = HashMap::clone(all);
                    all.remove(&schedule);
                    all
                });
                return;
            }
        }
    }
}

impl Watched {
    /// The latest snapshot; `None` before the first read.
    #[must_use]
    pub fn board(&self) -> Option<Arc<Board>> {
        self.board.load_full()
    }

    /// Whether the last read failed.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.state.borrow().is_some()
    }

    /// Waits for the next read.
    pub async fn changed(&self) {
        // The sender lives as long as `self`.
        let _ = self.state.subscribe().changed().await;
    }
}
