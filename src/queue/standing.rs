//! Where a ticket stands: the question behind a poll and a stream.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::model::{Ended, Sequence, Stand, Standing, Ticket, TicketView, ticket_id};
use super::service::{Queue, QueueError};
use super::view::{outdated, view};
use crate::board::service::Watched;
use crate::board::snapshot::Board;
use crate::store::id::{ScheduleId, UserId};
use crate::store::{Store, StoreError};

/// How long a join waits for a board that knows of it.
const BOARD_WAIT: Duration = Duration::from_secs(1);

/// What this process has told of a place lately, so that no answer contradicts it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Recent {
    /// Final: needs no store again.
    Ended(Ended),
    /// The best place shown. A board may be a moment older than what a script has told.
    Shown(u64, Instant),
}

impl Queue {
    /// Where a ticket stands as far as the board and this process know, and no worse than was told
    /// before; nothing where Redis must be asked.
    pub(super) fn known(&self, board: &Board, ticket: &Ticket) -> Option<Stand> {
        let sequence = ticket.sequence;
        let recent = self.recent.get(&(ticket.schedule, sequence));
        let standing = match (recent, board.line.ahead(sequence.0)) {
            (Some(Recent::Ended(ended)), _) => Standing::Ended(ended),
            // A board read before that was told may show an earlier line.
            (Some(Recent::Shown(shown, told)), Some(ahead)) if board.read_at() <= told => {
                Standing::Waiting { ahead: ahead.min(shown) }
            }
            (_, Some(ahead)) => Standing::Waiting { ahead },
            (_, None) => return None,
        };
        Some(Stand { sequence, joined: ticket.joined, standing })
    }

    /// Whether a ticket is good and waits, as far as the board knows.
    pub(super) fn is_waiting(&self, token: &str) -> bool {
        let waits = |ticket: Ticket| {
            let board = self.boards.watched(ticket.schedule)?.board()?;
            board.line.ahead(ticket.sequence.0)
        };
        self.read(token).is_ok_and(|ticket| waits(ticket).is_some())
    }

    /// Whether the owner of an entry may be answered from memory: admission knows of an entry that
    /// waits, or will before it passes it over. While Redis is away nobody is passed over.
    pub(super) fn may_answer(watched: &Watched, board: &Board, stand: Stand) -> bool {
        let waits = matches!(stand.standing, Standing::Waiting { .. });
        let window = board.meta.presence();
        !waits
            || watched.presence.mark(stand.sequence.0, window, Instant::now())
            || watched.is_failing()
    }

    /// Notes that Redis has just heard from somebody who waits.
    pub(super) fn confirm_presence(&self, board: &Board, schedule: ScheduleId, stand: Stand) {
        if matches!(stand.standing, Standing::Waiting { .. }) {
            let presence = &self.boards.watch(schedule).presence;
            presence.confirm(stand.sequence.0, board.meta.presence(), Instant::now());
        }
    }

    /// Asks Redis where a ticket stands, which claims a slot and puts back what was lost; but not
    /// where all there is to know is the place that was drawn for it.
    pub(super) async fn ask(&self, ticket: &Ticket) -> Result<(Arc<Board>, Stand), QueueError> {
        let board = self.boards.get(ticket.schedule).await?;
        let placed = self.draws.placed(&board, *ticket).await?;
        if placed.sequence != ticket.sequence
            && let Some(stand) = self.known(&board, &placed)
        {
            return Ok((board, stand));
        }
        let Ticket { schedule, user, .. } = placed;
        self.limit(schedule, user)?;
        let stand = self.draws.ask(placed).await?;
        let board = self.board_of(schedule, stand.sequence).await?;
        self.confirm_presence(&board, schedule, stand);
        Ok((board, self.remember(schedule, stand)))
    }

    /// Whether Redis was rebuilt since the place of a ticket was given out, and may not know of it yet.
    #[must_use]
    pub fn predates_rebuild(&self, ticket: &Ticket) -> bool {
        ticket.sequence.epoch() < self.lines.epoch(ticket.schedule)
    }

    /// Whether a ticket is of somebody inside: puts back what was lost, as asking does.
    pub async fn is_inside(&self, ticket: &Ticket) -> Result<bool, QueueError> {
        let board = self.boards.get(ticket.schedule).await?;
        let stand = match self.known(&board, ticket) {
            Some(stand) => stand,
            None => self.ask(ticket).await?.1,
        };
        Ok(matches!(stand.standing, Standing::Active { .. }))
    }

    /// What a ticket's owner is told, with a new ticket where theirs is outdated.
    pub(super) fn tell(
        &self,
        board: &Board,
        ticket: &Ticket,
        stand: Stand,
    ) -> Result<TicketView, QueueError> {
        let same = stand.joined == ticket.joined;
        let anew = || ticket_id(ticket.schedule, ticket.user, stand.joined);
        let id = if same { ticket.id } else { anew() };
        let mut told = view(board, ticket.schedule, id, stand);
        if outdated(board, ticket, stand) {
            told.queue_token = Some(self.sign(board, ticket.schedule, ticket.user, stand)?);
        }
        Ok(told)
    }

    /// A board that knows of the epoch that a place is of: the sale may just have been built.
    pub(super) async fn board_of(
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

    pub(super) fn limit(&self, schedule: ScheduleId, user: UserId) -> Result<(), QueueError> {
        self.slow.take(&(schedule.0, user.0)).map(|_| ()).map_err(QueueError::from)
    }

    /// Notes what is told of a place, and tells no worse than was told before.
    pub(super) fn remember(&self, schedule: ScheduleId, stand: Stand) -> Stand {
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
}
