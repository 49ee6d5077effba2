//! What the rest asks of draws: which place a ticket of before one has now, and the proof.

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
use crate::queue::keyspaces::{Line, Lines};
use crate::queue::model::{Ended, Sequence, Stand, Standing, Ticket};
use crate::queue::redis::JoinReply;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;
use crate::store::{Store, StoreError};

/// Rows of the list read at a time.
pub const PAGE: i64 = 10_000;
/// Where everybody fell in one draw is kept while anybody asks.
const KEPT: Duration = Duration::from_mins(10);
const KEPT_DRAWS: u64 = 16;

/// The draws as this process knows them; cheap to clone.
#[derive(Debug, Clone)]
pub struct Draws {
    pg: Pg,
    catalogue: Catalogue,
    lines: Lines,
    places: Cache<ScheduleId, Arc<Places>>,
}

impl Draws {
    /// None known yet.
    #[must_use]
    pub fn new(pg: Pg, catalogue: Catalogue, lines: Lines) -> Self {
        let places = Cache::builder().max_capacity(KEPT_DRAWS).time_to_idle(KEPT).build();
        Self { pg, catalogue, lines, places }
    }

    /// Where everybody fell, once that was drawn; nothing for a line without a draw.
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
        // An error that several callers wait for is theirs together.
        loaded.map(Some).map_err(|error| unavailable(&error.to_string()))
    }

    /// Whether a schedule's order of entry is drawn.
    async fn is_drawn(&self, schedule: ScheduleId) -> bool {
        let known = self.catalogue.schedule(schedule).await;
        known.is_ok_and(|schedule| schedule.settings.entry_order == EntryOrder::Draw)
    }

    /// The ticket with the place that it has in the line that `board` shows: the one that was drawn,
    /// where it is of before the draw.
    pub async fn placed(&self, board: &Board, ticket: Ticket) -> Result<Ticket, StoreError> {
        if ticket.sequence.0 > board.meta.draw_base {
            return Ok(ticket);
        }
        let places = if board.meta.draw == Drawn::Done {
            self.places(ticket.schedule).await?
        } else if board.line.ahead(ticket.sequence.0).is_none() {
            // Moved while the draw goes on: nobody waits for the list meanwhile.
            self.places.get(&ticket.schedule).await
        } else {
            None
        };
        let drawn = places.and_then(|places| places.drawn(ticket.sequence));
        Ok(Ticket { sequence: drawn.unwrap_or(ticket.sequence), ..ticket })
    }

    /// As [`Draws::placed`], where there is no board at hand.
    pub async fn placed_by(
        &self,
        board: impl Future<Output = Result<Arc<Board>, StoreError>>,
        ticket: Ticket,
    ) -> Result<Ticket, StoreError> {
        // Nobody was inside before the draw; and without a board Redis is away.
        if ticket.active_until.is_some() || !self.is_drawn(ticket.schedule).await {
            return Ok(ticket);
        }
        match board.await {
            Ok(board) => self.placed(&board, ticket).await,
            Err(_) => Ok(ticket),
        }
    }

    /// Asks Redis what a ticket is worth.
    pub async fn ask(&self, ticket: Ticket) -> Result<Stand, StoreError> {
        let schedule = ticket.schedule;
        let ask = |ticket: Ticket| {
            self.lines.run(schedule, move |line: Line| async move { line.ticket(&ticket).await })
        };
        let stand = if let Some(stand) = ask(ticket).await? {
            stand
        } else {
            // Drawn since the board was read, and lost since then too.
            let places = self.places(schedule).await?;
            let drawn = places.and_then(|places| places.drawn(ticket.sequence));
            let found = match drawn {
                Some(drawn) => ask(Ticket { sequence: drawn, ..ticket }).await?,
                None => None,
            };
            match found {
                Some(stand) => stand,
                None => return self.join_late(ticket).await,
            }
        };
        self.with_joining(schedule, stand, Some(ticket)).await
    }

    /// A ticket of before the draw that is not on its list, since Redis was lost before it was
    /// written down and it was not shown until now: its owner has no place but the last.
    async fn join_late(&self, ticket: Ticket) -> Result<Stand, StoreError> {
        let join = |line: Line| async move { line.join(ticket.user, false).await };
        match self.lines.run(ticket.schedule, join).await? {
            JoinReply::Joined(joined) => {
                self.with_joining(ticket.schedule, joined.stand, None).await
            }
            _ => Ok(Stand { standing: Standing::Ended(Ended::Expired), ..Stand::of(&ticket) }),
        }
    }

    /// The stand with the sequence of joining, where the place was drawn. `ticket` may know it.
    pub async fn with_joining(
        &self,
        schedule: ScheduleId,
        stand: Stand,
        ticket: Option<Ticket>,
    ) -> Result<Stand, StoreError> {
        if let Some(ticket) = ticket.filter(|ticket| ticket.sequence == stand.sequence) {
            return Ok(Stand { joined: ticket.joined, ..stand });
        }
        let places = self.places(schedule).await?;
        let joined = places.map_or(stand.sequence, |places| places.joined(stand.sequence));
        Ok(Stand { joined, ..stand })
    }

    /// What everybody may know of a schedule's draw; nothing where there is no such schedule.
    pub async fn proof(&self, schedule: ScheduleId) -> Result<Option<Proof>, StoreError> {
        pg::proof(&self.pg, schedule).await
    }

    /// A page of the frozen list; nothing where it is not frozen.
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
        entrants.extend(page.iter().map(|one| (one.joined, one.place)));
        match page.last() {
            Some(last) => after = last.joined,
            None => break,
        }
    }
    let broken = || StoreError::Inconsistent(format!("the places drawn in schedule {schedule}"));
    // A million of them take a while, and others want this thread.
    let places = tokio::task::spawn_blocking(move || Places::new(base, &entrants)).await;
    places.ok().flatten().map(Arc::new).ok_or_else(broken)
}

fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable { store: Store::PostgreSql, reason: reason.to_owned() }
}
