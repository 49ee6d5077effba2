//! `/` and `/concerts/{id}`: the concerts and dates on sale, with their prices.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use serde::Deserialize;

use super::context::Web;
use super::page::Page;
use super::shop::{Kind, Offer, Section, View};
use super::visit::Visit;
use crate::concert::model::{Concert, ConcertStatus, Dates, Phase, Sale};
use crate::concert::view::ScheduleView;
use crate::http::api::body::{Path, Query};
use crate::http::api::pagination::parse_time_cursor;
use crate::http::api::problem::Problem;
use crate::store::id::ConcertId;

#[derive(Template)]
#[template(path = "sale.html")]
struct SalePage {
    page: Page,
    offer: Arc<Offer>,
    /// Whether it is the first page of its lists.
    first: bool,
}

/// The position at which a list of the home page continues.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
pub(super) struct After {
    /// Concerts on sale, after this cursor.
    #[garde(skip)]
    open: Option<String>,
    /// Concerts whose sale has not opened yet, after this cursor.
    #[garde(skip)]
    upcoming: Option<String>,
}

/// Which dates of a concert to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
pub(super) struct WhichDates {
    /// Future dates, after this cursor.
    #[garde(skip)]
    after: Option<String>,
    /// Past dates, after this cursor; from the latest if it is empty.
    #[garde(skip)]
    past: Option<String>,
}

/// `GET /`
pub(super) async fn concerts(
    State(web): State<Web>,
    visit: Visit,
    Query(After { open, upcoming }): Query<After>,
) -> Result<Response, Problem> {
    let view = match (open, upcoming) {
        (Some(open), _) => View::More(Sale::Open, parse_time_cursor(&open)?),
        (None, Some(upcoming)) => View::More(Sale::Upcoming, parse_time_cursor(&upcoming)?),
        (None, None) => View::Home,
    };
    show(&visit, web.shop.offer(view).await?, view == View::Home)
}

/// `GET /concerts/{id}`
pub(super) async fn concert(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<ConcertId>,
    Query(WhichDates { after, past }): Query<WhichDates>,
) -> Result<Response, Problem> {
    let dates = if past.is_some() { Dates::Past } else { Dates::Upcoming };
    let after = past.or(after).filter(|cursor| !cursor.is_empty());
    let after = after.as_deref().map(parse_time_cursor).transpose()?;
    let offer = web.shop.offer(View::Concert(id, dates, after)).await?;
    show(&visit, offer, dates == Dates::Upcoming && after.is_none())
}

fn show(visit: &Visit, offer: Arc<Offer>, first: bool) -> Result<Response, Problem> {
    let page = Page::named(visit, "sale").with("offer", &*offer);
    let page = match &offer.concert {
        Some(concert) => page.titled(&concert.title),
        None => page,
    };
    visit.html(&SalePage { page, offer, first })
}

/// What the template needs to know about a section.
impl SalePage {
    /// The section's heading; none if the page's own heading suffices.
    fn heading(&self, section: &Section) -> Option<&str> {
        Some(self.page.t(match section.kind {
            Kind::Open => "sale.section.open",
            Kind::Upcoming => "sale.section.upcoming",
            Kind::Announced => "sale.section.announced",
            Kind::Past => "sale.section.past",
            Kind::Dates => return None,
        }))
    }

    /// The text of the link to the next page.
    fn more(&self, section: &Section) -> &str {
        self.page.t(match section.kind {
            Kind::Dates => "sale.more.dates",
            Kind::Past => "sale.more.past",
            _ => "sale.more.concerts",
        })
    }
}

/// What the template needs to know about a schedule.
impl SalePage {
    fn phase(&self, schedule: &ScheduleView) -> String {
        self.page.t(&format!("sale.phase.{}", Self::key(schedule))).to_owned()
    }

    /// The name of the phase in the API.
    fn key(schedule: &ScheduleView) -> &'static str {
        match schedule.phase {
            Phase::Upcoming => "UPCOMING",
            Phase::Open => "OPEN",
            Phase::Paused => "PAUSED",
            Phase::SoldOut => "SOLD_OUT",
            Phase::Closed => "CLOSED",
        }
    }

    fn upcoming(&self, schedule: &ScheduleView) -> bool {
        schedule.phase == Phase::Upcoming && schedule.reservation_available_at > self.offer.as_of
    }

    /// Whether the queue can be joined, now or when it opens.
    fn joinable(&self, schedule: &ScheduleView) -> bool {
        let is_open = matches!(schedule.phase, Phase::Open | Phase::Paused);
        is_open || self.upcoming(schedule)
    }

    fn withdrawn(concert: &Concert) -> bool {
        concert.status == ConcertStatus::Unavailable
    }

    /// The price, or the lowest and the highest price.
    fn prices(&self, schedule: &ScheduleView) -> String {
        let prices = || schedule.prices.iter().map(|price| price.seat_price);
        match (prices().min(), prices().max()) {
            (Some(low), Some(high)) if low < high => {
                format!("{} – {}", self.page.money(&low), self.page.money(&high))
            }
            (Some(only), _) => self.page.money(&only),
            (None, _) => String::new(),
        }
    }
}
