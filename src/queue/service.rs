//! The use cases of the waiting room: join, poll, leave, and the public board.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::batch::Batches;
use super::batch::joins::JoinCalls;
use super::draw::service::Draws;
pub use super::error::QueueError;
use super::join::reply::JoinReply;
use super::keyspaces::{Keyspaces, ScheduleScripts};
use super::model::{Completed, EntryState, QueueEntry, Ticket, TicketView, ticket_id};
use super::resolver::{Resolved, TicketResolver};
use super::ticket::cache::TicketCache;
use super::ticket::jwt::{InvalidTicket, TicketKeys};
use super::view::{outdated, view};
use crate::board::service::Boards;
use crate::board::snapshot::Board;
use crate::concert::service::{Catalogue, CatalogueError};
use crate::outbox::model::{Delivered, Recorded};
use crate::store::StoreError;
use crate::store::id::{ScheduleId, UserId};
use crate::telemetry::Metrics;

/// The waiting room; cheap to clone.
#[derive(Debug, Clone)]
pub struct WaitingRoom {
    pub(super) keyspaces: Keyspaces,
    pub(super) draws: Draws,
    pub(super) boards: Boards,
    pub(super) catalogue: Catalogue,
    pub(super) joins: Batches<JoinCalls>,
    tickets: Arc<TicketCache>,
    pub(super) resolver: TicketResolver,
    delivered: Delivered,
    metrics: Metrics,
    polls: Arc<AtomicU64>,
}

impl WaitingRoom {
    /// Puts the service together.
    #[must_use]
    pub fn new(
        keyspaces: Keyspaces,
        draws: Draws,
        boards: Boards,
        catalogue: Catalogue,
        keys: TicketKeys,
        delivered: Delivered,
        metrics: Metrics,
    ) -> Self {
        let resolver = TicketResolver::new(boards.clone(), draws.clone());
        let tickets = Arc::new(TicketCache::new(keys));
        let joins = Batches::new(JoinCalls(keyspaces.clone()));
        let polls = Arc::default();
        Self {
            keyspaces,
            draws,
            boards,
            catalogue,
            joins,
            tickets,
            resolver,
            delivered,
            metrics,
            polls,
        }
    }

