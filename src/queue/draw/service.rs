//! Draws for the rest of the service: the drawn sequence of a ticket, and the proof.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use tokio::task::JoinError;
use uuid::Uuid;

use super::model::{Digests, DrawnList, DrawnRanks, Entrant, Proof};
use super::pg::{self, list};
use crate::board::meta::Drawn;
use crate::board::snapshot::Board;
use crate::concert::model::EntryOrder;
use crate::concert::service::Catalogue;
use crate::queue::batch::Batches;
use crate::queue::batch::tickets::TicketCalls;
use crate::queue::join::reply::JoinReply;
use crate::queue::keyspaces::{Keyspaces, ScheduleScripts};
use crate::queue::model::{Ended, EntryState, QueueEntry, Sequence, Ticket};
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;
use crate::store::{Store, StoreError};

/// Rows of the list per read, for the public list and for the draw.
const PAGE: i64 = 10_000;
const LONG_PAGE: i64 = 50_000;
/// The ranks of a draw are cached until nothing has read them for this long.
const CACHED_FOR: Duration = Duration::from_mins(10);
/// Maximum number of draws in the cache.
const CACHED_DRAWS: u64 = 16;

/// The service for draws; cheap to clone.
#[derive(Debug, Clone)]
pub struct Draws {
    pg: Pg,
    catalogue: Catalogue,
    keyspaces: Keyspaces,
    tickets: Batches<TicketCalls>,
    ranks: Cache<ScheduleId, Arc<DrawnRanks>>,
}

impl Draws {
    /// Starts with an empty cache.
    #[must_use]
    pub fn new(pg: Pg, catalogue: Catalogue, keyspaces: Keyspaces) -> Self {
        let ranks = Cache::builder().max_capacity(CACHED_DRAWS).time_to_idle(CACHED_FOR).build();
        let tickets = Batches::new(TicketCalls(keyspaces.clone()));
        Self { pg, catalogue, keyspaces, tickets, ranks }
    }

    /// The drawn ranks of a schedule; `None` before the list is frozen, and without a draw.
    pub async fn ranks(&self, schedule: ScheduleId) -> Result<Option<Arc<DrawnRanks>>, StoreError> {
        if let Some(ranks) = self.ranks.get(&schedule).await {
            return Ok(Some(ranks));
        }
        if !self.has_draw(schedule).await {
            return Ok(None);
        }
        Box::pin(self.load(schedule)).await
    }

    async fn load(&self, schedule: ScheduleId) -> Result<Option<Arc<DrawnRanks>>, StoreError> {
        let draw = pg::find(&self.pg, schedule).await?;
        let Some(draw) = draw.filter(|draw| draw.entrants.is_some()) else {
            return Ok(None);
        };
        let load = load(&self.pg, schedule, draw.base);
        let loaded = self.ranks.try_get_with(schedule, load).await;
        // All waiting callers share the error.
        loaded.map(Some).map_err(|error| unavailable(&error.to_string()))
    }

    /// Whether a draw decides the order of entry in a schedule.
    pub(in crate::queue) async fn has_draw(&self, schedule: ScheduleId) -> bool {
        let schedule = self.catalogue.schedule(schedule).await;
        schedule.is_ok_and(|schedule| schedule.settings.entry_order == EntryOrder::Draw)
    }

    /// The ticket with the sequence that it has on `board`: the drawn sequence, if the ticket is
    /// from before the draw.
    pub async fn at_drawn_sequence(
        &self,
        board: &Board,
        ticket: Ticket,
    ) -> Result<Ticket, StoreError> {
        if ticket.sequence.0 > board.meta.draw_base {
            return Ok(ticket);
        }
        let ranks = if board.meta.draw == Drawn::Done {
            self.ranks(ticket.schedule).await?
        } else if board.waiting.ahead(ticket.sequence.0).is_none() {
            // Moved while the draw goes on. Only a cached list is used: a poll does not wait for
            // it.
            self.cached_ranks(ticket.schedule).await
        } else {
            None
        };
        let drawn = ranks.and_then(|ranks| ranks.drawn(ticket.sequence));
        Ok(Ticket { sequence: drawn.unwrap_or(ticket.sequence), ..ticket })
    }

    /// As [`Draws::at_drawn_sequence`], with a board that is still to be read.
    pub async fn at_drawn_sequence_on(
        &self,
        board: impl Future<Output = Result<Arc<Board>, StoreError>>,
        ticket: Ticket,
    ) -> Result<Ticket, StoreError> {
        // An active ticket is not from before the draw. Without a board, Redis is down.
        if ticket.active_until.is_some() || !self.has_draw(ticket.schedule).await {
            return Ok(ticket);
        }
        match board.await {
            Ok(board) => self.at_drawn_sequence(&board, ticket).await,
            Err(_) => Ok(ticket),
        }
    }

    /// Resolves a ticket in Redis.
    pub async fn resolve(&self, ticket: Ticket) -> Result<QueueEntry, StoreError> {
        let schedule = ticket.schedule;
        let entry = if let Some(entry) = self.tickets.run(schedule, ticket).await? {
            entry
        } else {
            // Drawn since the board was read, and lost in Redis since then.
            let ranks = self.ranks(schedule).await?;
            let drawn = ranks.and_then(|ranks| ranks.drawn(ticket.sequence));
            let found = match drawn {
                Some(drawn) => {
                    self.tickets.run(schedule, Ticket { sequence: drawn, ..ticket }).await?
                }
                None => None,
            };
            match found {
                Some(entry) => entry,
                None => return self.join_late(ticket).await,
            }
        };
        self.with_joining(schedule, entry, Some(ticket)).await
    }

