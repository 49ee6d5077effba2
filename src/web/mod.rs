//! What people see: pages in their language, and the files that pages are made of.
//!
//! A page is one file here (its handler and template), one line in [`routes`], and, of the same
//! name, one template in `web/templates`, one module in `web/js` and one file of texts for each
//! language in `web/lang`.

pub mod assets;
mod headers;
pub mod lang;
mod modules;
pub mod page;
mod sale;
mod shop;
mod sorry;
mod texts;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use self::assets::Assets;
use self::shop::Shop;
pub use self::sorry::Sorry;
use crate::concert::service::Catalogue;
use crate::queue::service::Queue;
use crate::user::service::Users;

/// What pages are made of; cheap to clone.
#[derive(Clone)]
pub struct Web {
    assets: Assets,
    shop: Shop,
    /// What is on sale.
    pub catalogue: Catalogue,
    /// The line.
    pub queue: Queue,
    /// People.
    pub users: Arc<Users>,
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Web(..)")
    }
}

impl Web {
    /// Pages on these services.
    #[must_use]
    pub fn new(assets: Assets, catalogue: Catalogue, queue: Queue, users: Arc<Users>) -> Self {
        Self { assets, shop: Shop::new(catalogue.clone()), catalogue, queue, users }
    }
}

/// Every page, and their files.
pub fn routes(web: Web) -> Router {
    Router::new()
        .route("/", get(sale::concerts))
        .route("/concerts/{id}", get(sale::concert))
        .route("/onsale.js", get(assets::client))
        .route("/assets/{build}/{*path}", get(assets::file))
        .with_state(web)
}
