//! Draws for the rest of the service: the drawn sequence of a ticket, and the proof.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use uuid::Uuid;

use super::model::{Places, Proof};
use super::pg;
use crate::board::meta::Drawn;
use crate::board::snapshot::Board;
use crate::concert::model::EntryOrder;
use crate::concert::service::Catalogue;
use crate::queue::keyspaces::{Keyspaces, ScheduleScripts};
use crate::queue::model::{Ended, EntryState, QueueEntry, Sequence, Ticket};
use crate::queue::redis::JoinReply;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;
use crate::store::{Store, StoreError};

/// Rows of the list per read.
pub const PAGE: i64 = 10_000;
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
    places: Cache<ScheduleId, Arc<Places>>,
}

impl Draws {
    /// Starts with an empty cache.
    #[must_use]
    pub fn new(pg: Pg, catalogue: Catalogue, keyspaces: Keyspaces) -> Self {
        let places = Cache::builder().max_capacity(CACHED_DRAWS).time_to_idle(CACHED_FOR).build();
        Self { pg, catalogue, keyspaces, places }
    }

    /// The drawn ranks of a schedule; `None` before they are drawn, and without a draw.
    pub async fn places(&self, schedule: ScheduleId) -> Result<Option<Arc<Places>>, StoreError> {
        if let Some(places) = self.places.get(&schedule).await {
            return Ok(Some(places));
        }
        if !self.is_drawn(schedule).await {
            return Ok(None);
        }
        Box::pin(self.load(schedule)).await
    }

    async fn load(&self, schedule: ScheduleId) -> Result<Option<Arc<Places>>, StoreError> {
        let draw = pg::find(&self.pg, schedule).await?;
        let Some(draw) = draw.filter(|draw| draw.opened_at.is_some()) else {
            return Ok(None);
        };
        let load = load(&self.pg, schedule, draw.base);
        let loaded = self.places.try_get_with(schedule, load).await;
        // All waiting callers share the error.
        loaded.map(Some).map_err(|error| unavailable(&error.to_string()))
    }

    /// Whether a schedule's order of entry is drawn.
    async fn is_drawn(&self, schedule: ScheduleId) -> bool {
        let schedule = self.catalogue.schedule(schedule).await;
        schedule.is_ok_and(|schedule| schedule.settings.entry_order == EntryOrder::Draw)
    }

    /// The ticket with the sequence that it has on `board`: the drawn sequence, if the ticket is
    /// from before the draw.
    pub async fn placed(&self, board: &Board, ticket: Ticket) -> Result<Ticket, StoreError> {
        if ticket.sequence.0 > board.meta.draw_base {
            return Ok(ticket);
        }
        let places = if board.meta.draw == Drawn::Done {
            self.places(ticket.schedule).await?
        } else if board.waiting.ahead(ticket.sequence.0).is_none() {
            // Moved while the draw goes on. Only a cached list is used: a poll does not wait for
            // it.
            self.places.get(&ticket.schedule).await
        } else {
            None
        };
        let drawn = places.and_then(|places| places.drawn(ticket.sequence));
        Ok(Ticket { sequence: drawn.unwrap_or(ticket.sequence), ..ticket })
    }

    /// As [`Draws::placed`], with a board that is still to be read.
    pub async fn placed_by(
        &self,
        board: impl Future<Output = Result<Arc<Board>, StoreError>>,
        ticket: Ticket,
    ) -> Result<Ticket, StoreError> {
        // An active ticket is not from before the draw. Without a board, Redis is down.
        if ticket.active_until.is_some() || !self.is_drawn(ticket.schedule).await {
            return Ok(ticket);
        }
        match board.await {
            Ok(board) => self.placed(&board, ticket).await,
            Err(_) => Ok(ticket),
        }
    }

    /// Resolves a ticket in Redis.
    pub async fn ask(&self, ticket: Ticket) -> Result<QueueEntry, StoreError> {
        let schedule = ticket.schedule;
        let ask = |ticket: Ticket| {
            self.keyspaces.run(schedule, move |scripts: ScheduleScripts| async move {
                scripts.ticket(&ticket).await
            })
        };
        let entry = if let Some(entry) = ask(ticket).await? {
            entry
        } else {
            // Drawn since the board was read, and lost in Redis since then.
            let places = self.places(schedule).await?;
            let drawn = places.and_then(|places| places.drawn(ticket.sequence));
            let found = match drawn {
                Some(drawn) => ask(Ticket { sequence: drawn, ..ticket }).await?,
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
    /// the entry was archived, and the ticket was not shown until now. It gets the last position.
    async fn join_late(&self, ticket: Ticket) -> Result<QueueEntry, StoreError> {
        let join = |scripts: ScheduleScripts| async move { scripts.join(ticket.user, false).await };
        match self.keyspaces.run(ticket.schedule, join).await? {
            JoinReply::Joined(joined) => {
                self.with_joining(ticket.schedule, joined.entry, None).await
            }
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
        let places = self.places(schedule).await?;
        let joined = places.map_or(entry.sequence, |places| places.joined(entry.sequence));
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
    ) -> Result<Option<Vec<(Sequence, Uuid)>>, StoreError> {
        let draw = pg::find(&self.pg, schedule).await?;
        if draw.and_then(|draw| draw.entrants).is_none() {
            return Ok(None);
        }
        pg::tickets(&self.pg, schedule, after, PAGE).await.map(Some)
    }
}

async fn load(pg: &Pg, schedule: ScheduleId, base: Sequence) -> Result<Arc<Places>, StoreError> {
    let (mut entrants, mut after) = (Vec::new(), Sequence(0));
    loop {
        let page = pg::placed(pg, schedule, after, PAGE).await?;
        entrants.extend(page.iter().map(|entrant| (entrant.joined, entrant.place)));
        match page.last() {
            Some(last) => after = last.joined,
            None => break,
        }
    }
    let broken = || StoreError::Inconsistent(format!("drawn ranks of schedule {schedule}"));
    // A million ranks take a while, and this thread has other tasks.
    let places = tokio::task::spawn_blocking(move || Places::new(base, &entrants)).await;
    places.ok().flatten().map(Arc::new).ok_or_else(broken)
}

fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable { store: Store::PostgreSql, reason: reason.to_owned() }
}
