//! Loads a schedule's keys from PostgreSQL during a rebuild.
//!
//! Loading goes in pages and batches. So memory is bounded, no Redis call takes longer than a few
//! milliseconds, and other tasks of this process run in between. Each batch renews the lease of the
//! rebuild. A batch that failed is repeated: it may be loaded any number of times.

pub mod pg;

use std::time::{Duration, Instant};

use self::pg::{EntryPage, ReservationPage};
use crate::queue::draw::model::{Draw, DrawnRanks};
use crate::queue::draw::service::Draws;
use crate::queue::keyspaces::ScheduleScripts;
use crate::queue::load::{self, EndedEntries};
use crate::queue::model::{Ended, Sequence};
use crate::queue::{self, draw};
use crate::seats;
use crate::seats::service::decided;
use crate::store::id::ScheduleId;
use crate::store::keys::SEQUENCE_BITS;
use crate::store::pg::Pg;
use crate::store::script::ScriptError;
use crate::store::{Store, StoreError};
use crate::upkeep;

/// How long a rebuild may load nothing before another process starts a new one. Long enough for a
/// page from PostgreSQL and a Redis call on an overloaded machine.
pub const LEASE: Duration = Duration::from_secs(10);
/// How long one batch is retried, and the pause between two tries. Longer than the lease: as long
/// as no other process has started a new rebuild, continuing costs less than starting over.
const TRY_FOR: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

/// Loads one schedule's keys.
#[derive(Debug)]
pub struct Loader<'a> {
    /// The source.
    pub pg: &'a Pg,
    /// The target, under the epoch that this process has won.
    pub scripts: &'a ScheduleScripts,
    /// The drawn ranks, if the schedule has a draw.
    pub draws: &'a Draws,
    /// The schedule to load.
    pub schedule: ScheduleId,
}

/// Under which sequences queue entries are loaded.
struct LoadedOrder<'a> {
    draw: Option<Draw>,
    ranks: Option<&'a DrawnRanks>,
}

impl LoadedOrder<'_> {
    /// The drawn sequence of an entrant.
    fn drawn(&self, joined: Sequence) -> Option<Sequence> {
        self.ranks?.drawn(joined)
    }

    /// The sequence under which a waiting entry is loaded. `None` for an entry from before a draw
    /// that is not over, because `queue/move_drawn` adds it, and for one that is not on the list of
    /// the draw, because its ticket brings it back.
    fn waiting(&self, joined: Sequence) -> Option<Sequence> {
        match self.draw {
            Some(draw) if joined <= draw.base => self.drawn(joined).filter(|_| draw.moved),
            _ => Some(joined),
        }
    }
}

