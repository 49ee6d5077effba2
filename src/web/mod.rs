//! What people see: pages in their language, and the files that pages are made of.
//!
//! A page is one file here (its handler and template), one line in [`routes`], and, of the same
//! name, one template in `web/templates`, one module in `web/js` and one file of texts for each
//! language in `web/lang`.

mod admin;
pub mod assets;
mod checkout;
mod form_cookie;
mod forms;
mod headers;
pub mod lang;
mod me;
mod modules;
pub mod page;
mod place;
mod problems;
mod qr;
mod resume;
mod sale;
mod seats;
mod shop;
mod sign_in;
mod sorry;
mod texts;
pub mod theme;
pub mod visit;
mod wait;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use reqwest::Url;
use utoipa_axum::router::OpenApiRouter;

use self::assets::Assets;
use self::shop::Shop;
pub use self::sorry::Sorry;
use self::theme::Theme;
use crate::concert::service::Catalogue;
use crate::queue::handoff::service::HandOffs;
use crate::queue::service::Queue;
use crate::user::service::Users;

/// The name of the allowance that a sign-up takes from: the form of the waiting page as the API.
pub const SIGN_UPS: &str = "sign-ups";

/// What pages are made of; cheap to clone.
#[derive(Clone)]
pub struct Web {
    assets: Assets,
    theme: Theme,
    shop: Shop,
    /// What is on sale.
    pub catalogue: Catalogue,
    /// The line.
    pub queue: Queue,
    /// People.
    pub users: Arc<Users>,
    /// Going on with another device.
    pub handoffs: HandOffs,
    /// Where buyers sign in, where that is not here.
    sign_in_url: Option<Url>,
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Web(..)")
    }
}

impl Web {
    /// Pages on these services.
    #[must_use]
    pub fn new(
        (assets, theme): (Assets, Theme),
        catalogue: Catalogue,
        queue: Queue,
        users: Arc<Users>,
        handoffs: HandOffs,
        sign_in_url: Option<Url>,
    ) -> Self {
        Self {
            assets,
            theme,
            shop: Shop::new(catalogue.clone()),
            catalogue,
            queue,
            users,
            handoffs,
            sign_in_url,
        }
    }
}

/// The pages of problem codes, which API clients read as JSON.
#[must_use]
pub fn problem_routes(web: Web) -> OpenApiRouter {
    problems::routes().with_state(web)
}

/// Every page, and their files.
pub fn routes(web: Web) -> Router {
    Router::new()
        .route("/", get(sale::concerts))
        .route("/concerts/{id}", get(sale::concert))
        .route("/schedules/{id}/wait", get(wait::wait).post(wait::act))
        .route("/continue", get(resume::resume))
        .route("/sign-in", get(sign_in::sign_in))
        .route("/qr", post(qr::qr))
        .route("/theme/{file}", get(theme::file))
        .route("/schedules/{id}/seats", get(seats::seats))
        .route("/holds/{hold_id}", get(checkout::checkout))
        .route("/me", get(me::me))
        .route("/admin", get(admin::console))
        .route("/onsale.js", get(assets::client))
        .route("/assets/{build}/{*path}", get(assets::file))
        .with_state(web)
}
