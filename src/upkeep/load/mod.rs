//! Loading a schedule's keys from PostgreSQL while they are being rebuilt.
//!
//! All of it goes in pages and batches, so that memory is bounded, no call of Redis takes longer than a
//! few milliseconds, and other tasks of this process run in between. Each batch renews the lease of the
//! rebuilding. A batch that failed is repeated: each of them may be loaded any number of times.

pub mod pg;

use std::time::{Duration, Instant};

use self::pg::ReservationPage;
use crate::queue;
use crate::queue::draw::model::Places;
use crate::queue::draw::service::Draws;
use crate::queue::keyspaces::Line;
use crate::queue::load::EndedPlaces;
use crate::queue::model::{Ended, Sequence};
use crate::seats;
use crate::seats::service::decided;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;
use crate::store::script::ScriptError;
use crate::store::{Store, StoreError};
use crate::upkeep;

/// How long a rebuilding may go without loading anything before another process starts over. Long enough
/// for a page of PostgreSQL and a call of Redis on a machine that has too much to do.
pub const LEASE: Duration = Duration::from_secs(10);
/// How long one batch is tried again, and the pause between two tries. Longer than the lease: as long as
/// no other process has started over, going on costs less than starting over.
const TRY_FOR: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

/// Loads one schedule's keys.
#[derive(Debug)]
pub struct Loader<'a> {
    /// Where from.
    pub pg: &'a Pg,
    /// Where to, under the epoch that this process has won.
    pub line: &'a Line,
    /// The order of entry, where it was drawn.
    pub draws: &'a Draws,
    /// Which schedule.
    pub schedule: ScheduleId,
}

impl Loader<'_> {
    /// Loads seats, buyers and places. The settings are not among it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where a store does not answer for a while, or where another process
    /// has started over meanwhile.
    pub async fn load(&self) -> Result<(), StoreError> {
        self.load_seats().await?;
        if let Some(draw) = queue::draw::pg::find(self.pg, self.schedule).await? {
            let draw = &draw;
            retry(|| async move { Ok(self.line.load_draw(draw).await?) }).await?;
        }
        let places = self.draws.places(self.schedule).await?;
        self.load_places(places.as_deref()).await?;
        // After the others, so that what has ended stays as it ended.
        self.load_reservations(places.as_deref()).await
    }

    async fn load_seats(&self) -> Result<(), StoreError> {
        let total = upkeep::pg::seats_total(self.pg, self.schedule).await?;
        let mut after = 0;
        while after < total {
            let read = || async move { Ok(pg::seats(self.pg, self.schedule, after).await?) };
            let page = retry(read).await?;
            let seat = |&(seat, state)| (seat, decided(state, page.now));
            let seats: Vec<_> = page.seats.iter().map(seat).collect();
            // Also where none of them ever changed: it is progress.
            retry(|| seats::redis::load(self.line, &seats, LEASE)).await?;
            after = page.last;
        }
        Ok(())
    }

    async fn load_places(&self, drawn: Option<&Places>) -> Result<(), StoreError> {
        let (mut after, mut count, mut ended) = (Sequence(0), 0, EndedPlaces::default());
        loop {
            let read = || async move { Ok(pg::places(self.pg, self.schedule, after).await?) };
            let Some(page) = retry(read).await? else {
                break;
            };
            let in_line = |place| drawn.and_then(|drawn| drawn.drawn(place));
            for (place, reason) in &page.ended {
                ended.add(*place, *reason);
                // Whoever was drawn has two places that are over.
                if let Some(drawn) = in_line(*place) {
                    ended.add(drawn, *reason);
                }
                if ended.is_full() {
                    self.load_ended(&mut ended).await?;
                }
            }
            let slot = |&(place, ends): &(Sequence, i64)| (in_line(place).unwrap_or(place), ends);
            let slots: Vec<_> = page.slots.iter().map(slot).collect();
            retry(|| self.line.load_slots(&slots, LEASE)).await?;
            (after, count) = (page.last, count + page.count);
            // Told in statistics, and what bounds a draw: whoever is beyond is not in it.
            retry(|| self.line.load_count(count, LEASE)).await?;
        }
        self.load_ended(&mut ended).await
    }

    async fn load_reservations(&self, drawn: Option<&Places>) -> Result<(), StoreError> {
        let (mut after, mut joined) = (0, EndedPlaces::default());
        loop {
            let read = || async move { Ok(pg::reservations(self.pg, self.schedule, after).await?) };
            let Some(page) = retry(read).await? else {
                return Ok(());
            };
            let ReservationPage { buyers, paid, last } = &page;
            retry(|| seats::redis::load_buyers(self.line, buyers)).await?;
            retry(|| self.line.load_paid(paid, LEASE)).await?;
            for (_, place) in paid {
                if let Some(drawn) = drawn {
                    joined.add(drawn.joined(*place), Ended::Completed);
                }
            }
            self.load_ended(&mut joined).await?;
            after = *last;
        }
    }

    async fn load_ended(&self, ended: &mut EndedPlaces) -> Result<(), StoreError> {
        for segment in ended.take() {
            retry(|| self.line.load_ended(&segment, LEASE)).await?;
        }
        Ok(())
    }
}

/// Runs a batch until it succeeds, or was tried for too long. A shared connection may have died with the last server,
/// unnoticed until it was used.
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
                tracing::warn!(%error, "a batch of a rebuilding is tried again");
            }
            Err(error) => return Err(gave_up(error)),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Why a rebuilding ended early, as its callers see it.
pub(super) fn gave_up(error: ScriptError) -> StoreError {
    match error {
        ScriptError::Store(error) => error,
        other => StoreError::Unavailable { store: Store::Redis, reason: other.to_string() },
    }
}
