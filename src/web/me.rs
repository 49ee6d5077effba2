//! `/me`: somebody's tickets and points. Whose is known to the API alone, so that the page is the
//! same for everybody, and its module asks.

use askama::Template;
use axum::response::Response;

use super::page::Page;
use super::visit::Visit;
use crate::http::api::problem::Problem;

#[derive(Template)]
#[template(path = "me.html")]
struct MePage {
    page: Page,
}

/// `GET /me`
pub(super) async fn me(visit: Visit) -> Result<Response, Problem> {
    visit.html(&MePage { page: Page::named(&visit, "me").texts("shop") })
}
