//! The pages for buyers and operators, in their language, and the files of the pages.
//!
//! A page consists of one file here (its handler and template struct) and one line in [`routes`].
//! Under the same name it has one template in `web/templates`, one module in `web/js`, and one file
//! of texts per language in `web/lang`.

mod admin;
pub mod assets;
mod checkout;
mod context;
pub mod error_page;
mod files;
mod form_cookie;
mod forms;
mod headers;
pub mod lang;
mod me;
mod modules;
pub mod page;
mod problems;
mod qr;
mod resume;
mod sale;
mod seats;
mod shop;
mod sign_in;
mod texts;
pub mod theme;
mod ticket_cookie;
pub mod visit;
mod wait;

use axum::Router;
use axum::routing::{get, post};
use utoipa_axum::router::OpenApiRouter;

pub use self::context::{SIGN_UPS, Web, WebParts};

/// Routes of the pages that explain problem codes; API clients get JSON.
#[must_use]
pub fn problem_routes(web: Web) -> OpenApiRouter {
    problems::routes().with_state(web)
}

/// Routes of all other pages and their files.
pub fn routes(web: Web) -> Router {
    Router::new()
        .route("/", get(sale::concerts))
        .route("/concerts/{id}", get(sale::concert))
        .route("/schedules/{id}/wait", get(wait::wait).post(wait::act))
        .route("/continue", get(resume::resume))
        .route("/sign-in", get(sign_in::sign_in))
        .route("/qr", post(qr::qr))
        .route("/theme/{file}", get(files::theme))
        .route("/schedules/{id}/seats", get(seats::seats))
        .route("/holds/{hold_id}", get(checkout::checkout))
        .route("/me", get(me::me))
        .route("/admin", get(admin::console))
        .route("/onsale.js", get(files::client))
        .route("/assets/{build}/{*path}", get(files::asset))
        .with_state(web)
}
