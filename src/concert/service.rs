//! Reads of the catalogue, with caches. A schedule is at most 1 s old, whichever process changed
//! it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use moka::future::Cache;
use moka::policy::EvictionPolicy;

use super::audience::Audience;
use super::layout::Layout;
use super::map::MapVersion;
use super::model::{Concert, ConcertStatus, Dates, Sale, Schedule};
use super::pg;
use super::pg::listing::{self, Listed};
use super::view::{Block, ScheduleView, SectionPrice, prices};
use crate::board::service::{Boards, Watched};
use crate::board::snapshot::Board;
use crate::pagination::{Page, Paging, TimeCursor, TimePaging};
use crate::store::StoreError;
use crate::store::id::{ConcertId, ScheduleId};
use crate::store::pg::Pg;

/// Time for which a read schedule is used, and for which a missing one counts as missing.
const SCHEDULE_TTL: Duration = Duration::from_millis(900);
/// Schedules in the cache, found or missing. Made-up ids push out only the least recently used.
const SCHEDULES: u64 = 10_000;
/// Seats of all cached layouts together.
const LAYOUT_SEATS: u64 = 1_000_000;
/// Time without use after which an entry is dropped.
const IDLE: Duration = Duration::from_mins(10);
/// Number of counters of changes. Schedules share them.
const COUNTERS: usize = 64;

/// The catalogue as a service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalogue {
    pg: Pg,
    boards: Boards,
    caches: Arc<Caches>,
    audience: Audience,
}

/// Cache key: a schedule, and the number of changes that this process made before the read. So a
/// read that began before a change is not used after it, even if the read ends later.
type CacheKey = (ScheduleId, u64);

#[derive(Debug)]
struct Caches {
    changes: [AtomicU64; COUNTERS],
    schedules: Cache<CacheKey, Option<Arc<Schedule>>>,
    /// The last read, for use while PostgreSQL is unavailable. Waiting users continue with it.
    last: Cache<CacheKey, Arc<Schedule>>,
    layouts: Cache<(ScheduleId, i32), Arc<Layout>>,
    blocks: Cache<(ScheduleId, i32), Arc<Vec<Block>>>,
    prices: Cache<(ScheduleId, MapVersion), Arc<Vec<SectionPrice>>>,
}

