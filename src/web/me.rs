//! `/me`: the buyer's tickets and points. The page is the same for every user; its module gets the
//! data from the API, which knows the user by the access token.

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
