//! Resolves a ticket to the state of its queue entry: from this process's memory if possible,
//! otherwise from Redis. Polls, streams and admission checks use it. In each round a stream first
//! reads the board alone (`waiting_entry`).

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

use super::draw::service::Draws;
use super::error::QueueError;
use super::model::{Ended, EntryState, QueueEntry, Sequence, Ticket};
use crate::board::service::{Boards, Watched};
use crate::board::snapshot::Board;
use crate::rate_limit::{RateLimitPolicy, RateLimiter};
use crate::store::id::{ScheduleId, UserId};
use crate::store::{Store, StoreError};

/// How long a join waits for a board of the entry's epoch.
const BOARD_WAIT: Duration = Duration::from_secs(1);
/// Calls per user and schedule that reach Redis. Polls of waiting tickets do not.
const REDIS_CALLS: RateLimitPolicy = RateLimitPolicy {
    name: "line",
    quota: NonZeroU32::MIN.saturating_add(19),
    window: Duration::from_secs(4),
};
/// Number of entries whose latest answer is stored.
const MAX_STORED_ANSWERS: usize = 200_000;

/// The latest answer that this process gave about an entry. No later answer may contradict it.
#[derive(Debug, Clone, Copy)]
enum LastAnswer {
    /// Final: no store has to be asked again.
    Ended(Ended),
    /// The best position shown, and when. A board may be older than the answer of a script.
    Waiting(u64, Instant),
}

/// Resolves tickets; cheap to clone.
#[derive(Debug, Clone)]
pub struct TicketResolver {
    boards: Boards,
    draws: Draws,
    answers: Arc<Cache<(ScheduleId, Sequence), LastAnswer>>,
    limiter: Arc<RateLimiter<(i64, i64)>>,
}

/// The state of a ticket's entry, and the board it was compared with.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    pub board: Arc<Board>,
    /// The ticket, at the sequence of its drawn rank after a draw.
    pub ticket: Ticket,
    pub entry: QueueEntry,
    /// Redis gave the state.
    pub from_redis: bool,
}

impl TicketResolver {
    /// Puts the resolver together.
    #[must_use]
    pub fn new(boards: Boards, draws: Draws) -> Self {
        let answers = Arc::new(Cache::new(MAX_STORED_ANSWERS));
        Self { boards, draws, answers, limiter: Arc::new(RateLimiter::new(REDIS_CALLS)) }
    }

    /// Resolves a ticket: from memory if possible, otherwise from Redis. If Redis does not answer,
    /// or the user has reached the rate limit, the board's state is returned where there is one.
    ///
    /// # Errors
    /// [`QueueError`] if only Redis knows the state and it does not answer.
    pub(super) async fn resolve(&self, ticket: Ticket) -> Result<Resolved, QueueError> {
        let watched = self.boards.watch(ticket.schedule);
        let board = Boards::of(&watched).await?;
        let ticket = self.draws.at_drawn_sequence(&board, ticket).await?;
        let in_memory = self.known_entry(&board, &ticket);
        let resolved =
            |entry| Resolved { board: Arc::clone(&board), ticket, entry, from_redis: false };
        if let Some(entry) = in_memory
            && Self::may_answer(&watched, &board, entry)
        {
            return Ok(resolved(entry));
        }
        match (self.ask_redis(&ticket).await, in_memory) {
            (Ok((board, entry)), _) => Ok(Resolved { board, ticket, entry, from_redis: true }),
            (Err(_), Some(entry)) => Ok(resolved(entry)),
            (Err(error), None) => Err(error),
        }
    }

    /// Resolves a waiting ticket without waiting for a store; `None` where more work is needed.
    /// Most polls end here.
    pub(super) fn resolve_waiting(&self, ticket: &Ticket) -> Option<(Arc<Board>, QueueEntry)> {
        let watched = self.boards.watch(ticket.schedule);
        let board = watched.board()?;
        let drawn = ticket.sequence.0 <= board.meta.draw_base;
        let entry = self.known_entry(&board, ticket).filter(|_| !drawn)?;
        let is_waiting = matches!(entry.state, EntryState::Waiting { .. });
        let answers = is_waiting
            && watched.presence.mark(ticket.sequence.0, board.meta.presence(), Instant::now());
        answers.then_some((board, entry))
    }

    /// Whether a ticket waits, as far as the last board shows.
    pub(super) fn is_waiting(&self, ticket: &Ticket) -> bool {
        let board = self.boards.watched(ticket.schedule).and_then(|watched| watched.latest());
        board.is_some_and(|board| board.waiting.ahead(ticket.sequence.0).is_some())
    }

    /// The state of a waiting ticket as the board alone shows it. Streams ask this in every round,
    /// because it needs no shared cache; they ask [`Self::known_entry`] before they send.
    pub(super) fn waiting_entry(board: &Board, ticket: &Ticket) -> Option<QueueEntry> {
        let ahead = board.waiting.ahead(ticket.sequence.0)?;
        Some(QueueEntry { state: EntryState::Waiting { ahead }, ..QueueEntry::of(ticket) })
    }

