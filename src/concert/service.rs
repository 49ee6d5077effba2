//! The catalogue as this process knows it: at most 1 s old, whoever changed it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use moka::future::Cache;
use moka::policy::EvictionPolicy;

use super::map::MapVersion;
use super::model::{Concert, ConcertStatus, Dates, Layout, Sale, Schedule};
use super::pg;
use super::pg::listing::{self, Listed};
use super::view::{Block, ScheduleView, SectionPrice, prices};
use crate::board::service::{Boards, Watched};
use crate::board::snapshot::Board;
use crate::pagination::{Page, Paging, TimeCursor, TimePaging};
use crate::store::StoreError;
use crate::store::id::{ConcertId, ScheduleId};
use crate::store::pg::Pg;

/// How long a schedule is taken for what it was; also how long one that is not there stays so.
const FRESH: Duration = Duration::from_millis(900);
/// Schedules remembered, found or not: made-up ids push out the least used only.
const SCHEDULES: u64 = 10_000;
/// Seats of all layouts kept at a time.
const LAYOUT_SEATS: u64 = 1_000_000;
const IDLE: Duration = Duration::from_mins(10);
/// Changes are counted in this many counters, each for its share of the schedules.
const COUNTERS: usize = 64;

/// What is on sale; cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalogue {
    pg: Pg,
    boards: Boards,
    kept: Arc<Kept>,
}

/// A schedule and the number of changes made here before it was asked for: what was read before a
/// change is never taken for what stands after it, also when the reading ends later.
type Known = (ScheduleId, u64);

#[derive(Debug)]
struct Kept {
    changes: [AtomicU64; COUNTERS],
    schedules: Cache<Known, Option<Arc<Schedule>>>,
    /// Stands in while PostgreSQL cannot be asked: those who wait go on by it.
    last: Cache<Known, Arc<Schedule>>,
    layouts: Cache<(ScheduleId, i32), Arc<Layout>>,
    blocks: Cache<(ScheduleId, i32), Arc<Vec<Block>>>,
    prices: Cache<(ScheduleId, MapVersion), Arc<Vec<SectionPrice>>>,
}

