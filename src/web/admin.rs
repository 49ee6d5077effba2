//! `/admin`: the operator's console. The page is the same for every user and contains no data: each
//! of its calls needs an administrator's token.

use askama::Template;
use axum::response::Response;

use super::page::Page;
use super::visit::Visit;
use crate::http::api::problem::Problem;

#[derive(Template)]
#[template(path = "admin.html")]
struct AdminPage {
    page: Page,
}

/// `GET /admin`
pub(super) async fn console(visit: Visit) -> Result<Response, Problem> {
    visit.html(&AdminPage { page: Page::named(&visit, "admin").texts("seats") })
}
