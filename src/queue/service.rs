//! The use cases of the line: join, ask, leave, and what everybody may know.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::draw::service::Draws;
pub use super::error::QueueError;
use super::keyspaces::{Line, Lines};
use super::model::{Completed, Stand, Standing, Ticket, TicketView, ticket_id};
use super::redis::JoinReply;
use super::resolver::{Resolved, TicketResolver};
use super::ticket::cache::Verified;
use super::ticket::jwt::{InvalidTicket, TicketKeys};
use super::view::{outdated, view};
use crate::board::service::Boards;
use crate::board::snapshot::Board;
use crate::concert::service::{Catalogue, CatalogueError};
use crate::outbox::model::{Delivered, OutboxId};
use crate::store::StoreError;
use crate::store::id::{ScheduleId, UserId};
use crate::telemetry::Metrics;

/// The line as a service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Queue {
    pub(super) lines: Lines,
    pub(super) draws: Draws,
    pub(super) boards: Boards,
    pub(super) catalogue: Catalogue,
    tickets: Arc<Verified>,
    pub(super) resolver: TicketResolver,
    delivered: Delivered,
    metrics: Metrics,
    polls: Arc<AtomicU64>,
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
        let resolver = TicketResolver::new(boards.clone(), draws.clone());
        let tickets = Arc::new(Verified::new(keys));
        let polls = Arc::default();
        Self { lines, draws, boards, catalogue, tickets, resolver, delivered, metrics, polls }
    }

    /// How many polls this process has answered.
    #[must_use]
    pub fn polls(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.polls)
    }

    /// What tickets are signed with.
    pub(super) fn keys(&self) -> &TicketKeys {
        self.tickets.keys()
    }

    /// Reads a ticket.
    pub(super) fn read(&self, token: &str) -> Result<Ticket, InvalidTicket> {
        self.tickets.verify(token)
    }

    /// Reads a ticket whose owner calls too.
    pub async fn verify(&self, token: &str, user: UserId) -> Result<Ticket, QueueError> {
        let ticket = self.tickets.verify(token)?;
        if ticket.user != user {
            return Err(QueueError::NotYours);
        }
        Ok(self.draws.placed_by(self.boards.get(ticket.schedule), ticket).await?)
    }

    /// Gives `user` the one place they have in the line of `schedule`; true where it is new. Whoever
    /// is refused is counted.
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

    /// Counts a join that was refused.
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
            Ok(sale) => self.lines.note_epoch(schedule, sale.queue_epoch),
            // With PostgreSQL away the line goes on: Redis knows the settings.
            Err(CatalogueError::Store(_)) if self.lines.knows(schedule) => {}
            Err(CatalogueError::Store(error)) => return Err(error.into()),
            Err(_) => return Err(QueueError::NoSchedule),
        }
        let joined = match self.join_line(schedule, user).await? {
            JoinReply::Joined(joined) => joined,
            JoinReply::Unknown => {
                let reason = format!("user {user} joined and has no place");
                return Err(StoreError::Inconsistent(reason).into());
            }
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
        let board = self.resolver.board_of_epoch(schedule, joined.stand.sequence).await?;
        self.resolver.confirm_presence(&board, schedule, joined.stand);
        let mut stand = self.resolver.remember(schedule, joined.stand);
        if !joined.new {
            stand = self.draws.with_joining(schedule, stand, None).await?;
        }
        let id = ticket_id(schedule, user, stand.joined);
        let mut told = view(&board, schedule, id, stand);
        told.queue_token = Some(self.sign(&board, schedule, user, stand)?);
        Ok((told, joined.new))
    }

    /// The view of a waiting ticket whose position alone changed; `None` where more work is needed.
    /// Most polls are answered here: it waits for nothing.
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

    /// Whether a ticket is valid and waits, as far as the board shows.
    pub(super) fn is_waiting(&self, token: &str) -> bool {
        self.read(token).is_ok_and(|ticket| self.resolver.is_waiting(&ticket))
    }

    /// Whether a ticket has an active slot. Restores what Redis lost, as a poll does.
    pub async fn is_active(&self, ticket: &Ticket) -> Result<bool, QueueError> {
        let resolved = self.resolver.resolve(*ticket).await?;
        Ok(matches!(resolved.entry.standing, Standing::Active { .. }))
    }

    /// Whether Redis was rebuilt since a ticket's sequence was given out, and may not have it yet.
    #[must_use]
    pub fn predates_rebuild(&self, ticket: &Ticket) -> bool {
        ticket.sequence.epoch() < self.lines.epoch(ticket.schedule)
    }

    /// The view of a ticket in this state, with a new ticket if theirs is outdated.
    pub(super) fn view_of(
        &self,
        board: &Board,
        ticket: &Ticket,
        entry: Stand,
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

    /// Gives a place up. Repeating it changes nothing.
    pub async fn leave(&self, token: &str, user: UserId) -> Result<(), QueueError> {
        let ticket = self.verify(token, user).await?;
        let leave = |line: Line| async move { line.leave(user, ticket.sequence).await };
        let ended = match self.lines.run(ticket.schedule, leave).await {
            // Every place of it has ended.
            Err(StoreError::SaleOver) => return Ok(()),
            other => other?,
        };
        self.resolver.remember_end(ticket.schedule, ticket.sequence, ended);
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
        let ended = match self.lines.run(schedule, complete).await {
            Err(StoreError::SaleOver) => return Ok(()),
            other => other?,
        };
        self.resolver.remember_end(schedule, sequence, ended);
        Ok(())
    }

    /// The board of a schedule that exists, as far as this process can tell: a made-up id makes no board,
    /// also while PostgreSQL cannot be asked.
    pub async fn board(&self, schedule: ScheduleId) -> Result<Arc<Board>, QueueError> {
        match self.catalogue.schedule(schedule).await {
            Ok(_) => {}
            Err(CatalogueError::Store(_)) if self.lines.knows(schedule) => {}
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
        stand: Stand,
    ) -> Result<String, QueueError> {
        let until = match stand.standing {
            Standing::Active { until } => Some(until),
            _ => None,
        };
        let places = (stand.sequence, stand.joined);
        Ok(self.keys().sign(schedule, user, places, until, board.meta.deadline())?)
    }
}
