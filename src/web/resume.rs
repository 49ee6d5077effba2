//! `/continue#<code>`: going on with another device. The code stays behind the `#`, so that it is in
//! no log and nothing that loads the page beforehand uses it up.

use askama::Template;
use axum::response::Response;

use super::page::Page;
use super::visit::Visit;
use crate::http::api::problem::Problem;

#[derive(Template)]
#[template(path = "resume.html")]
struct ResumePage {
    page: Page,
}

/// `GET /continue`
pub(super) async fn resume(visit: Visit) -> Result<Response, Problem> {
    visit.html(&ResumePage { page: Page::named(&visit, "resume") })
}
