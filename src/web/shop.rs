//! Data of the sale pages: what is on sale. Each page is loaded at most once per second, for any
//! number of readers.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use moka::future::Cache;
use serde::Serialize;

use crate::concert::model::{Concert, ConcertStatus, Dates, Phase, Sale};
use crate::concert::service::{Catalogue, CatalogueError};
use crate::concert::view::ScheduleView;
use crate::http::api::problem::Problem;
use crate::pagination::{TimeCursor, TimePaging};
use crate::store::id::ConcertId;

/// How long a page's data are served from memory.
const FRESH: Duration = Duration::from_secs(1);
/// Maximum number of pages in memory, also of those kept for an outage of the stores.
const CAPACITY: u64 = 1000;
/// Maximum number of concerts in one section of the home page.
const CONCERTS: u16 = 20;
/// Maximum number of dates per concert on the home page.
const NEXT_DATES: u16 = 3;
/// Maximum number of dates on one page of a concert.
const DATES: u16 = 30;

/// Which data a page shows. Cursors come from the previous page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// The first page: concerts on sale, those that open next, and those without dates.
    Home,
    /// More concerts of one section of the home page.
    More(Sale, TimeCursor),
    /// Dates of one concert.
    Concert(ConcertId, Dates, Option<TimeCursor>),
    /// One concert without its dates.
    About(ConcertId),
}

/// Which concerts or dates a section lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Concerts on sale.
    Open,
    /// Concerts whose sale is still to open.
    Upcoming,
    /// Concerts without dates.
    Announced,
    /// Dates of one concert whose sale is not over.
    Dates,
    /// Dates of one concert whose sale is over.
    Past,
}

/// A concert and some of its dates.
#[derive(Debug, Clone, Serialize)]
pub struct Show {
    /// The concert.
    pub concert: Concert,
    /// The dates, in the order of their section.
    pub schedules: Vec<ScheduleView>,
    /// Whether the concert has more dates of this kind.
    pub more: bool,
}

/// One list of a page.
#[derive(Debug, Serialize)]
pub struct Section {
    /// What the section lists.
    pub kind: Kind,
    /// The concerts; exactly one if the section lists dates.
    pub shows: Vec<Show>,
    /// Maximum number of listed dates per concert.
    pub dates: u16,
    /// The cursor at which the list begins, for the API's `?cursor=`; none on the first page.
    pub cursor: Option<String>,
    /// The address of the next page; none on the last page.
    pub next: Option<String>,
}

/// The data of one page at one time.
#[derive(Debug, Serialize)]
pub struct Offer {
    /// The lists, none of them empty.
    pub sections: Vec<Section>,
    /// The concert of the page; none on the home page.
    pub concert: Option<Concert>,
    /// Whether the concert has past dates that are not on the page.
    pub past: bool,
    /// When the data were loaded.
    pub as_of: DateTime<Utc>,
}

/// Loads and caches what is on sale; cheap to clone.
#[derive(Debug, Clone)]
pub struct Shop {
    catalogue: Catalogue,
    current: Cache<View, Arc<Offer>>,
    /// The last data of each page, for an outage of the stores.
    last: Cache<View, Arc<Offer>>,
}

impl Shop {
    /// Creates an empty cache.
    #[must_use]
    pub fn new(catalogue: Catalogue) -> Self {
        let current = Cache::builder().max_capacity(CAPACITY).time_to_live(FRESH).build();
        Self { catalogue, current, last: Cache::new(CAPACITY) }
    }

    /// The data of a page. While the stores do not answer, the last data that were loaded.
    ///
    /// # Errors
    /// `404 concert_not_found`; `503 store_unavailable` if the stores do not answer and the page
    /// was never loaded.
    pub async fn offer(&self, view: View) -> Result<Arc<Offer>, Problem> {
        let offer = self.current.try_get_with(view, self.load(view)).await;
        match offer.as_ref().map_err(|error| &**error) {
            Ok(offer) => Ok(Arc::clone(offer)),
            Err(CatalogueError::Store(error)) => {
                tracing::warn!(%error, "the data of a sale page could not be loaded");
                self.last.get(&view).await.ok_or_else(Problem::store_unavailable)
            }
            Err(CatalogueError::ConcertNotFound) => Err(CatalogueError::ConcertNotFound.into()),
            Err(CatalogueError::ScheduleNotFound) => Err(CatalogueError::ScheduleNotFound.into()),
        }
    }

