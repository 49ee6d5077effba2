//! `/schedules/{id}/seats`: the seat map, to view and to choose seats.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::context::Web;
use super::page::Page;
use super::visit::Visit;
use crate::concert::model::Concert;
use crate::concert::view::ScheduleView;
use crate::http::api::body::Path;
use crate::http::api::problem::Problem;
use crate::store::id::ScheduleId;

#[derive(Template)]
#[template(path = "seats.html")]
struct SeatsPage {
    page: Page,
    concert: Concert,
    schedule: ScheduleView,
}

/// `GET /schedules/{id}/seats`
pub(super) async fn seats(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<ScheduleId>,
) -> Result<Response, Problem> {
    let schedule = web.catalogue.view(id).await?;
    let concert = web.catalogue.concert(schedule.concert_id).await?;
    let layout = web.catalogue.layout(id).await?;
    let page = Page::named(&visit, "seats")
        .titled(format!("{} · {}", visit.t("seats.title"), concert.title))
        .texts("shop")
        .with("schedule", &schedule)
        // The browser may cache each version of the layout without a time limit.
        .with("layout_version", layout.version);
    visit.html(&SeatsPage { page, concert, schedule })
}
