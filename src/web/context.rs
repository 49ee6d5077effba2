//! The services that the handlers of pages share.

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
use crate::queue::service::WaitingRoom;
use crate::user::service::Users;

/// Name of the rate limit for sign-ups, through the API and through the form of the waiting page.
pub const SIGN_UPS: &str = "sign-ups";

/// The services behind the pages; cheap to clone.
#[derive(Clone)]
pub struct Web {
    pub(super) assets: Assets,
    pub(super) theme: Theme,
    pub(super) shop: Shop,
    /// Concerts, schedules and seat maps.
    pub catalogue: Catalogue,
    /// The waiting room.
    pub queue: WaitingRoom,
    /// Users and their access tokens.
    pub users: Arc<Users>,
    /// Moves a session to another device.
    pub handoffs: HandOffs,
    /// The page on which buyers sign in, if it is not part of this service.
    pub(super) sign_in_url: Option<Url>,
}

/// What the pages work on.
#[expect(missing_docs, reason = "each is as in `Web`")]
pub struct WebParts {
    pub assets: Assets,
    pub theme: Theme,
    pub catalogue: Catalogue,
    pub queue: WaitingRoom,
    pub users: Arc<Users>,
    pub handoffs: HandOffs,
    pub sign_in_url: Option<Url>,
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Web(..)")
    }
}

impl Web {
    /// Combines the services.
    #[must_use]
    pub fn new(parts: WebParts) -> Self {
        let WebParts { assets, theme, catalogue, queue, users, handoffs, sign_in_url } = parts;
        let shop = Shop::new(catalogue.clone());
        Self { assets, theme, shop, catalogue, queue, users, handoffs, sign_in_url }
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
