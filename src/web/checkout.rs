//! `/holds/{hold_id}`: the page to pay for held seats. The page is the same for every user; its
//! module gets the hold from the API, which checks the owner.

use askama::Template;
use axum::response::Response;
use uuid::Uuid;

use super::page::Page;
use super::visit::Visit;
use crate::http::api::body::Path;
use crate::http::api::problem::Problem;

#[derive(Template)]
#[template(path = "checkout.html")]
struct CheckoutPage {
    page: Page,
}

/// `GET /holds/{hold_id}`
pub(super) async fn checkout(visit: Visit, Path(hold): Path<Uuid>) -> Result<Response, Problem> {
    let page = Page::named(&visit, "checkout").texts("shop").with("hold_id", hold);
    visit.html(&CheckoutPage { page })
}
