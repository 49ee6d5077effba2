//! Builds the router of a process: all routes and their middleware.

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderValue;
use utoipa_axum::router::OpenApiRouter;

use super::check;
use super::check::sale::SaleChecks;
use super::limits::limits;
use super::operations::{Operations, operations};
use super::pages::pages;
use super::services::Services;
use super::webhooks::EventServices;
use crate::admin::box_office::reissue::service::Reissues;
use crate::concert::map::http::Maps;
use crate::config::HttpSettings;
use crate::http::api::auth::Identity;
use crate::http::api::openapi;
use crate::http::limit::address_limits::AddressLimits;
use crate::http::limit::rehearsals::is_synthetic;
use crate::http::server::cors::Cors;
use crate::http::server::middleware::{Exempt, RouterContext, outer};
use crate::http::server::state_changes::Changes;
use crate::queue::handoff::service::HandOffs;
use crate::telemetry::Metrics;
use crate::user::recovery::service::Recovery;
use crate::web::theme::Theme;
use crate::{admin, concert, job, payment, point, queue, rehearsal, reservation, user};

/// What the router needs.
pub(super) struct RouterParts<'m> {
    pub(super) services: &'m Services,
    pub(super) checks: SaleChecks,
    pub(super) events: EventServices,
    pub(super) handoffs: HandOffs,
    pub(super) maps: &'m Maps,
    pub(super) operations: Operations,
    pub(super) theme: Theme,
    pub(super) addresses: Arc<AddressLimits>,
    pub(super) changes: Changes,
}

/// The API, the pages, and the operators' routes, with their middleware.
pub(super) fn router(parts: RouterParts<'_>, settings: &HttpSettings, metrics: &Metrics) -> Router {
    let RouterParts {
        services,
        checks,
        events,
        handoffs,
        maps,
        operations: shown,
        theme,
        addresses,
        changes,
    } = parts;
    let (pages, problems, error_page) =
        pages(services, handoffs.clone(), theme, settings.sign_in_url.clone());
    let recovery = Recovery::new(shown.stores.pg.clone(), services.users.clone());
    let reissues = Reissues::new(shown.stores.pg.clone(), handoffs.clone(), recovery.clone());
    let (always, described) = operations(shown);
    let api = OpenApiRouter::new()
        .merge(user::http::routes(services.users.clone()))
        .merge(user::recovery::http::routes(recovery))
        .merge(concert::http::routes(services.catalogue.clone(), maps.clone()))
        .merge(concert::map::stream::http::routes(services.streams.seats.clone()))
        .merge(queue::http::routes(services.queue.clone()))
        .merge(queue::handoff::http::routes(handoffs))
        .merge(queue::stream::http::routes(services.streams.tickets.clone()))
        .merge(queue::draw::http::routes(services.draws.clone()))
        .merge(reservation::best::http::routes(
            services.catalogue.clone(),
            services.reservations.choices().clone(),
        ))
        .merge(reservation::http::routes(services.reservations.clone()))
        .merge(payment::http::routes(services.payments.clone()))
        .merge(point::http::routes(services.points.clone()))
        .merge(administration(services, checks))
        .merge(admin::box_office::reissue::http::routes(reissues))
        .merge(events.routes())
        .merge(problems);
    let (routes, api) = openapi::describe(api, described);
    let origins = settings.cors_origins.iter().map(|origin| HeaderValue::from_str(origin));
    let identity = Identity(services.users.clone());
    let context = RouterContext {
        error_page,
        identity: identity.clone(),
        addresses,
        limits: limits(settings),
        cors: Cors { origins: origins.filter_map(Result::ok).collect() },
        exempt: exempt(services, identity),
        changes,
        metrics: metrics.clone(),
    };
    outer(routes.merge(openapi::pages(api)).merge(pages), always, context)
}

/// The routes of administration.
fn administration(services: &Services, checks: SaleChecks) -> OpenApiRouter {
    admin::http::routes(services.admin.clone())
        .merge(admin::stats::http::stream_routes(services.streams.stats.clone()))
        .merge(check::http::routes(checks))
        .merge(job::http::routes(services.jobs.clone()))
        .merge(rehearsal::http::routes(services.rehearsals.clone()))
}

/// Polls of waiting users, and requests of synthetic buyers, do not count for their addresses.
fn exempt(services: &Services, identity: Identity) -> Exempt {
    let is_poll = queue::http::exempt(services.queue.clone());
    Arc::new(move |method, uri, headers| {
        is_poll(method, uri, headers) || is_synthetic(&identity, headers)
    })
}
