//! Builds the pages on the services.

use std::sync::Arc;

use axum::Router;
use reqwest::Url;
use utoipa_axum::router::OpenApiRouter;

use super::services::Services;
use crate::http::server::middleware::RenderErrorPage;
use crate::queue::handoff::service::HandOffs;
use crate::web::assets::Assets;
use crate::web::error_page::ErrorPage;
use crate::web::theme::Theme;
use crate::web::{self, Web, WebParts};

/// The routes of pages, the routes of problem codes, and the error page for browsers.
pub(super) fn pages(
    services: &Services,
    handoffs: HandOffs,
    theme: Theme,
    sign_in_url: Option<Url>,
) -> (Router, OpenApiRouter, Arc<dyn RenderErrorPage>) {
    let assets = Assets::new();
    let error_page = Arc::new(ErrorPage(assets.clone()));
    let web = Web::new(WebParts {
        assets,
        theme,
        catalogue: services.catalogue.clone(),
        queue: services.queue.clone(),
        users: services.users.clone(),
        handoffs,
        sign_in_url,
    });
    (web::routes(web.clone()), web::problem_routes(web), error_page)
}
