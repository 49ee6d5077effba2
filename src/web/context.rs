//! What the handlers of pages share.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use reqwest::Url;

use super::assets::Assets;
use super::shop::Shop;
use super::theme::Theme;
use super::visit::Visit;
use crate::concert::service::Catalogue;
use crate::queue::handoff::service::HandOffs;
use crate::queue::service::Queue;
use crate::user::service::Users;

/// The name of the rate limit that counts sign-ups, by the API and by the form of the waiting page.
pub const SIGN_UPS: &str = "sign-ups";

/// The services behind the pages; cheap to clone.
#[derive(Clone)]
pub struct Web {
    pub(super) assets: Assets,
    pub(super) theme: Theme,
    pub(super) shop: Shop,
    /// What is on sale.
    pub catalogue: Catalogue,
    /// The waiting room.
    pub queue: Queue,
    /// Users.
    pub users: Arc<Users>,
    /// Hand-off to another device.
    pub handoffs: HandOffs,
    /// Where buyers sign in, if not here.
    pub(super) sign_in_url: Option<Url>,
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

impl FromRequestParts<Web> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Infallible> {
        let mut visit = Self::new(&web.assets, &parts.uri, &parts.headers);
        visit.signup = web.users.open_signup();
        visit.sign_in = web.sign_in_url.is_some();
        Ok(visit)
    }
}