    /// Joins again for a ticket from before the draw that is not on the list: Redis was lost before
    /// the entry was archived, and the ticket was not shown until now. It gets the last position,
    /// once: a ticket whose user has joined after the draw names no entry of its own any more.
    async fn join_late(&self, ticket: Ticket) -> Result<QueueEntry, StoreError> {
        let Ticket { schedule, user, .. } = ticket;
        let join = |ask: bool| {
            let join = move |scripts: ScheduleScripts| async move { scripts.join(user, ask).await };
            self.keyspaces.run(schedule, join)
        };
        let mut reply = join(true).await?;
        if reply == JoinReply::Unknown && !list::has_joined_later(&self.pg, schedule, user).await? {
            reply = join(false).await?;
        }
        match reply {
            JoinReply::Joined(joined) => self.with_joining(schedule, joined.entry, None).await,
            _ => Ok(QueueEntry {
                state: EntryState::Ended(Ended::Expired),
                ..QueueEntry::of(&ticket)
            }),
        }
    }

    /// The entry with its sequence of joining, which differs if the entry was drawn. `ticket` may
    /// have it already.
    pub async fn with_joining(
        &self,
        schedule: ScheduleId,
        entry: QueueEntry,
        ticket: Option<Ticket>,
    ) -> Result<QueueEntry, StoreError> {
        if let Some(ticket) = ticket.filter(|ticket| ticket.sequence == entry.sequence) {
            return Ok(QueueEntry { joined: ticket.joined, ..entry });
        }
        let ranks = self.ranks(schedule).await?;
        let joined = ranks.map_or(entry.sequence, |ranks| ranks.joined(entry.sequence));
        Ok(QueueEntry { joined, ..entry })
    }

    /// The public proof of a schedule's draw; `None` if there is no such schedule.
    pub async fn proof(&self, schedule: ScheduleId) -> Result<Option<Proof>, StoreError> {
        pg::proof(&self.pg, schedule).await
    }

    /// A page of the frozen list after `after`; `None` if the list is not frozen.
    pub async fn entrants(
        &self,
        schedule: ScheduleId,
        after: Sequence,
    ) -> Result<Option<Vec<Entrant>>, StoreError> {
        let draw = pg::find(&self.pg, schedule).await?;
        if draw.and_then(|draw| draw.entrants).is_none() {
            return Ok(None);
        }
        list::entrants(&self.pg, schedule, after, PAGE).await.map(Some)
    }

    /// Whether the frozen list had entrants. They may have been removed since.
    pub async fn has_entrants(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        let draw = pg::find(&self.pg, schedule).await?;
        Ok(draw.and_then(|draw| draw.entrants).is_some_and(|entrants| entrants > 0))
    }

    /// The frozen list in drawn order. Its ranks are also stored for [`Draws::ranks`].
    pub async fn drawn_list(
        &self,
        schedule: ScheduleId,
        base: Sequence,
    ) -> Result<Arc<DrawnList>, StoreError> {
        let drawn = Arc::new(read_drawn(&self.pg, schedule).await?);
        let list = Arc::clone(&drawn);
        let ranks = tokio::task::spawn_blocking(move || DrawnRanks::new(base, &list.ranks())).await;
        if let Some(ranks) = ranks.ok().flatten() {
            self.ranks.insert(schedule, Arc::new(ranks)).await;
        }
        Ok(drawn)
    }

    /// The drawn ranks, if they are already in memory.
    pub async fn cached_ranks(&self, schedule: ScheduleId) -> Option<Arc<DrawnRanks>> {
        self.ranks.get(&schedule).await
    }
}

async fn load(
    pg: &Pg,
    schedule: ScheduleId,
    base: Sequence,
) -> Result<Arc<DrawnRanks>, StoreError> {
    let drawn = read_drawn(pg, schedule).await?;
    // A million ranks take a while, and this thread has other tasks.
    let ranks = tokio::task::spawn_blocking(move || DrawnRanks::new(base, &drawn.ranks())).await;
    let broken = || StoreError::Inconsistent(format!("drawn ranks of schedule {schedule}"));
    ranks.ok().flatten().map(Arc::new).ok_or_else(broken)
}

/// Reads the frozen list, and draws its order, which follows from the list and the secret, also
/// before the ranks are written. Computes the digests of one page while it reads the next.
async fn read_drawn(pg: &Pg, schedule: ScheduleId) -> Result<DrawnList, StoreError> {
    let failed = |error: JoinError| StoreError::Inconsistent(error.to_string());
    // Fails if the list is not frozen.
    let mut digests = Digests::new(&pg::secret(pg, schedule).await?);
    let mut entrants = Vec::new();
    let mut page = list::entrants(pg, schedule, Sequence(0), LONG_PAGE).await?;
    while let Some(last) = page.last().map(|entrant| entrant.joined) {
        let tickets: Vec<Uuid> = page.iter().map(|entrant| entrant.ticket_id).collect();
        let digest = tokio::task::spawn_blocking(move || {
            digests.add(&tickets);
            digests
        });
        let (next, digested) = tokio::join!(list::entrants(pg, schedule, last, LONG_PAGE), digest);
        digests = digested.map_err(failed)?;
        entrants.append(&mut page);
        page = next?;
    }
    let draw = move || DrawnList::draw(digests, entrants);
    tokio::task::spawn_blocking(draw).await.map_err(failed)
}

fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable { store: Store::PostgreSql, reason: reason.to_owned() }
}
