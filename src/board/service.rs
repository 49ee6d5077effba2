//! The boards of this process. A board is read again and again while clients ask for it. After three
//! seconds without a request it is asleep: the next request waits for a new read. After a minute
//! asleep it is dropped.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::{Notify, watch};

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
/// A board without a request for this long is not read until the next one.
const SLEEP_AFTER: Duration = Duration::from_secs(3);
/// A board that is asleep for this long is dropped.
const DROP_AFTER: Duration = Duration::from_mins(1);
/// The pause when a caller needs a board that is newer than the last one: [`EARLY_FACTOR`] times as
/// long as the read took, and at least this.
const EARLY_PAUSE: Duration = Duration::from_millis(50);
const EARLY_FACTOR: u32 = 4;
/// How long a request waits for the first read, or for a newer one.
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
    /// The board is not read, and outdated.
    asleep: AtomicBool,
    /// The error of the last read, `None` if it succeeded. Sent after every read.
    state: watch::Sender<Option<String>>,
    /// Notified by a caller that needs a newer board.
    wanted: Notify,
}

impl Boards {
    /// Starts without boards. Poll intervals keep the polls of one queue at this process below
    /// `polls_per_second`, as long as no client learns of its turn too late ([`onsale_model::pacing`]).
    #[must_use]
    pub fn new(redis: Redis, polls_per_second: u32) -> Self {
        Self { redis, watched: Arc::default(), begun: Instant::now(), polls_per_second }
    }

    /// The latest snapshot of a schedule. The first call, and the first after a time without calls,
    /// waits for a read. Other calls do not wait. While Redis is down, the last snapshot is returned.
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
        // The read may have ended before the subscription.
        if let Some(board) = watched.board() {
            return Ok(board);
        }
        let read = tokio::time::timeout(FIRST_WAIT, state.changed()).await;
        match (watched.latest(), read) {
            (Some(board), _) => Ok(board),
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

    /// A snapshot whose read began after `moment`. All callers share the reads.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the next read fails, or takes too long.
    pub async fn newer_than(
        &self,
        schedule: ScheduleId,
        moment: Instant,
    ) -> Result<Arc<Board>, StoreError> {
        let unavailable = |reason| StoreError::Unavailable { store: Store::Redis, reason };
        let watched = self.watch(schedule);
        let mut state = watched.state.subscribe();
        let read = async {
            loop {
                if let Some(board) = watched.board().filter(|board| board.begun_at() > moment) {
                    return Ok(board);
                }
                watched.wanted.notify_one();
                // The sender lives as long as `watched`.
                let _ = state.changed().await;
                if let Some(reason) = state.borrow_and_update().clone() {
                    return Err(unavailable(reason));
                }
            }
        };
        let read = tokio::time::timeout(FIRST_WAIT, read).await;
        read.unwrap_or_else(|_| Err(unavailable("reading the board takes too long".to_owned())))
    }

    /// The watched schedule; starts to watch it if it is not watched yet.
    #[must_use]
    pub fn watch(&self, schedule: ScheduleId) -> Arc<Watched> {
        let now = self.begun.elapsed().as_secs();
        if let Some(watched) = self.watched.load().get(&schedule) {
            // Written at most once a second: all polls share this cache line.
            if watched.asked.load(Ordering::Relaxed) != now {
                // Before `asleep` is read: `keep_reading` writes and reads them in the other order.
                watched.asked.store(now, Ordering::SeqCst);
                if watched.asleep.load(Ordering::SeqCst) {
                    watched.wanted.notify_one();
                }
            }
            return Arc::clone(watched);
        }
        let new = Arc::new(Watched {
            board: ArcSwapOption::empty(),
            presence: Presence::default(),
            asked: AtomicU64::new(now),
            asleep: AtomicBool::new(false),
            state: watch::Sender::new(None),
            wanted: Notify::new(),
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
                    watched.asleep.store(false, Ordering::SeqCst);
                    watched.state.send_replace(None);
                }
                Err(error) => {
                    tracing::debug!(%schedule, %error, "reading the board failed");
                    watched.asleep.store(false, Ordering::SeqCst);
                    watched.state.send_replace(Some(error.to_string()));
                }
            }
            let took = begun.elapsed();
            let pause = (took * PAUSE_FACTOR).clamp(PAUSE, LONGEST_PAUSE);
            let early = (took * EARLY_FACTOR).clamp(EARLY_PAUSE, pause);
            tokio::time::sleep(early).await;
            // Times out if no caller needs a newer board meanwhile.
            let _ =
                tokio::time::timeout(pause.saturating_sub(early), watched.wanted.notified()).await;
            if !self.sleep(schedule, &watched).await {
                return;
            }
        }
    }

    /// If nobody asks for the board, waits until somebody does. Returns false if it was dropped.
    async fn sleep(&self, schedule: ScheduleId, watched: &Arc<Watched>) -> bool {
        if !self.is_idle(watched) {
            return true;
        }
        watched.asleep.store(true, Ordering::SeqCst);
        // A request from just before that does not notify.
        if !self.is_idle(watched)
            || tokio::time::timeout(DROP_AFTER, watched.wanted.notified()).await.is_ok()
        {
            return true;
        }
        self.watched.rcu(|all| {
            let mut all = HashMap::clone(all);
            if all.get(&schedule).is_some_and(|it| Arc::ptr_eq(it, watched)) {
                all.remove(&schedule);
            }
            all
        });
        // A request may have found the board before it was dropped, and wait for a read.
        !self.is_idle(watched)
    }

    fn is_idle(&self, watched: &Watched) -> bool {
        let asked = watched.asked.load(Ordering::SeqCst);
        self.begun.elapsed().as_secs().saturating_sub(asked) > SLEEP_AFTER.as_secs()
    }
}

impl Watched {
    /// The latest snapshot; `None` before the first read, and while the board is asleep.
    #[must_use]
    pub fn board(&self) -> Option<Arc<Board>> {
        if self.is_asleep() { None } else { self.latest() }
    }

    /// The latest snapshot, even one that is outdated; `None` before the first read.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<Board>> {
        self.board.load_full()
    }

    /// Whether the board is not read, because nobody asked for it lately.
    #[must_use]
    pub fn is_asleep(&self) -> bool {
        self.asleep.load(Ordering::Acquire)
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