/// Errors of the catalogue.
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
    /// Creates the service for the public, with empty caches.
    #[must_use]
    pub fn new(pg: Pg, boards: Boards) -> Self {
        let recent = || Cache::builder().max_capacity(SCHEDULES).eviction_policy(lru());
        let caches = Caches {
            changes: std::array::from_fn(|_| AtomicU64::new(0)),
            schedules: recent().time_to_live(SCHEDULE_TTL).build(),
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
        Self { pg, boards, caches: Arc::new(caches), audience: Audience::Public }
    }

    /// The same catalogue with drafts, for administrators and the loops.
    #[must_use]
    pub fn with_drafts(&self) -> Self {
        Self { audience: Audience::Administrators, ..self.clone() }
    }

    /// Reads a concert.
    pub async fn concert(&self, id: ConcertId) -> Result<Concert, CatalogueError> {
        pg::concert(self.pg.pool(), id, self.audience).await?.ok_or(CatalogueError::ConcertNotFound)
    }

    /// Lists concerts of one status, or of any, in order of their ids.
    pub async fn concerts(
        &self,
        status: Option<ConcertStatus>,
        paging: Paging,
    ) -> Result<Page<Concert>, CatalogueError> {
        let concerts = pg::concerts(&self.pg, status, paging, self.audience).await?;
        Ok(paging.page(concerts, |concert| concert.id.0))
    }

    /// Lists the schedules of a concert in order of their ids.
    pub async fn schedules(
        &self,
        concert: ConcertId,
        paging: Paging,
    ) -> Result<Page<ScheduleView>, CatalogueError> {
        self.views(self.schedule_rows(concert, paging).await?).await
    }

    /// As [`Catalogue::schedules`], without seat counts and prices.
    pub async fn schedule_rows(
        &self,
        concert: ConcertId,
        paging: Paging,
    ) -> Result<Page<Schedule>, CatalogueError> {
        self.concert(concert).await?;
        let schedules = pg::schedules(&self.pg, concert, paging, self.audience).await?;
        Ok(paging.page(schedules, |schedule| schedule.id.0))
    }

    /// Lists concerts of one status, or of any, by the openings of their sales.
    pub async fn concerts_by_sale(
        &self,
        sale: Sale,
        status: Option<ConcertStatus>,
        paging: TimePaging,
    ) -> Result<Page<Concert>, CatalogueError> {
        let listed = listing::concerts_by_sale(&self.pg, sale, status, paging).await?;
        Ok(paging.page(listed, Listed::cursor).map(|listed| listed.concert))
    }

    /// Lists available concerts without dates, the newest first.
    pub async fn concerts_without_dates(&self, limit: u16) -> Result<Vec<Concert>, CatalogueError> {
        Ok(listing::concerts_without_dates(&self.pg, limit).await?)
    }

    /// Lists the dates of a concert in order of time. Empty if there is no such concert.
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

    /// Reads the public view of a schedule.
    pub async fn view(&self, id: ScheduleId) -> Result<ScheduleView, CatalogueError> {
        self.view_of(&*self.schedule(id).await?).await
    }

    /// Reads a schedule, at most 1 s old. Changes made in this process are visible at once.
    ///
    /// While PostgreSQL is unavailable, returns the last schedule that was read.
    ///
    /// # Errors
    /// [`CatalogueError::ScheduleNotFound`]; also for up to 1 s after another process created the
    /// schedule.
    pub async fn schedule(&self, id: ScheduleId) -> Result<Arc<Schedule>, CatalogueError> {
        let key = (id, self.changes(id).load(Ordering::Acquire));
        let found = if let Some(found) = self.caches.schedules.get(&key).await {
            found
        } else {
            let read = self.caches.schedules.try_get_with(key, self.read(key));
            Box::pin(read).await.map_err(Arc::<StoreError>::unwrap_or_clone)?
        };
        let visible = |schedule: &Arc<Schedule>| schedule.hidden.is_visible_to(self.audience);
        found.filter(visible).ok_or(CatalogueError::ScheduleNotFound)
    }

    async fn read(&self, key: CacheKey) -> Result<Option<Arc<Schedule>>, StoreError> {
        match pg::schedule(&self.pg, key.0).await {
            Ok(Some(schedule)) => {
                let schedule = Arc::new(schedule);
                self.caches.last.insert(key, Arc::clone(&schedule)).await;
                Ok(Some(schedule))
            }
            Ok(None) => Ok(None),
            Err(error @ StoreError::Unavailable { .. }) => match self.caches.last.get(&key).await {
                Some(last) => Ok(Some(last)),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Makes the next [`Catalogue::schedule`] read from PostgreSQL. Call it after a change.
    pub fn invalidate(&self, id: ScheduleId) {
        self.changes(id).fetch_add(1, Ordering::AcqRel);
    }

    fn changes(&self, id: ScheduleId) -> &AtomicU64 {
        let id = usize::try_from(id.0.unsigned_abs()).unwrap_or(usize::MAX);
        &self.caches.changes[id % COUNTERS]
    }

    /// Reads all seats of a schedule, in the layout version of [`Catalogue::schedule`] or a newer
    /// one.
    pub async fn layout(&self, id: ScheduleId) -> Result<Arc<Layout>, CatalogueError> {
        self.layout_of(&*self.schedule(id).await?).await
    }

    /// Like [`Catalogue::layout`], for a schedule that the caller has read.
    pub async fn layout_of(&self, schedule: &Schedule) -> Result<Arc<Layout>, CatalogueError> {
        let (id, key) = (schedule.id, (schedule.id, schedule.layout_version));
        if let Some(layout) = self.caches.layouts.get(&key).await {
            return Ok(layout);
        }
        let read = async { pg::layout(&self.pg, id).await.map(Arc::new) };
        Ok(Box::pin(self.caches.layouts.try_get_with(key, read))
            .await
            .map_err(Arc::<StoreError>::unwrap_or_clone)?)
    }

    /// Reads all seats of a schedule, and the board with their states.
    pub async fn seats(&self, id: ScheduleId) -> Result<(Arc<Layout>, Arc<Board>), CatalogueError> {
        let layout = self.layout(id).await?;
        Ok((layout, self.boards.get(id).await?))
    }

    /// Like [`Catalogue::seats`], but only from memory; `None` if a part of it is missing there.
    #[must_use]
    pub fn known_seats(&self, id: ScheduleId) -> Option<(Arc<Layout>, Arc<Board>)> {
        let key = (id, self.changes(id).load(Ordering::Acquire));
        let schedule = self.caches.schedules.get(&key).now_or_never()???;
        if !schedule.hidden.is_visible_to(self.audience) {
            return None;
        }
        let layout = (id, schedule.layout_version);
        let layout = self.caches.layouts.get(&layout).now_or_never()??;
        Some((layout, self.boards.watch(id).board()?))
    }

    /// Returns the watch on a schedule's board.
    #[must_use]
    pub fn watch(&self, id: ScheduleId) -> Arc<Watched> {
        self.boards.watch(id)
    }

    /// As [`Catalogue::view`], for a schedule that the caller has read.
    pub async fn view_of(&self, schedule: &Schedule) -> Result<ScheduleView, CatalogueError> {
        let board = self.boards.get(schedule.id).await?;
        let (id, layout) = (schedule.id, schedule.layout_version);
        let version = MapVersion { seats: board.seats.version, layout };
        let count = async {
            let read = async { pg::blocks(&self.pg, id).await.map(Arc::new) };
            let blocks = self.caches.blocks.try_get_with((id, layout), read).await;
            let blocks = blocks.map_err(Arc::<StoreError>::unwrap_or_clone)?;
            Ok(Arc::new(prices(&blocks, &board.seats)))
        };
        let prices = self.caches.prices.try_get_with((id, version), count).await;
        let prices = prices.map_err(Arc::<StoreError>::unwrap_or_clone)?;
        Ok(ScheduleView::new(schedule, &board, prices.to_vec()))
    }
}

/// The LRU policy. With the default policy a new entry enters a full cache only after many
/// requests, so each request for a new version would build it again.
fn lru() -> EvictionPolicy {
    EvictionPolicy::lru()
}

fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX).max(1)
}
