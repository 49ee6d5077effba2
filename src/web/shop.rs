//! What is on sale, for the sale page: looked up once a second, however many look.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use moka::future::Cache;
use serde::Serialize;

use crate::concert::model::{Concert, ConcertStatus, Phase};
use crate::concert::service::{Catalogue, CatalogueError};
use crate::concert::view::ScheduleView;
use crate::http::page::Paging;
use crate::http::problem::Problem;
use crate::store::id::ConcertId;

const FRESH: Duration = Duration::from_secs(1);
/// Pages kept for when the stores do not answer.
const KEPT: u64 = 1000;
/// Concerts on the first page; each asks for its schedules.
const CONCERTS: u16 = 50;
const SCHEDULES: u16 = 100;

/// A concert and when it plays.
#[derive(Debug, Clone, Serialize)]
pub struct Show {
    /// The concert.
    pub concert: Concert,
    /// Its schedules, those that can be bought first.
    pub schedules: Vec<ScheduleView>,
}

/// What there was at some time.
#[derive(Debug, Serialize)]
pub struct Offer {
    /// The concerts, those that can be bought first.
    pub shows: Vec<Show>,
    /// When it was looked up.
    pub as_of: DateTime<Utc>,
}

/// One concert, or all that are on.
type Which = Option<ConcertId>;

/// What is on sale; cheap to clone.
#[derive(Debug, Clone)]
pub struct Shop {
    catalogue: Catalogue,
    now: Cache<Which, Arc<Offer>>,
    last: Cache<Which, Arc<Offer>>,
}

impl Shop {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(catalogue: Catalogue) -> Self {
        let now = Cache::builder().max_capacity(KEPT).time_to_live(FRESH).build();
        Self { catalogue, now, last: Cache::new(KEPT) }
    }

    /// All concerts that are on, or one. While the stores do not answer, what was known last.
    ///
    /// # Errors
    /// `404 concert_not_found`; `503 store_unavailable` where nothing was ever known.
    pub async fn offer(&self, which: Which) -> Result<Arc<Offer>, Problem> {
        let found = self.now.try_get_with(which, self.look(which)).await;
        match found.as_ref().map_err(|error| &**error) {
            Ok(offer) => Ok(Arc::clone(offer)),
            Err(CatalogueError::Store(error)) => {
                tracing::warn!(%error, "a sale page could not be looked up");
                self.last.get(&which).await.ok_or_else(Problem::store_unavailable)
            }
            Err(CatalogueError::ConcertNotFound) => Err(CatalogueError::ConcertNotFound.into()),
            Err(CatalogueError::ScheduleNotFound) => Err(CatalogueError::ScheduleNotFound.into()),
        }
    }

    async fn look(&self, which: Which) -> Result<Arc<Offer>, CatalogueError> {
        let concerts = if let Some(id) = which {
            vec![self.catalogue.concert(id).await?]
        } else {
            let page = Paging { limit: CONCERTS, after: None };
            self.catalogue.concerts(Some(ConcertStatus::Available), page).await?.items
        };
        let mut shows = Vec::with_capacity(concerts.len());
        for concert in concerts {
            let page = Paging { limit: SCHEDULES, after: None };
            let mut schedules = self.catalogue.schedules(concert.id, page).await?.items;
            schedules.sort_by_key(rank);
            shows.push(Show { concert, schedules });
        }
        shows
            .sort_by_key(|show| show.schedules.first().map_or((4, DateTime::<Utc>::MAX_UTC), rank));
        let offer = Arc::new(Offer { shows, as_of: Utc::now() });
        self.last.insert(which, Arc::clone(&offer)).await;
        Ok(offer)
    }
}

/// What can be bought first, what opens next after it, and what is over last.
fn rank(schedule: &ScheduleView) -> (u8, DateTime<Utc>) {
    match schedule.phase {
        Phase::Open | Phase::Paused => (0, schedule.concert_at),
        Phase::Upcoming => (1, schedule.reservation_available_at),
        Phase::SoldOut => (2, schedule.concert_at),
        Phase::Closed => (3, schedule.concert_at),
    }
}
