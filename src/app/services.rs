//! The services that the routes use.

use std::sync::Arc;

use super::loops::{LoopServices, Loops};
use crate::admin::services::{AdminParts, AdminServices};
use crate::admin::stats::stream::StatsStreams;
use crate::concert::map::stream::SeatStreams;
use crate::concert::service::Catalogue;
use crate::config::Settings;
use crate::job::service::Jobs;
use crate::payment::service::Payments;
use crate::point::service::Points;
use crate::queue::draw::service::Draws;
use crate::queue::service::WaitingRoom;
use crate::queue::stream::http::TicketStreams;
use crate::rehearsal::parts::{OwnAddress, RehearsalParts};
use crate::rehearsal::service::Rehearsals;
use crate::reservation::service::Reservations;
use crate::telemetry::Metrics;
use crate::user::service::Users;

/// The services behind the routes.
#[derive(Clone)]
pub(super) struct Services {
    pub(super) users: Arc<Users>,
    pub(super) admin: AdminServices,
    pub(super) catalogue: Catalogue,
    pub(super) draws: Draws,
    pub(super) queue: WaitingRoom,
    pub(super) streams: StreamServices,
    pub(super) reservations: Reservations,
    pub(super) jobs: Jobs,
    pub(super) points: Points,
    pub(super) payments: Payments,
    pub(super) rehearsals: Rehearsals,
}

/// The services behind the event streams.
#[derive(Clone)]
pub(super) struct StreamServices {
    pub(super) tickets: TicketStreams,
    pub(super) seats: SeatStreams,
    pub(super) stats: StatsStreams,
}

/// Creates the services of administration, and that of rehearsals.
pub(super) fn administration(
    parts: &LoopServices,
    users: &Arc<Users>,
    settings: &Settings,
    loops: &Loops,
) -> (AdminServices, Rehearsals) {
    let admin = AdminServices::new(AdminParts {
        pg: parts.pg.clone(),
        catalogue: parts.catalogue.clone(),
        boards: parts.boards.clone(),
        claims: parts.claims.clone(),
        keyspaces: parts.keyspaces.clone(),
        polls: parts.queue.polls(),
        metrics: loops.metrics.clone(),
        allow_drill: settings.http.allow_drill,
        polls_ceiling: settings.http.polls_per_second,
    });
    let rehearsals = Rehearsals::new(RehearsalParts {
        pg: parts.pg.clone(),
        catalogue: parts.catalogue.clone(),
        keyspaces: parts.keyspaces.clone(),
        users: Arc::clone(users),
        forecasts: admin.forecasts.clone(),
        address: OwnAddress::default(),
        tasks: loops.tasks.clone(),
        stop: loops.stop.clone(),
    });
    (admin, rehearsals)
}

/// Creates the service of reservations.
pub(super) fn reservations(parts: &LoopServices, metrics: &Metrics) -> Reservations {
    Reservations::new(
        parts.pg.clone(),
        parts.boards.clone(),
        parts.catalogue.clone(),
        parts.queue.clone(),
        parts.claims.clone(),
        metrics.clone(),
    )
}