    /// The state that the board and this process know. Never a worse position than shown before.
    /// `None` where Redis must be asked.
    pub(super) fn known_entry(&self, board: &Board, ticket: &Ticket) -> Option<QueueEntry> {
        let sequence = ticket.sequence;
        if board.meta.removed {
            let state = EntryState::Ended(Ended::Expired);
            return Some(QueueEntry { sequence, joined: ticket.joined, state });
        }
        let last = self.answers.get(&(ticket.schedule, sequence));
        let state = match (last, board.waiting.ahead(sequence.0)) {
            (Some(LastAnswer::Ended(ended)), _) => EntryState::Ended(ended),
            // A board read before that answer may show an earlier queue.
            (Some(LastAnswer::Waiting(shown, at)), Some(ahead)) if board.read_at() <= at => {
                EntryState::Waiting { ahead: ahead.min(shown) }
            }
            (_, Some(ahead)) => EntryState::Waiting { ahead },
            (_, None) => return None,
        };
        Some(QueueEntry { sequence, joined: ticket.joined, state })
    }

    /// Whether a state may be answered from memory. A waiting entry must be marked as present
    /// first, in a way that admission sees before it passes the entry over. While Redis is down
    /// nobody is passed over.
    fn may_answer(watched: &Watched, board: &Board, entry: QueueEntry) -> bool {
        let is_waiting = matches!(entry.state, EntryState::Waiting { .. });
        !is_waiting
            || watched.presence.mark(entry.sequence.0, board.meta.presence(), Instant::now())
            || watched.is_failing()
    }

    /// Asks Redis for the state of a ticket. The script also takes a slot after admission, and
    /// restores what Redis lost. If the drawn rank is all that is missing, the board answers.
    pub(super) async fn ask_redis(
        &self,
        ticket: &Ticket,
    ) -> Result<(Arc<Board>, QueueEntry), QueueError> {
        let board = self.boards.get(ticket.schedule).await?;
        let current = self.draws.at_drawn_sequence(&board, *ticket).await?;
        if current.sequence != ticket.sequence
            && let Some(entry) = self.known_entry(&board, &current)
        {
            return Ok((board, entry));
        }
        let Ticket { schedule, user, .. } = current;
        self.count_redis_call(schedule, user)?;
        let entry = match self.draws.resolve(current).await {
            Err(StoreError::SaleOver) => {
                let ended = EntryState::Ended(Ended::Expired);
                return Ok((board, QueueEntry { state: ended, ..QueueEntry::of(&current) }));
            }
            other => other?,
        };
        let board = self.board_of_epoch(schedule, entry.sequence).await?;
        self.confirm_presence(&board, schedule, entry);
        Ok((board, self.remember(schedule, entry)))
    }

    /// Notes that Redis has just marked a waiting entry as present.
    pub(super) fn confirm_presence(&self, board: &Board, schedule: ScheduleId, entry: QueueEntry) {
        if matches!(entry.state, EntryState::Waiting { .. }) {
            let presence = &self.boards.watch(schedule).presence;
            presence.confirm(entry.sequence.0, board.meta.presence(), Instant::now());
        }
    }

    /// Waits for a board of the epoch of `sequence`: the sale's keys may just have been built.
    pub(super) async fn board_of_epoch(
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
                let reason = "the board does not show the queue yet".to_owned();
                return Err(StoreError::Unavailable { store: Store::Redis, reason });
            }
        }
    }

    /// Counts a call that reaches Redis.
    ///
    /// # Errors
    /// [`QueueError::TooMany`] beyond the rate limit of the user and the schedule.
    pub(super) fn count_redis_call(
        &self,
        schedule: ScheduleId,
        user: UserId,
    ) -> Result<(), QueueError> {
        self.limiter.take(&(schedule.0, user.0)).map(|_| ()).map_err(QueueError::from)
    }

    /// Remembers the state that a client is sent; returns no worse a position than sent before.
    pub(super) fn remember(&self, schedule: ScheduleId, entry: QueueEntry) -> QueueEntry {
        let key = (schedule, entry.sequence);
        let state = match (entry.state, self.answers.get(&key)) {
            (EntryState::Waiting { ahead }, Some(LastAnswer::Waiting(shown, _))) => {
                EntryState::Waiting { ahead: ahead.min(shown) }
            }
            (state, _) => state,
        };
        match state {
            EntryState::Waiting { ahead } => {
                self.answers.insert(key, LastAnswer::Waiting(ahead, Instant::now()));
            }
            EntryState::Ended(ended) => self.remember_end(schedule, entry.sequence, ended),
            EntryState::Active { .. } => {}
        }
        QueueEntry { state, ..entry }
    }

    /// Remembers that an entry ended.
    pub(super) fn remember_end(&self, schedule: ScheduleId, sequence: Sequence, ended: Ended) {
        self.answers.insert((schedule, sequence), LastAnswer::Ended(ended));
    }
}
