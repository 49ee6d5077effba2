//! The pages, on the services that there are.

use std::sync::Arc;

use axum::Router;
use reqwest::Url;
use utoipa_axum::router::OpenApiRouter;

use super::services::Services;
use crate::http::server::middleware::Dress;
use crate::queue::handoff::service::HandOffs;
use crate::web::assets::Assets;
use crate::web::error_page::Sorry;
use crate::web::theme::Theme;
use crate::web::{self, Web};

/// The routes of pages, those of problem codes, and the error page of browsers.
pub(super) fn pages(
    services: &Services,
    handoffs: HandOffs,
    theme: Theme,
    sign_in_url: Option<Url>,
) -> (Router, OpenApiRouter, Arc<dyn Dress>) {
    let assets = Assets::new();
    let sorry = Arc::new(Sorry(assets.clone()));
    let web = Web::new(
        (assets, theme),
        services.catalogue.clone(),
        services.queue.clone(),
        services.users.clone(),
        handoffs,
        sign_in_url,
    );
    (web::routes(web.clone()), web::problem_routes(web), sorry)
}
