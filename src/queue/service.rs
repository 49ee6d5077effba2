//! The use cases of the line: join, ask, leave, and what everybody may know.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use moka::sync::Cache;

use super::draw::service::Draws;
use super::lines::{Line, Lines};
use super::model::{Completed, Ended, Sequence, Stand, Standing, Ticket, TicketView};
use super::redis::JoinReply;
use super::token::{InvalidTicket, TicketKeys};
use super::view::{outdated, view};
use crate::board::service::Boards;
use crate::board::snapshot::Board;
use crate::concert::service::{Catalogue, CatalogueError};
use crate::outbox::model::{Delivered, OutboxId};
use crate::store::id::{ScheduleId, UserId};
use crate::store::{Store, StoreError};
use crate::telemetry::Metrics;

/// Calls per ticket that reach Redis: polls are answered without it while a ticket waits.
const SLOW_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);
const SLOW_BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);
/// Longer than a board's age and a client's pause together.
const REMEMBERED: Duration = Duration::from_mins(2);

/// How long a join waits for a board that knows of it.
const BOARD_WAIT: Duration = Duration::from_secs(1);

/// Why the line did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Forged, expired, of another audience.
    #[error(transparent)]
    Invalid(#[from] InvalidTicket),
    /// The ticket is another user's.
    #[error("the ticket is another user's")]
    NotYours,
    /// No such schedule.
    #[error("no such schedule")]
    NoSchedule,
    /// Before the line opens.
    #[error("the line opens at {opens_at}")]
    NotOpen {
        /// When it does.
        opens_at: DateTime<Utc>,
    },
    /// Past the deadline.
    #[error("the sale is over")]
    Closed,
    /// Every seat is sold or blocked.
    #[error("sold out")]
    SoldOut,
    /// The concert is withdrawn.
    #[error("the concert is withdrawn")]
    ConcertUnavailable,
    /// This ticket asks too often.
    #[error("too many requests")]
    TooMany,
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The line as a service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Queue {
    lines: Lines,
    draws: Draws,
    boards: Boards,
    catalogue: Catalogue,
    keys: Arc<TicketKeys>,
    recent: Cache<(ScheduleId, Sequence), Recent>,
    limiter: Arc<DefaultKeyedRateLimiter<(i64, i64)>>,
    delivered: Delivered,
    metrics: Metrics,
    polls: Arc<AtomicU64>,
}

/// What this process has told of a place lately, so that no answer contradicts it.
#[derive(Debug, Clone, Copy)]
enum Recent {
    /// Final: needs no store again.
    Ended(Ended),
    /// The best place shown. A board may be a moment older than what a script has told.
    Shown(u64, Instant),
}

impl Queue {
    /// Puts the service together.
    #[must_use]
    pub fn new(
        (lines, draws): (Lines, Draws),
        boards: Boards,
        catalogue: Catalogue,
        keys: TicketKeys,
        delivered: Delivered,
        metrics: Metrics,
    ) -> Self {
        let recent = Cache::builder().max_capacity(200_000).time_to_idle(REMEMBERED).build();
        let quota = Quota::per_second(SLOW_PER_SECOND).allow_burst(SLOW_BURST);
        let limiter = Arc::new(RateLimiter::keyed(quota));
        let keys = Arc::new(keys);
        let polls = Arc::default();
        Self { lines, draws, boards, catalogue, keys, recent, limiter, delivered, metrics, polls }
    }

    /// How many polls this process has answered.
    #[must_use]
    pub fn polls(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.polls)
    }

    /// Reads a ticket whose owner calls too.
    pub async fn verify(&self, token: &str, user: UserId) -> Result<Ticket, QueueError> {
        let ticket = self.keys.verify(token)?;
        if ticket.user != user {
            return Err(QueueError::NotYours);
        }
        Ok(self.draws.placed_by(self.boards.get(ticket.schedule), ticket).await?)
    }

    /// Gives `user` the one place they have in the line of `schedule`; true where it is new.
    pub async fn join(
        &self,
        schedule: ScheduleId,
        user: UserId,
    ) -> Result<(TicketView, bool), QueueError> {
        self.limit(schedule, user)?;
        match self.catalogue.schedule(schedule).await {
            // With PostgreSQL away the line goes on: Redis knows the settings.
            Ok(_) | Err(CatalogueError::Store(_)) => {}
            Err(_) => return Err(QueueError::NoSchedule),
        }
        let reply = self.lines.run(schedule, |line| async move { line.join(user).await }).await?;
        let joined = match reply {
            JoinReply::Joined(joined) => joined,
            JoinReply::NotOpen { opens_at } => return Err(QueueError::NotOpen { opens_at }),
            JoinReply::Closed => return Err(QueueError::Closed),
            JoinReply::SoldOut => return Err(QueueError::SoldOut),
            JoinReply::Unavailable => return Err(QueueError::ConcertUnavailable),
        };
        if joined.new {
            self.metrics.joined();
            if matches!(joined.stand.standing, Standing::Active { .. }) {
                self.metrics.admitted(1);
            }
        }
        let board = self.board_of(schedule, joined.stand.sequence).await?;
        let mut stand = self.remember(schedule, joined.stand);
        if !joined.new {
            stand = self.draws.with_joining(schedule, stand, None).await?;
        }
        let mut told = view(&board, schedule, user, stand);
        told.queue_token = Some(self.sign(&board, schedule, user, stand)?);
        Ok((told, joined.new))
    }

    /// What a ticket is worth. While it waits, as far as the board knows, no store is asked.
    pub async fn poll(&self, token: &str) -> Result<TicketView, QueueError> {
        let ticket = self.keys.verify(token)?;
        self.polls.fetch_add(1, Ordering::Relaxed);
        let mut board = self.boards.get(ticket.schedule).await?;
        let ticket = self.draws.placed(&board, ticket).await?;
        let Ticket { schedule, user, sequence, joined, .. } = ticket;
        let recent = self.recent.get(&(schedule, sequence));
        let stand = match (recent, board.line.ahead(sequence.0)) {
            (Some(Recent::Ended(ended)), _) => {
                Stand { sequence, joined, standing: Standing::Ended(ended) }
            }
            (recent, Some(ahead)) => {
                self.boards.watch(schedule).here.mark(sequence.0, Instant::now());
                let ahead = match recent {
                    // A board read before that was told may show an earlier line.
                    Some(Recent::Shown(shown, told)) if board.read_at() <= told => ahead.min(shown),
                    _ => ahead,
                };
                Stand { sequence, joined, standing: Standing::Waiting { ahead } }
            }
            (_, None) => {
                self.limit(schedule, user)?;
                let stand = self.draws.ask(ticket).await?;
                board = self.board_of(schedule, stand.sequence).await?;
                self.remember(schedule, stand)
            }
        };
        let mut told = view(&board, schedule, user, stand);
        if outdated(&board, &ticket, stand) {
            told.queue_token = Some(self.sign(&board, schedule, user, stand)?);
        }
        Ok(told)
    }

    /// Gives a place up. Repeating it changes nothing.
    pub async fn leave(&self, token: &str, user: UserId) -> Result<(), QueueError> {
        let ticket = self.verify(token, user).await?;
        let leave = |line: Line| async move { line.leave(user, ticket.sequence).await };
        let ended = self.lines.run(ticket.schedule, leave).await?;
        self.recent.insert((ticket.schedule, ticket.sequence), Recent::Ended(ended));
        Ok(())
    }

    /// Completes the place that a buyer has paid from, right after the commit that outbox entry
    /// `id` belongs to. A failure is left to the relay.
    pub async fn tell_completed(&self, id: OutboxId, event: &Completed) {
        self.delivered.after(id, self.complete(event)).await;
    }

    /// Completes the place that a buyer has paid from.
    pub async fn complete(&self, event: &Completed) -> Result<(), StoreError> {
        let Completed { schedule, user, sequence } = *event;
        let complete = |line: Line| async move { line.complete(user, sequence).await };
        let ended = self.lines.run(schedule, complete).await?;
        self.recent.insert((schedule, sequence), Recent::Ended(ended));
        Ok(())
    }

    /// The board of a schedule that exists.
    pub async fn board(&self, schedule: ScheduleId) -> Result<Arc<Board>, QueueError> {
        match self.catalogue.schedule(schedule).await {
            Ok(_) | Err(CatalogueError::Store(_)) => Ok(self.boards.get(schedule).await?),
            Err(_) => Err(QueueError::NoSchedule),
        }
    }

    /// Forgets limits that have run full again.
    pub fn tidy(&self) {
        self.limiter.retain_recent();
    }

    /// A board that knows of the epoch that a place is of: the sale may just have been built.
    async fn board_of(
        &self,
        schedule: ScheduleId,
        sequence: Sequence,
    ) -> Result<Arc<Board>, StoreError> {
        let begun = Instant::now();
        loop {
            let board = self.boards.get(schedule).await?;
            if board.meta.deadline_ms > 0 && board.meta.epoch >= sequence.epoch() {
                return Ok(board);
            }
            let left = BOARD_WAIT.saturating_sub(begun.elapsed());
            let watched = self.boards.watch(schedule);
            if tokio::time::timeout(left, watched.changed()).await.is_err() {
                let reason = "the board does not know of the line yet".to_owned();
                return Err(StoreError::Unavailable { store: Store::Redis, reason });
            }
        }
    }

    fn limit(&self, schedule: ScheduleId, user: UserId) -> Result<(), QueueError> {
        self.limiter.check_key(&(schedule.0, user.0)).map_err(|_| QueueError::TooMany)
    }

    /// Notes what is told of a place, and tells no worse than was told before.
    fn remember(&self, schedule: ScheduleId, stand: Stand) -> Stand {
        let key = (schedule, stand.sequence);
        let standing = match (stand.standing, self.recent.get(&key)) {
            (Standing::Waiting { ahead }, Some(Recent::Shown(shown, _))) => {
                Standing::Waiting { ahead: ahead.min(shown) }
            }
            (standing, _) => standing,
        };
        match standing {
            Standing::Waiting { ahead } => {
                self.recent.insert(key, Recent::Shown(ahead, Instant::now()));
            }
            Standing::Ended(ended) => self.recent.insert(key, Recent::Ended(ended)),
            Standing::Active { .. } => {}
        }
        Stand { standing, ..stand }
    }

    fn sign(
        &self,
        board: &Board,
        schedule: ScheduleId,
        user: UserId,
        stand: Stand,
    ) -> Result<String, QueueError> {
        let until = match stand.standing {
            Standing::Active { until } => Some(until),
            _ => None,
        };
        let places = (stand.sequence, stand.joined);
        Ok(self.keys.sign(schedule, user, places, until, board.meta.deadline())?)
    }
}
