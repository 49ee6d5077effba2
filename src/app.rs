//! One process: wires stores, services, routes and loops, and drains them at the end.

mod announce;
pub mod check;
mod error;
mod keys;
mod limits;
pub mod loops;
mod operations;
mod pages;
mod readiness;
mod routes;
mod services;
mod webhooks;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::announce::announce;
use self::check::sale::SaleChecks;
pub use self::error::StartError;
pub use self::keys::tokens;
use self::limits::{addresses, connection_policy};
use self::operations::{Operations, check_stores, open_files};
use self::readiness::Stores;
use self::routes::{RouterParts, router};
use self::services::{Services, StreamServices, administration, reservations};
use crate::admin::demo::{self, Demo};
use crate::admin::error::AdminError;
use crate::admin::seat::service::SeatAdmin;
use crate::admin::services::AdminServices;
use crate::admin::stats::stream::StatsStreams;
use crate::app::loops::Loops;
use crate::board::service::Boards;
use crate::concert;
use crate::concert::map::http::Maps;
use crate::concert::map::stream::SeatStreams;
use crate::concert::service::Catalogue;
use crate::config::{HttpSettings, PostgresSettings, Settings};
use crate::http::server::drain::Drain;
use crate::http::server::fast_path::FastPaths;
use crate::http::server::serve;
use crate::http::server::serve::{ConnectionPolicy, Routes};
use crate::http::server::state_changes::Changes;
use crate::http::stream::Streams;
use crate::job::service::Jobs;
use crate::outbox::model::Delivered;
use crate::payment::service::Payments;
use crate::point::service::Points;
use crate::queue;
use crate::queue::draw::service::Draws;
use crate::queue::handoff::service::HandOffs;
use crate::queue::keyspaces::Keyspaces;
use crate::queue::service::WaitingRoom;
use crate::queue::stream::http::TicketStreams;
use crate::queue::ticket::short_code::Purpose;
use crate::rehearsal::parts::OwnAddress;
use crate::seats::service::SeatClaims;
use crate::store::pg::Pg;
use crate::store::pg::token_generations::TokenGenerations;
use crate::store::redis::Redis;
use crate::store::redis::tls::Certificates;
use crate::telemetry::Metrics;
use crate::user::keys::ReadIntervals;
use crate::user::service::Users;
use crate::web::theme::Theme;

/// How long the last step of a loop may run after the connections are closed.
const LAST_STEP: Duration = Duration::from_secs(1);

/// How often the token generations are read: for this long, a process may accept a token that a
/// restore has ended.
const GENERATIONS: Duration = Duration::from_secs(1);

/// A process that serves.
pub struct Running {
    /// The address on which it listens, with the actual port.
    pub addr: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
    drain: Drain,
    drain_delay: Duration,
    drain_timeout: Duration,
    seats: SeatAdmin,
}

/// Starts a process: wires all parts, listens, and returns when it serves.
pub async fn start(settings: Settings) -> Result<Running, StartError> {
    settings.check()?;
    let metrics = Metrics::new();
    let stores = stores(&settings, &metrics)?;
    let files = open_files(settings.http.max_streams);
    check_stores(&stores, !settings.postgres.unsafe_postgres).await?;
    if let Err(error) = stores.generations.refresh(&stores.pg).await {
        // The loop reads them; until then, no token or ticket is signed.
        tracing::warn!(%error, "the token generations could not be read at the start");
    }
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let drain = Drain::default();
    let loops = Loops { tasks: tasks.clone(), stop: stop.clone(), drain: drain.clone(), metrics };
    let (routes, policy, seats, address) = assemble(&settings, &stores, &loops, files)?;

    let HttpSettings { listen, drain_delay, drain_timeout, .. } = settings.http;
    let failed = |error| StartError::Listen(listen, error);
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    address.set(addr);
    announce(&loops, &settings, addr, &stores.redis);
    tasks.spawn(serve::serve(listener, policy, routes, stop.clone(), drain_timeout));
    Ok(Running { addr, stop, tasks, drain, drain_delay, drain_timeout, seats })
}

/// The connections to both stores. They connect when they are used.
fn stores(settings: &Settings, metrics: &Metrics) -> Result<Stores, StartError> {
    let PostgresSettings { database_url, db_pool, .. } = &settings.postgres;
    let certificates = Certificates::read(&settings.redis.tls)?;
    let redis = Redis::with_certificates(settings.redis.redis_url.reveal(), &certificates)?;
    let pg = Pg::lazy(database_url.reveal(), *db_pool)?;
    Ok(Stores {
        pg: pg.measured_by(metrics.stores().pool_wait()),
        redis: redis.measured_by(metrics.stores().redis_calls()),
        generations: TokenGenerations::unread(),
    })
}