    /// Number of polls that this process has answered.
    #[must_use]
    pub fn polls(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.polls)
    }

    /// The keys that sign and verify tickets.
    pub(super) fn keys(&self) -> &TicketKeys {
        self.tickets.keys()
    }

    /// Verifies a ticket.
    pub(super) fn read(&self, token: &str) -> Result<Ticket, InvalidTicket> {
        self.tickets.verify(token)
    }

    /// Verifies a ticket that must belong to `user`. After a draw, the returned ticket has the
    /// drawn sequence.
    pub async fn verify(&self, token: &str, user: UserId) -> Result<Ticket, QueueError> {
        let ticket = self.tickets.verify(token)?;
        if ticket.user != user {
            return Err(QueueError::NotYours);
        }
        Ok(self.draws.at_drawn_sequence_on(self.boards.get(ticket.schedule), ticket).await?)
    }

    /// Finds or creates the entry of `user` in `schedule`; also returns whether it is new. Counts
    /// rejections.
    pub async fn join(
        &self,
        schedule: ScheduleId,
        user: UserId,
    ) -> Result<(TicketView, bool), QueueError> {
        let joined = self.try_join(schedule, user).await;
        if let Err(refusal) = &joined {
            self.count_refusal(schedule, refusal);
        }
        joined
    }

    /// Counts a rejected join.
    pub(super) fn count_refusal(&self, schedule: ScheduleId, refusal: &QueueError) {
        if !matches!(refusal, QueueError::NoSchedule) {
            self.metrics.join_refused(schedule.0, refusal.code());
        }
    }

    async fn try_join(
        &self,
        schedule: ScheduleId,
        user: UserId,
    ) -> Result<(TicketView, bool), QueueError> {
        self.resolver.count_redis_call(schedule, user)?;
        match self.catalogue.schedule(schedule).await {
            Ok(sale) if sale.over => return Err(QueueError::Closed),
            Ok(sale) => self.keyspaces.note_epoch(schedule, sale.queue_epoch),
            // While PostgreSQL is down joins go on: Redis has the settings.
            Err(CatalogueError::Store(_)) if self.keyspaces.has_cached(schedule) => {}
            Err(CatalogueError::Store(error)) => return Err(error.into()),
            Err(_) => return Err(QueueError::NoSchedule),
        }
        let joined = match self.find_or_create_entry(schedule, user).await? {
            JoinReply::Joined(joined) => joined,
            JoinReply::Unknown => {
                let reason = format!("user {user} joined and has no queue entry");
                return Err(StoreError::Inconsistent(reason).into());
            }
            JoinReply::NotOpen { opens_at } => return Err(QueueError::NotOpen { opens_at }),
            JoinReply::Closed => return Err(QueueError::Closed),
            JoinReply::SoldOut => return Err(QueueError::SoldOut),
            JoinReply::Unavailable => return Err(QueueError::ConcertUnavailable),
        };
        if joined.new {
            self.metrics.joined();
            if matches!(joined.entry.state, EntryState::Active { .. }) {
                self.metrics.admitted(schedule.0, 1);
            }
        }
        let board = self.resolver.board_of_epoch(schedule, joined.entry.sequence).await?;
        self.resolver.confirm_presence(&board, schedule, joined.entry);
        let mut entry = self.resolver.remember(schedule, joined.entry);
        if !joined.new {
            entry = self.draws.with_joining(schedule, entry, None).await?;
        }
        let id = ticket_id(schedule, user, entry.joined);
        let mut view = view(&board, schedule, id, entry);
        view.queue_token = Some(self.sign(&board, schedule, user, entry)?);
        Ok((view, joined.new))
    }

    /// The view of a waiting ticket whose position alone changed; `None` where more work is needed.
    /// Answers most polls, without waiting for a store.
    #[must_use]
    pub fn poll_waiting(&self, token: &str) -> Option<TicketView> {
        let ticket = self.tickets.verify(token).ok()?;
        let (board, entry) = self.resolver.resolve_waiting(&ticket)?;
        if outdated(&board, &ticket, entry) {
            return None;
        }
        self.polls.fetch_add(1, Ordering::Relaxed);
        Some(view(&board, ticket.schedule, ticket.id, entry))
    }

    /// The view of a ticket.
    pub async fn poll(&self, token: &str) -> Result<TicketView, QueueError> {
        let ticket = self.tickets.verify(token)?;
        self.polls.fetch_add(1, Ordering::Relaxed);
        let Resolved { board, ticket, entry, .. } = self.resolver.resolve(ticket).await?;
        self.view_of(&board, &ticket, entry)
    }

    /// Whether a ticket is valid and waits, according to the board.
    pub(super) fn is_waiting(&self, token: &str) -> bool {
        self.read(token).is_ok_and(|ticket| self.resolver.is_waiting(&ticket))
    }

    /// Whether a ticket has an active slot. Restores what Redis lost, as a poll does.
    pub async fn is_active(&self, ticket: &Ticket) -> Result<bool, QueueError> {
        let resolved = self.resolver.resolve(*ticket).await?;
        Ok(matches!(resolved.entry.state, EntryState::Active { .. }))
    }

    /// Whether Redis was rebuilt since a ticket's sequence was handed out, and may not have the
    /// entry yet.
    #[must_use]
    pub fn predates_rebuild(&self, ticket: &Ticket) -> bool {
        ticket.sequence.epoch() < self.keyspaces.epoch(ticket.schedule)
    }

    /// The view of a ticket whose entry is in this state, with a new ticket if this one is
    /// outdated.
    pub(super) fn view_of(
        &self,
        board: &Board,
        ticket: &Ticket,
        entry: QueueEntry,
    ) -> Result<TicketView, QueueError> {
        let id = if entry.joined == ticket.joined {
            ticket.id
        } else {
            ticket_id(ticket.schedule, ticket.user, entry.joined)
        };
        let mut view = view(board, ticket.schedule, id, entry);
        if outdated(board, ticket, entry) {
            view.queue_token = Some(self.sign(board, ticket.schedule, ticket.user, entry)?);
        }
        Ok(view)
    }

    /// Ends the entry of a ticket. Repeating it changes nothing.
    pub async fn leave(&self, token: &str, user: UserId) -> Result<(), QueueError> {
        let ticket = self.verify(token, user).await?;
        Ok(self.end(&ticket).await?)
    }

    /// Ends the entry of a verified ticket.
    pub(super) async fn end(&self, ticket: &Ticket) -> Result<(), StoreError> {
        let Ticket { user, sequence, .. } = *ticket;
        let leave = |scripts: ScheduleScripts| async move { scripts.leave(user, sequence).await };
        let ended = match self.keyspaces.run(ticket.schedule, leave).await {
            // Every entry of the sale has ended.
            Err(StoreError::SaleOver) => return Ok(()),
            other => other?,
        };
        self.resolver.remember_end(ticket.schedule, ticket.sequence, ended);
        Ok(())
    }

    /// Completes the entry that a buyer has paid from, right after the commit. After a failure
    /// the relay tries again.
    pub async fn deliver_completed(&self, completed: &Recorded<Completed>) {
        self.delivered.after(completed.id, self.complete(&completed.event)).await;
    }

    /// Completes the entry that a buyer has paid from.
    pub async fn complete(&self, event: &Completed) -> Result<(), StoreError> {
        let Completed { schedule, user, sequence } = *event;
        let complete =
            |scripts: ScheduleScripts| async move { scripts.complete(user, sequence).await };
        let ended = match self.keyspaces.run(schedule, complete).await {
            Err(StoreError::SaleOver) => return Ok(()),
            other => other?,
        };
        self.resolver.remember_end(schedule, sequence, ended);
        Ok(())
    }

    /// The board of a schedule. An id that does not exist gets no board, also while PostgreSQL is
    /// down: then only schedules that this process has seen have one.
    pub async fn board(&self, schedule: ScheduleId) -> Result<Arc<Board>, QueueError> {
        match self.catalogue.schedule(schedule).await {
            Ok(_) => {}
            Err(CatalogueError::Store(_)) if self.keyspaces.has_cached(schedule) => {}
            Err(CatalogueError::Store(error)) => return Err(error.into()),
            Err(_) => return Err(QueueError::NoSchedule),
        }
        Ok(self.boards.get(schedule).await?)
    }

    pub(super) fn sign(
        &self,
        board: &Board,
        schedule: ScheduleId,
        user: UserId,
        entry: QueueEntry,
    ) -> Result<String, QueueError> {
        Ok(self.keys().sign(schedule, user, entry, board.meta.deadline())?)
    }
}
