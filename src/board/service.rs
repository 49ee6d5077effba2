//! The boards of this process: read while anybody asks, dropped a minute after nobody does.

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

/// Between two readings of one schedule, at least; longer where reading takes long.
const PAUSE: Duration = Duration::from_millis(200);
/// A reading may take this part of the time: a large line is read less often, never over 1 s apart.
const DUTY: u32 = 20;
const LONGEST_PAUSE: Duration = Duration::from_millis(900);
/// A board that nobody asked for is dropped.
const FORGET_AFTER: Duration = Duration::from_mins(1);
/// How long a first reading is waited for.
const FIRST_WAIT: Duration = Duration::from_millis(1500);

/// All boards of this process; cheap to clone.
#[derive(Debug, Clone)]
pub struct Boards {
    redis: Redis,
    /// Read by every poll, changed when a schedule is first asked about or forgotten.
    watched: Arc<ArcSwap<HashMap<ScheduleId, Arc<Watched>>>>,
    begun: Instant,
    /// Polls per second that one line may cause here.
    polls_per_second: u32,
}

/// A schedule that is being watched.
#[derive(Debug)]
pub struct Watched {
    board: ArcSwapOption<Board>,
    /// Who was heard from, to be merged into Redis.
    pub presence: Presence,
    /// Seconds after `Boards::begun`.
    asked: AtomicU64,
    /// The last failure, until a reading succeeds; changes after every reading.
    state: watch::Sender<Option<String>>,
}

impl Boards {
    /// No boards yet. The pauses that clients are told keep one line's polls below
    /// `polls_per_second`, as far as nobody's turn goes by unnoticed.
    #[must_use]
    pub fn new(redis: Redis, polls_per_second: u32) -> Self {
        Self { redis, watched: Arc::default(), begun: Instant::now(), polls_per_second }
    }

    /// The latest snapshot of a schedule. The first call for it waits for the first reading; later
    /// ones cost no call to Redis, and go on being answered from the last reading while it is down.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where there has been no reading yet.
    pub async fn get(&self, schedule: ScheduleId) -> Result<Arc<Board>, StoreError> {
        Self::of(&self.watch(schedule)).await
    }

    /// As [`Boards::get`], of a watch.
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
                let reason = "the first reading of a board takes too long".to_owned();
                Err(StoreError::Unavailable { store: Store::Redis, reason })
            }
        }
    }

    /// The watch of a schedule; begins one where there is none.
    #[must_use]
    pub fn watch(&self, schedule: ScheduleId) -> Arc<Watched> {
        let now = self.begun.elapsed().as_secs();
        if let Some(watched) = self.watched.load().get(&schedule) {
            // Written once a second at most: the line of cache is every poll's.
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
        // Another call may have begun one meanwhile.
        if let Some(watched) = before.get(&schedule) {
            return Arc::clone(watched);
        }
        tokio::spawn(self.clone().keep_reading(schedule, Arc::clone(&new)));
        new
    }

    /// The watch of a schedule, where there is one.
    #[must_use]
    pub fn watched(&self, schedule: ScheduleId) -> Option<Arc<Watched>> {
        self.watched.load().get(&schedule).map(Arc::clone)
    }

    /// Every schedule that is being watched, with its board.
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
                    tracing::debug!(%schedule, %error, "a board could not be read");
                    watched.state.send_replace(Some(error.to_string()));
                }
            }
            let pause = (begun.elapsed() * DUTY).clamp(PAUSE, LONGEST_PAUSE);
            tokio::time::sleep(pause).await;
            let idle = self.begun.elapsed().as_secs() - watched.asked.load(Ordering::Relaxed);
            if idle > FORGET_AFTER.as_secs() {
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
    /// The latest snapshot, if one was read.
    #[must_use]
    pub fn board(&self) -> Option<Arc<Board>> {
        self.board.load_full()
    }

    /// Whether the last reading failed.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.state.borrow().is_some()
    }

    /// Waits until the next reading.
    pub async fn changed(&self) {
        // The sender lives as long as this does.
        let _ = self.state.subscribe().changed().await;
    }
}