/// Why the catalogue did not tell.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// There is no such concert.
    #[error("there is no such concert")]
    ConcertNotFound,
    /// There is no such schedule.
    #[error("there is no such schedule")]
    ScheduleNotFound,
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Catalogue {
    /// A catalogue that has read nothing yet.
    #[must_use]
    pub fn new(pg: Pg, boards: Boards) -> Self {
        let recent = || Cache::builder().max_capacity(SCHEDULES).eviction_policy(lru());
        let kept = Kept {
            changes: std::array::from_fn(|_| AtomicU64::new(0)),
            schedules: recent().time_to_live(FRESH).build(),
            last: Cache::builder().max_capacity(SCHEDULES).time_to_idle(IDLE).build(),
            layouts: Cache::builder()
                .weigher(|_, layout: &Arc<Layout>| count(layout.seats.len()))
                .max_capacity(LAYOUT_SEATS)
                .eviction_policy(lru())
                .time_to_idle(IDLE)
                .build(),
            blocks: Cache::builder()
                .weigher(|_, blocks: &Arc<Vec<Block>>| count(blocks.len()))
                .max_capacity(LAYOUT_SEATS)
                .eviction_policy(lru())
                .time_to_idle(IDLE)
                .build(),
            prices: Cache::builder()
                .max_capacity(SCHEDULES)
                .eviction_policy(lru())
                .time_to_live(Duration::from_secs(5))
                .build(),
        };
        Self { pg, boards, kept: Arc::new(kept) }
    }

    /// One concert.
    pub async fn concert(&self, id: ConcertId) -> Result<Concert, CatalogueError> {
        pg::concert(self.pg.pool(), id).await?.ok_or(CatalogueError::ConcertNotFound)
    }

    /// Concerts in order of their ids, all or those of one status.
    pub async fn concerts(
        &self,
        status: Option<ConcertStatus>,
        paging: Paging,
    ) -> Result<Page<Concert>, CatalogueError> {
        let concerts = pg::concerts(&self.pg, status, paging).await?;
        Ok(paging.page(concerts, |concert| concert.id.0))
    }

    /// The schedules of a concert in order of their ids.
    pub async fn schedules(
        &self,
        concert: ConcertId,
        paging: Paging,
    ) -> Result<Page<ScheduleView>, CatalogueError> {
        self.concert(concert).await?;
        let schedules = pg::schedules(&self.pg, concert, paging).await?;
        self.views(paging.page(schedules, |schedule| schedule.id.0)).await
    }

    /// Concerts by what can be bought now, all or those of one status.
    pub async fn concerts_by_sale(
        &self,
        sale: Sale,
        status: Option<ConcertStatus>,
        paging: TimePaging,
    ) -> Result<Page<Concert>, CatalogueError> {
        let listed = listing::concerts_by_sale(&self.pg, sale, status, paging).await?;
        Ok(paging.page(listed, Listed::cursor).map(|listed| listed.concert))
    }

    /// Available concerts that have no date yet, the newest first.
    pub async fn concerts_without_dates(&self, limit: u16) -> Result<Vec<Concert>, CatalogueError> {
        Ok(listing::concerts_without_dates(&self.pg, limit).await?)
    }

    /// The dates of a concert by when it plays. Empty where there is no such concert.
    pub async fn dates(
        &self,
        concert: ConcertId,
        dates: Dates,
        paging: TimePaging,
    ) -> Result<Page<ScheduleView>, CatalogueError> {
        let found = listing::dates(&self.pg, concert, dates, paging).await?;
        let end = |date: &Schedule| TimeCursor { time: date.concert_at, id: date.id.0 };
        self.views(paging.page(found, end)).await
    }

    async fn views(&self, page: Page<Schedule>) -> Result<Page<ScheduleView>, CatalogueError> {
        let mut items = Vec::with_capacity(page.items.len());
        for schedule in &page.items {
            items.push(self.view_of(schedule).await?);
        }
        Ok(Page { items, next_cursor: page.next_cursor })
    }

    /// One schedule as everybody sees it.
    pub async fn view(&self, id: ScheduleId) -> Result<ScheduleView, CatalogueError> {
        self.view_of(&*self.schedule(id).await?).await
    }

    /// One schedule, at most 1 s old; after a change made in this process, as it stands now.
    ///
    /// While PostgreSQL cannot be asked, what was read last.
    ///
    /// # Errors
    /// [`CatalogueError::ScheduleNotFound`], also for the next second after it was made elsewhere.
    pub async fn schedule(&self, id: ScheduleId) -> Result<Arc<Schedule>, CatalogueError> {
        let known = (id, self.changes(id).load(Ordering::Acquire));
        let found = if let Some(found) = self.kept.schedules.get(&known).await {
            found
        } else {
            let read = self.kept.schedules.try_get_with(known, self.read(known));
            Box::pin(read).await.map_err(shared)?
        };
        found.ok_or(CatalogueError::ScheduleNotFound)
    }

    async fn read(&self, known: Known) -> Result<Option<Arc<Schedule>>, StoreError> {
        match pg::schedule(&self.pg, known.0).await {
            Ok(Some(schedule)) => {
                let schedule = Arc::new(schedule);
                self.kept.last.insert(known, Arc::clone(&schedule)).await;
                Ok(Some(schedule))
            }
            Ok(None) => Ok(None),
            Err(error @ StoreError::Unavailable { .. }) => match self.kept.last.get(&known).await {
                Some(last) => Ok(Some(last)),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Makes the next [`Catalogue::schedule`] read anew: for after a change of one's own.
    pub fn forget(&self, id: ScheduleId) {
        self.changes(id).fetch_add(1, Ordering::AcqRel);
    }

    fn changes(&self, id: ScheduleId) -> &AtomicU64 {
        let id = usize::try_from(id.0.unsigned_abs()).unwrap_or(usize::MAX);
        &self.kept.changes[id % COUNTERS]
    }

    /// All seats of a schedule, of the version that [`Catalogue::schedule`] tells or a newer one.
    pub async fn layout(&self, id: ScheduleId) -> Result<Arc<Layout>, CatalogueError> {
        self.layout_of(&*self.schedule(id).await?).await
    }

    /// As [`Catalogue::layout`], of a schedule at hand.
    pub async fn layout_of(&self, schedule: &Schedule) -> Result<Arc<Layout>, CatalogueError> {
        let (id, known) = (schedule.id, (schedule.id, schedule.layout_version));
        if let Some(layout) = self.kept.layouts.get(&known).await {
            return Ok(layout);
        }
        let read = async { pg::layout(&self.pg, id).await.map(Arc::new) };
        Ok(Box::pin(self.kept.layouts.try_get_with(known, read)).await.map_err(shared)?)
    }

    /// The seats and their states.
    pub async fn seats(&self, id: ScheduleId) -> Result<(Arc<Layout>, Arc<Board>), CatalogueError> {
        let layout = self.layout(id).await?;
        Ok((layout, self.boards.get(id).await?))
    }

    /// As [`Catalogue::seats`], where all of it is in memory.
    #[must_use]
    pub fn known_seats(&self, id: ScheduleId) -> Option<(Arc<Layout>, Arc<Board>)> {
        let known = (id, self.changes(id).load(Ordering::Acquire));
        let schedule = self.kept.schedules.get(&known).now_or_never()??;
        let layout = (id, schedule?.layout_version);
        let layout = self.kept.layouts.get(&layout).now_or_never()??;
        Some((layout, self.boards.watch(id).board()?))
    }

    /// The watch of a schedule's seats.
    #[must_use]
    pub fn watch(&self, id: ScheduleId) -> Arc<Watched> {
        self.boards.watch(id)
    }

    async fn view_of(&self, schedule: &Schedule) -> Result<ScheduleView, CatalogueError> {
        let board = self.boards.get(schedule.id).await?;
        let (id, layout) = (schedule.id, schedule.layout_version);
        let version = MapVersion { seats: board.seats.version, layout };
        let count = async {
            let read = async { pg::blocks(&self.pg, id).await.map(Arc::new) };
            let blocks = self.kept.blocks.try_get_with((id, layout), read).await.map_err(shared)?;
            Ok(Arc::new(prices(&blocks, &board.seats)))
        };
        let prices = self.kept.prices.try_get_with((id, version), count).await.map_err(shared)?;
        Ok(ScheduleView::new(schedule, &board, prices.to_vec()))
    }
}

/// With the default policy a new entry must be asked for often before it pushes out an old one:
/// a version that has just come would be made for every request.
fn lru() -> EvictionPolicy {
    EvictionPolicy::lru()
}

fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX).max(1)
}

/// An error that several callers wait for is theirs together; each gets its own.
#[expect(clippy::needless_pass_by_value, reason = "what `map_err` gives")]
fn shared(error: Arc<StoreError>) -> StoreError {
    match &*error {
        StoreError::Unavailable { store, reason } => {
            StoreError::Unavailable { store: *store, reason: reason.clone() }
        }
        StoreError::SaleOver => StoreError::SaleOver,
        StoreError::Conflict(reason) => StoreError::Conflict(reason.clone()),
        StoreError::OutcomeUnknown(reason) => StoreError::OutcomeUnknown(reason.clone()),
        StoreError::Inconsistent(reason) => StoreError::Inconsistent(reason.clone()),
        StoreError::Defect { store, reason } => {
            StoreError::Defect { store: *store, reason: reason.clone() }
        }
    }
}