impl Loader<'_> {
    /// Loads seats, the draw, queue entries, buyers and completed entries; not the settings.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if a store does not answer for a while, or if another process
    /// has started a new rebuild.
    pub async fn load(&self) -> Result<(), StoreError> {
        self.load_seats().await?;
        let draw = draw::pg::find(self.pg, self.schedule).await?;
        if let Some(draw) = &draw {
            retry(|| async move { Ok(draw::redis::load_draw(self.scripts, draw).await?) }).await?;
        }
        let ranks = self.draws.ranks(self.schedule).await?;
        self.load_entries(&LoadedOrder { draw, ranks: ranks.as_deref() }).await?;
        // Last: an entry that is already loaded as ended keeps its reason.
        self.load_reservations(ranks.as_deref()).await
    }

    async fn load_seats(&self) -> Result<(), StoreError> {
        let total = upkeep::pg::seats_total(self.pg, self.schedule).await?;
        let mut after = 0;
        while after < total {
            let read = || async move { Ok(pg::seats(self.pg, self.schedule, after).await?) };
            let page = retry(read).await?;
            let seat = |&(seat, state)| (seat, decided(state, page.now));
            let seats: Vec<_> = page.seats.iter().map(seat).collect();
            // Also for a page without a changed seat: the call renews the lease.
            retry(|| seats::redis::load(self.scripts, &seats, LEASE)).await?;
            after = page.last;
        }
        Ok(())
    }

    /// Loads queue entries. While one page goes to Redis, the next is read.
    async fn load_entries(&self, order: &LoadedOrder<'_>) -> Result<(), StoreError> {
        let highest = queue::pg::highest(self.pg, self.schedule).await?;
        let latest = Sequence(highest.epoch() << SEQUENCE_BITS);
        let read = async |after| {
            let page =
                || async move { Ok(pg::entries(self.pg, self.schedule, after, latest).await?) };
            retry(page).await
        };
        let (mut count, mut ended) = (0, EndedEntries::default());
        let mut next = read(Sequence(0)).await?;
        while let Some(page) = next {
            count += page.count;
            let load = self.load_page(order, &page, count, &mut ended);
            next = tokio::try_join!(load, read(page.last))?.1;
        }
        self.load_ended(&mut ended).await
    }

    /// Loads a page of queue entries; `count` is the number of entries up to the end of the page.
    async fn load_page(
        &self,
        order: &LoadedOrder<'_>,
        page: &EntryPage,
        count: u64,
        ended: &mut EndedEntries,
    ) -> Result<(), StoreError> {
        let waiting = page.waiting.iter();
        let waiting: Vec<_> =
            waiting.filter_map(|(user, joined)| Some((*user, order.waiting(*joined)?))).collect();
        retry(|| load::waiting(self.scripts, &waiting, LEASE)).await?;
        for (joined, reason) in &page.ended {
            ended.add(*joined, *reason);
            // A drawn entry has two sequences: the one of joining and the drawn one. Both end.
            if let Some(drawn) = order.drawn(*joined) {
                ended.add(drawn, *reason);
            }
            if ended.is_full() {
                self.load_ended(ended).await?;
            }
        }
        let slot =
            |&(joined, ends): &(Sequence, i64)| (order.drawn(joined).unwrap_or(joined), ends);
        let slots: Vec<_> = page.slots.iter().map(slot).collect();
        retry(|| load::slots(self.scripts, &slots, LEASE)).await?;
        // For the statistics, and for the room of a draw: entries beyond it are not drawn.
        retry(|| load::count(self.scripts, count, LEASE)).await
    }

    async fn load_reservations(&self, drawn: Option<&DrawnRanks>) -> Result<(), StoreError> {
        let (mut after, mut joined) = (0, EndedEntries::default());
        loop {
            let read = || async move { Ok(pg::reservations(self.pg, self.schedule, after).await?) };
            let Some(page) = retry(read).await? else {
                return Ok(());
            };
            let ReservationPage { buyers, paid, last } = &page;
            retry(|| seats::redis::load_buyers(self.scripts, buyers)).await?;
            retry(|| load::paid(self.scripts, paid, LEASE)).await?;
            for (_, sequence) in paid {
                if let Some(drawn) = drawn {
                    joined.add(drawn.joined(*sequence), Ended::Completed);
                }
            }
            self.load_ended(&mut joined).await?;
            after = *last;
        }
    }

    async fn load_ended(&self, ended: &mut EndedEntries) -> Result<(), StoreError> {
        for segment in ended.take() {
            retry(|| load::ended(self.scripts, &segment, LEASE)).await?;
        }
        Ok(())
    }
}

/// Runs a batch until it succeeds, for at most [`TRY_FOR`]. A connection may have broken
/// with the previous server, which shows only when it is used.
async fn retry<T, F>(batch: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, ScriptError>>,
{
    let begun = Instant::now();
    loop {
        match batch().await {
            Ok(done) => return Ok(done),
            Err(ScriptError::Store(error @ StoreError::Unavailable { .. }))
                if begun.elapsed() < TRY_FOR =>
            {
                tracing::warn!(%error, "a batch of a rebuild failed and is retried");
            }
            Err(error) => return Err(gave_up(error)),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Turns the error that ended a rebuild into the callers' error.
pub(super) fn gave_up(error: ScriptError) -> StoreError {
    match error {
        ScriptError::Store(error) => error,
        other => StoreError::Unavailable { store: Store::Redis, reason: other.to_string() },
    }
}
