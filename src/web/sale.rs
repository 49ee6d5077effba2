//! `/` and `/concerts/{id}`: what is on sale, when, and for how much.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::Web;
use super::page::{Page, Visit};
use super::shop::{Offer, Show};
use crate::concert::model::{ConcertStatus, Phase};
use crate::concert::view::ScheduleView;
use crate::http::body::Path;
use crate::http::problem::Problem;
use crate::store::id::ConcertId;

#[derive(Template)]
#[template(path = "sale.html")]
struct SalePage {
    page: Page,
    offer: Arc<Offer>,
    /// Whether it is the page of one concert.
    one: bool,
}

/// `GET /`
pub(super) async fn concerts(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    let offer = web.shop.offer(None).await?;
    show(&visit, offer, None)
}

/// `GET /concerts/{id}`
pub(super) async fn concert(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<ConcertId>,
) -> Result<Response, Problem> {
    let offer = web.shop.offer(Some(id)).await?;
    let title = offer.shows.first().map(|show| show.concert.title.clone());
    show(&visit, offer, title)
}

fn show(visit: &Visit, offer: Arc<Offer>, title: Option<String>) -> Result<Response, Problem> {
    let page = Page::named(visit, "sale").with("offer", &*offer).with("one", title.is_some());
    let (page, one) = match title {
        Some(title) => (page.titled(title), true),
        None => (page, false),
    };
    visit.html(&SalePage { page, offer, one })
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

    fn withdrawn(&self, show: &Show) -> bool {
        self.one && show.concert.status == ConcertStatus::Unavailable
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
