//! `/` and `/concerts/{id}`: what is on sale, when, and for how much.

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
    /// Whether it is the first page, with nothing before it.
    first: bool,
}

/// Where a list of the home page goes on.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
pub(super) struct After {
    /// Concerts on sale after this cursor.
    #[garde(skip)]
    open: Option<String>,
    /// Concerts whose sale is still to open after this cursor.
    #[garde(skip)]
    upcoming: Option<String>,
}

/// Which dates of a concert.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
pub(super) struct WhichDates {
    /// Dates to come after this cursor.
    #[garde(skip)]
    after: Option<String>,
    /// Past dates, after this cursor or, where it is empty, from the latest.
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

/// What the template asks of a section.
impl SalePage {
    /// Its heading; none where the page's own heading says what is listed.
    fn heading(&self, section: &Section) -> Option<&str> {
        Some(self.page.t(match section.kind {
            Kind::Open => "sale.section.open",
            Kind::Upcoming => "sale.section.upcoming",
            Kind::Announced => "sale.section.announced",
            Kind::Past => "sale.section.past",
            Kind::Dates => return None,
        }))
    }

    /// What the link to its next page says.
    fn more(&self, section: &Section) -> &str {
        self.page.t(match section.kind {
            Kind::Dates => "sale.more.dates",
            Kind::Past => "sale.more.past",
            _ => "sale.more.concerts",
        })
    }
}

/// What the template asks of a schedule.
impl SalePage {
    fn phase(&self, schedule: &ScheduleView) -> String {
        self.page.t(&format!("sale.phase.{}", Self::key(schedule))).to_owned()
    }

    /// The phase as the API has it.
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

    /// Whether there is a line to go to, now or when it opens.
    fn joinable(&self, schedule: &ScheduleView) -> bool {
        let on = matches!(schedule.phase, Phase::Open | Phase::Paused);
        on || self.upcoming(schedule)
    }

    fn withdrawn(concert: &Concert) -> bool {
        concert.status == ConcertStatus::Unavailable
    }

    /// The lowest and the highest price.
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