    async fn load(&self, view: View) -> Result<Arc<Offer>, CatalogueError> {
        let (mut sections, mut about, mut past) = (Vec::new(), None, false);
        match view {
            View::Home => {
                sections.push(self.concerts(Sale::Open, None).await?);
                sections.push(self.concerts(Sale::Upcoming, None).await?);
                sections.push(self.announced().await?);
            }
            View::More(sale, after) => sections.push(self.concerts(sale, Some(after)).await?),
            View::About(id) => about = Some(self.catalogue.concert(id).await?),
            View::Concert(id, dates, after) => {
                let concert = self.catalogue.concert(id).await?;
                let section = self.dates(&concert, dates, after, DATES).await?;
                let empty = section.shows.iter().all(|show| show.schedules.is_empty());
                let first = dates == Dates::Upcoming && after.is_none();
                if first && empty {
                    sections.push(self.dates(&concert, Dates::Past, None, DATES).await?);
                } else {
                    sections.push(section);
                    past = first && self.has_past(&concert).await?;
                }
                about = Some(concert);
            }
        }
        let listed = |show: &Show, kind| !show.schedules.is_empty() || kind == Kind::Announced;
        sections.retain(|section| section.shows.iter().any(|show| listed(show, section.kind)));
        let offer = Arc::new(Offer { sections, concert: about, past, as_of: Utc::now() });
        self.last.insert(view, Arc::clone(&offer)).await;
        Ok(offer)
    }

    /// Concerts on sale, or soon on sale, each with its next dates; concerts that are sold out come
    /// last.
    async fn concerts(
        &self,
        sale: Sale,
        after: Option<TimeCursor>,
    ) -> Result<Section, CatalogueError> {
        let paging = TimePaging { limit: CONCERTS, after };
        let available = Some(ConcertStatus::Available);
        let page = self.catalogue.concerts_by_sale(sale, available, paging).await?;
        let mut shows = Vec::with_capacity(page.items.len());
        for concert in page.items {
            let next = self.dates(&concert, Dates::Upcoming, None, NEXT_DATES).await?;
            // Empty if the concert's last sale ended between the two reads.
            shows.extend(next.shows.into_iter().filter(|show| !show.schedules.is_empty()));
        }
        shows.sort_by_key(is_sold_out);
        let (kind, name) = match sale {
            Sale::Open => (Kind::Open, "open"),
            Sale::Upcoming => (Kind::Upcoming, "upcoming"),
        };
        let next = page.next_cursor.map(|cursor| format!("/?{name}={cursor}"));
        Ok(Section { kind, shows, dates: NEXT_DATES, cursor: None, next })
    }

    async fn announced(&self) -> Result<Section, CatalogueError> {
        let concerts = self.catalogue.concerts_without_dates(CONCERTS).await?;
        let show = |concert| Show { concert, schedules: Vec::new(), more: false };
        let shows = concerts.into_iter().map(show).collect();
        Ok(Section { kind: Kind::Announced, shows, dates: 0, cursor: None, next: None })
    }

    async fn dates(
        &self,
        concert: &Concert,
        dates: Dates,
        after: Option<TimeCursor>,
        limit: u16,
    ) -> Result<Section, CatalogueError> {
        let paging = TimePaging { limit, after };
        let page = self.catalogue.dates(concert.id, dates, paging).await?;
        let (kind, name) = match dates {
            Dates::Upcoming => (Kind::Dates, "after"),
            Dates::Past => (Kind::Past, "past"),
        };
        let address = |cursor| format!("/concerts/{}?{name}={cursor}", concert.id);
        let (concert, more) = (concert.clone(), page.next_cursor.is_some());
        let next = page.next_cursor.map(address);
        let shows = vec![Show { concert, schedules: page.items, more }];
        let cursor = after.map(TimeCursor::encode);
        Ok(Section { kind, shows, dates: limit, cursor, next })
    }

    async fn has_past(&self, concert: &Concert) -> Result<bool, CatalogueError> {
        let one = TimePaging { limit: 1, after: None };
        Ok(!self.catalogue.dates(concert.id, Dates::Past, one).await?.items.is_empty())
    }
}

/// Whether every date of the concert is sold out.
fn is_sold_out(show: &Show) -> bool {
    !show.more && show.schedules.iter().all(|date| date.phase == Phase::SoldOut)
}