/// Creates the services, starts the loops, and builds the routes: everything that needs no waiting.
/// `files` is the number of connections that fit into the limit of open files. The address is to be
/// set once the process listens.
fn assemble(
    settings: &Settings,
    stores: &Stores,
    loops: &Loops,
    files: usize,
) -> Result<(Routes, ConnectionPolicy, SeatAdmin, OwnAddress), StartError> {
    let metrics = loops.metrics.clone();
    let services = wire(settings, stores.clone(), loops)?;
    let events = webhooks::start(&settings.webhook, &stores.pg, loops)?;
    loops.tasks.spawn(services.admin.reports.job().run(loops.stop.clone()));
    let maps = Maps::new(services.catalogue.clone());
    let theme = settings.http.theme.as_deref().map_or(Ok(Theme::default()), Theme::read)?;
    let codes = keys::codes(settings, Purpose::HandOff);
    let handoffs = HandOffs::new(services.queue.clone(), services.users.clone(), codes);
    let changes = Changes::tracked_by(loops.tasks.clone());
    let addresses = Arc::new(addresses(&settings.http, &metrics));
    let policy = connection_policy(&settings.http, files, &loops.drain, &metrics);
    let operations = Operations::start(stores, loops, &policy.connections);
    let scrapes = operations.scrapes.clone();
    let parts = RouterParts {
        checks: SaleChecks::new(settings, stores, services.users.clone(), scrapes),
        services: &services,
        events,
        handoffs,
        maps: &maps,
        operations,
        theme,
        addresses: Arc::clone(&addresses),
        changes,
    };
    let router = router(parts, &settings.http, &metrics);
    let polls = queue::http::poll_fast_path(services.queue.clone());
    let maps = concert::http::seat_map_fast_path(maps);
    let fast_paths = FastPaths::new(vec![polls], vec![maps], addresses, metrics);
    let address = services.rehearsals.address();
    Ok((Routes { router, fast_paths }, policy, services.admin.seats, address))
}

/// Creates the services on the stores, and starts the loops.
fn wire(settings: &Settings, stores: Stores, loops: &Loops) -> Result<Services, StartError> {
    let (users, Stores { pg, redis, generations }) = (users(settings, &stores, loops)?, stores);
    let boards = Boards::new(redis.clone(), settings.http.polls_per_second);
    let catalogue = Catalogue::new(pg.clone(), boards.clone());
    // Drafts have keys in Redis too.
    let (with_drafts, (delivered, deliveries)) = (catalogue.with_drafts(), Delivered::channel());
    let (keyspaces, losses) =
        Keyspaces::new(redis.clone(), pg.clone(), with_drafts.clone(), delivered.clone());
    let draws = Draws::new(pg.clone(), with_drafts.clone(), keyspaces.clone());
    let queue = WaitingRoom::new(
        keyspaces.clone(),
        draws.clone(),
        boards.clone(),
        catalogue.clone(),
        keys::tickets(settings, &generations),
        delivered.clone(),
        loops.metrics.clone(),
    );
    let claims = SeatClaims::new(keyspaces.clone(), delivered);
    let parts = loops::LoopServices {
        pg: pg.clone(),
        redis,
        boards,
        catalogue: with_drafts,
        keyspaces,
        draws: draws.clone(),
        queue: queue.clone(),
        claims: claims.clone(),
        reconcile_every: settings.redis.reconcile_every,
    };
    let (admin, rehearsals) = administration(&parts, &users, settings, loops);
    let reservations = reservations(&parts, &loops.metrics);
    loops::start_jobs(loops, &parts);
    loops::start(loops, parts, deliveries, losses);
    Ok(Services {
        streams: streams(settings, loops, &admin, &queue, &catalogue),
        admin,
        users,
        catalogue,
        draws,
        queue: queue.clone(),
        reservations,
        jobs: Jobs::new(pg.clone()),
        points: Points::new(pg.clone(), loops.metrics.clone()),
        payments: Payments::new(pg, queue, claims, loops.metrics.clone()),
        rehearsals,
    })
}

fn streams(
    settings: &Settings,
    loops: &Loops,
    admin: &AdminServices,
    queue: &WaitingRoom,
    catalogue: &Catalogue,
) -> StreamServices {
    let Loops { tasks, stop, drain, metrics } = loops.clone();
    let streams = Streams::new(settings.http.max_streams, tasks, stop, drain, metrics);
    let codes = keys::codes(settings, Purpose::Stream);
    StreamServices {
        tickets: TicketStreams::new(queue.clone(), codes, streams.clone()),
        seats: SeatStreams::new(catalogue.clone(), streams.clone()),
        stats: StatsStreams::new(admin.figures.clone(), streams),
    }
}

impl Running {
    /// The token that makes the process drain and stop when it is cancelled.
    #[must_use]
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Reports in `/readyz` that the process will end, closes the streams one after the other, and
    /// returns after the drain delay. Requests are served meanwhile.
    pub async fn drain(&self) {
        self.drain.begin(self.drain_delay);
        tokio::time::sleep(self.drain_delay).await;
    }

    /// Creates the demo sale if it does not exist, and returns it.
    pub async fn demo(&self) -> Result<Demo, AdminError> {
        demo::make(&self.seats, Utc::now()).await
    }

    /// Returns when all tasks have ended, or 1 s after the drain timeout. A loop's step may be cut
    /// off at any point: a process may also be killed at any time.
    pub async fn stopped(self) {
        self.tasks.close();
        self.stop.cancelled().await;
        if tokio::time::timeout(self.drain_timeout + LAST_STEP, self.tasks.wait()).await.is_err() {
            let running = self.tasks.len();
            tracing::warn!(running, "tasks were still running when the process stopped");
        }
    }
}

/// Creates the user service, and starts the loops that keep the token generations and an identity
/// provider's keys current.
fn users(settings: &Settings, stores: &Stores, loops: &Loops) -> Result<Arc<Users>, StartError> {
    let tokens = tokens(&settings.access)?.with_generations(stores.generations.clone());
    if let Some(keys) = tokens.provider() {
        let reading = Arc::clone(keys).keep_current(ReadIntervals::default(), loops.stop.clone());
        loops.tasks.spawn(reading);
    }
    let users = Users::new(stores.pg.clone(), tokens, settings.access.open_signup);
    let users = Arc::new(users.with_passes(keys::passes(settings)));
    loops.every("generations", GENERATIONS, Arc::clone(&users), |users| async move {
        users.refresh_generations().await
    });
    Ok(users)
}
