//! `/continue#<code>`: continues on another device with a hand-off code. The code is in the
//! fragment, so that it appears in no log, and a program that only loads the page does not use it
//! up.

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
