//! One process: wires stores, services, routes and loops, and drains them at the end.

mod keys;
mod limits;
pub mod loops;
mod operations;
mod pages;
mod routes;
mod services;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::limits::{addresses, connection_policy};
use self::operations::{Stores, open_files, relied_on};
use self::routes::{RouterParts, router};
use self::services::{Services, StreamServices};
use crate::admin::demo::{self, Demo};
use crate::admin::error::AdminError;
use crate::admin::report::stream::StatsStreams;
use crate::admin::seat::service::SeatAdmin;
use crate::admin::services::{AdminParts, AdminServices};
use crate::app::loops::Loops;
use crate::board::service::Boards;
use crate::concert;
use crate::concert::map::http::Maps;
use crate::concert::map::stream::SeatStreams;
use crate::concert::service::Catalogue;
use crate::config::{AccessSettings, HttpSettings, InvalidSetting, Settings};
use crate::http::server::fast_path::FastPaths;
use crate::http::server::serve;
use crate::http::server::serve::{ConnectionPolicy, Routes};
use crate::http::server::state_changes::Changes;
use crate::http::stream::Streams;
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
use crate::reservation::service::Reservations;
use crate::seats::service::SeatClaims;
use crate::store::StoreError;
use crate::store::pg::Pg;
use crate::store::redis::Redis;
use crate::telemetry::Metrics;
use crate::user::jwks::JwksError;
use crate::user::keys::{JwksSource, ProviderKeys, ReadAgain};
use crate::user::service::Users;
use crate::user::token::Tokens;
use crate::web::theme::{Theme, ThemeError};

/// How long the last step of a loop may run after the connections are closed.
const LAST_STEP: Duration = Duration::from_secs(1);

/// Why a process did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Settings contradict each other.
    #[error(transparent)]
    Settings(#[from] InvalidSetting),
    /// The file of the identity provider's keys cannot be used.
    #[error("ONSALE_JWKS_PATH: {0}")]
    JwksPath(JwksError),
    /// No HTTP client can be created for the URL of the identity provider's keys.
    #[error("ONSALE_JWKS_URL: {0}")]
    JwksUrl(JwksError),
    /// A store's URL is not valid, or the store could lose data.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder `ONSALE_THEME` cannot be used.
    #[error("ONSALE_THEME: {0}")]
    Theme(#[from] ThemeError),
    /// The process cannot listen on the address.
    #[error("ONSALE_LISTEN: {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
}

/// A process that serves.
pub struct Running {
    /// The address on which it listens, with the actual port.
    pub addr: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
    drain: Duration,
    seats: SeatAdmin,
}

/// Starts a process: wires all parts, listens, and returns when it serves.
pub async fn start(settings: Settings) -> Result<Running, StartError> {
    settings.check()?;
    let pg = Pg::lazy(settings.postgres.database_url.reveal(), settings.postgres.db_pool)?;
    let redis = Redis::lazy(settings.redis.redis_url.reveal())?;
    let stores = Stores { pg, redis };
    let files = open_files(settings.http.max_streams);
    relied_on(&stores, !settings.postgres.unsafe_postgres).await?;
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let loops = Loops { tasks: tasks.clone(), stop: stop.clone(), metrics: Metrics::new() };
    let (routes, policy, seats) = assemble(&settings, &stores, &loops, files)?;

    let HttpSettings { listen, drain_timeout, .. } = settings.http;
    let failed = |error| StartError::Listen(listen, error);
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    tasks.spawn(serve::serve(listener, policy, routes, stop.clone(), drain_timeout));
    Ok(Running { addr, stop, tasks, drain: drain_timeout, seats })
}

/// Creates the services, starts the loops, and builds the routes: everything that needs no waiting.
/// `files` is the number of connections that fit into the limit of open files.
fn assemble(
    settings: &Settings,
    stores: &Stores,
    loops: &Loops,
    files: usize,
) -> Result<(Routes, ConnectionPolicy, SeatAdmin), StartError> {
    let metrics = loops.metrics.clone();
    let services = wire(settings, stores.clone(), loops)?;
    let maps = Maps::new(services.catalogue.clone());
    let theme = settings.http.theme.as_deref().map_or(Ok(Theme::default()), Theme::read)?;
    let codes = keys::codes(settings, Purpose::HandOff);
    let handoffs = HandOffs::new(services.queue.clone(), services.users.clone(), codes);
    let changes = Changes::among(loops.tasks.clone());
    let addresses = Arc::new(addresses(&settings.http));
    let parts = RouterParts {
        services: &services,
        handoffs,
        maps: &maps,
        stores,
        theme,
        addresses: Arc::clone(&addresses),
        changes,
    };
    let router = router(parts, &settings.http, &metrics);
    let policy = connection_policy(&settings.http, files, &metrics);
    let polls = queue::http::poll_fast_path(services.queue.clone());
    let maps = concert::http::seat_map_fast_path(maps);
    let fast_paths = FastPaths::new(vec![polls], vec![maps], addresses, metrics);
    Ok((Routes { router, fast_paths }, policy, services.admin.seats))
}

/// Creates the services on the stores, and starts the loops.
fn wire(
    settings: &Settings,
    Stores { pg, redis }: Stores,
    loops: &Loops,
) -> Result<Services, StartError> {
    let metrics = loops.metrics.clone();
    let users = users(settings, pg.clone(), loops)?;
    let boards = Boards::new(redis.clone(), settings.http.polls_per_second);
    let catalogue = Catalogue::new(pg.clone(), boards.clone());
    let (delivered, deliveries) = Delivered::channel();
    let (keyspaces, losses) =
        Keyspaces::new(redis.clone(), pg.clone(), catalogue.clone(), delivered.clone());
    let draws = Draws::new(pg.clone(), catalogue.clone(), keyspaces.clone());
    let queue = WaitingRoom::new(
        keyspaces.clone(),
        draws.clone(),
        boards.clone(),
        catalogue.clone(),
        keys::tickets(settings),
        delivered.clone(),
        metrics.clone(),
    );
    let claims = SeatClaims::new(keyspaces.clone(), delivered);
    let reservations = Reservations::new(
        pg.clone(),
        boards.clone(),
        catalogue.clone(),
        queue.clone(),
        claims.clone(),
        metrics.clone(),
    );
    let parts = loops::LoopServices {
        pg: pg.clone(),
        redis,
        boards,
        catalogue: catalogue.clone(),
        keyspaces,
        draws: draws.clone(),
        queue: queue.clone(),
        claims: claims.clone(),
        reconcile_every: settings.redis.reconcile_every,
    };
    let admin = administration(&parts, &metrics);
    loops::start(loops, parts, deliveries, losses);
    Ok(Services {
        streams: streams(settings, loops, &admin, &queue, &catalogue),
        admin,
        users,
        catalogue,
        draws,
        queue: queue.clone(),
        reservations,
        points: Points::new(pg.clone(), metrics.clone()),
        payments: Payments::new(pg, queue, claims, metrics),
    })
}

fn streams(
    settings: &Settings,
    loops: &Loops,
    admin: &AdminServices,
    queue: &WaitingRoom,
    catalogue: &Catalogue,
) -> StreamServices {
    let Loops { tasks, stop, metrics } = loops.clone();
    let streams = Streams::new(settings.http.max_streams, tasks, stop, metrics);
    let codes = keys::codes(settings, Purpose::Stream);
    StreamServices {
        tickets: TicketStreams::new(queue.clone(), codes, streams.clone()),
        seats: SeatStreams::new(catalogue.clone(), streams.clone()),
        stats: StatsStreams::new(admin.figures.clone(), streams),
    }
}

fn administration(parts: &loops::LoopServices, metrics: &Metrics) -> AdminServices {
    AdminServices::new(AdminParts {
        pg: parts.pg.clone(),
        catalogue: parts.catalogue.clone(),
        boards: parts.boards.clone(),
        claims: parts.claims.clone(),
        keyspaces: parts.keyspaces.clone(),
        polls: parts.queue.polls(),
        metrics: metrics.clone(),
    })
}

impl Running {
    /// The token that makes the process drain and stop when it is cancelled.
    #[must_use]
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
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
        if tokio::time::timeout(self.drain + LAST_STEP, self.tasks.wait()).await.is_err() {
            let running = self.tasks.len();
            tracing::warn!(running, "tasks were still running when the process stopped");
        }
    }
}

/// Creates the user service, and starts the loop that keeps an identity provider's keys current.
fn users(settings: &Settings, pg: Pg, loops: &Loops) -> Result<Arc<Users>, StartError> {
    let tokens = tokens(&settings.access)?;
    if let Some(keys) = tokens.provider() {
        let reading = Arc::clone(keys).keep_current(ReadAgain::default(), loops.stop.clone());
        loops.tasks.spawn(reading);
    }
    Ok(Arc::new(Users::new(pg, tokens, settings.access.open_signup)))
}

/// The accepted access tokens: those of an identity provider if its keys are set, else our own.
pub fn tokens(access: &AccessSettings) -> Result<Tokens, StartError> {
    access.check()?;
    let issuer = &access.jwt_issuer;
    let keys = match (&access.jwks_path, &access.jwks_url) {
        (Some(path), _) => ProviderKeys::open(path).map_err(StartError::JwksPath)?,
        (None, Some(url)) => {
            ProviderKeys::at(JwksSource::address(url.clone()).map_err(StartError::JwksUrl)?)
        }
        (None, None) => {
            let secret = access.jwt_secret.as_ref().map_or("", |secret| secret.reveal());
            return Ok(Tokens::own(issuer, secret.as_bytes()));
        }
    };
    Ok(Tokens::provided(issuer, Arc::new(keys)))
}
