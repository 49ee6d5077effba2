//! The pool of exclusive connections for bulk calls: one schedule's megabyte does not delay
//! another schedule's board.
//!
//! Only a connection whose call was answered goes back to the pool. A call that fails with its
//! connection, exceeds its time limit or is cancelled may still be answered later, so its
//! connection is closed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool::managed::{
    Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult, TimeoutType,
};
use deadpool_redis::{Runtime, Status};
use redis::RedisError;
use redis::aio::MultiplexedConnection;

use super::connect::{CONNECT_LIMIT, with_limit};
use super::failure::{is_broken, refused};
use super::sentinel::Sentinels;
use super::server::{LastRefusal, Primary, Server};
use super::tls;
use crate::telemetry::traces::ChildSpan;

/// Maximum number of connections to one server.
const CONNECTIONS: usize = 4;
/// Time limit of a call.
const BULK_LIMIT: Duration = Duration::from_secs(10);
/// How long a call waits for a connection while all of them are in use.
const WAIT_LIMIT: Duration = Duration::from_secs(5);
/// Time limit of the check of an idle connection.
const CHECK_LIMIT: Duration = Duration::from_millis(300);
/// A connection that was not used for this long is checked before its next call. A check before
/// each call would double the round trips.
const CHECK_AFTER: Duration = Duration::from_secs(1);

/// The bulk connections to one server.
pub(super) struct BulkPool {
    pool: Pool<BulkManager>,
    /// Calls of this process that found no free connection in time.
    wait_timeouts: Arc<AtomicU64>,
}

/// Opens and checks the connections of a [`BulkPool`].
struct BulkManager {
    server: BulkServer,
    /// Connection generation: rises when a connection breaks, so that all others opened before are
    /// replaced before their next call.
    generation: AtomicU64,
    refusal: Mutex<LastRefusal>,
}

/// Where a new connection goes.
enum BulkServer {
    /// To a known address: deadpool-redis opens it.
    Known { manager: Box<deadpool_redis::Manager>, uses_tls: bool },
    /// To the server that is the primary now: the sentinels are asked.
    Watched(Arc<Sentinels>),
}

/// A connection of the pool.
struct BulkConnection {
    conn: MultiplexedConnection,
    primary: Primary,
    generation: u64,
}

/// A connection in use. It is closed when it is dropped, unless its call was answered.
struct Lent(Option<Object<BulkManager>>);

impl BulkPool {
    /// Prepares a pool of connections to `server`. Each connects when a call needs it.
    /// `wait_timeouts` counts the calls that found no free connection in time.
    pub(super) fn new(server: &Server, wait_timeouts: Arc<AtomicU64>) -> Result<Self, RedisError> {
        let server = match server {
            Server::Known(client) => {
                let address = client.get_connection_info().clone();
                let (limit, uses_tls) = (with_limit(BULK_LIMIT), tls::is_used(&address));
                let manager = deadpool_redis::Manager::new_with_config(address, limit)?;
                BulkServer::Known { manager: Box::new(manager), uses_tls }
            }
            Server::Watched(sentinels) => BulkServer::Watched(Arc::clone(sentinels)),
        };
        let (generation, refusal) = (AtomicU64::default(), Mutex::default());
        let pool = Pool::builder(BulkManager { server, generation, refusal })
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(WAIT_LIMIT))
            .create_timeout(Some(CONNECT_LIMIT))
            .recycle_timeout(Some(CHECK_LIMIT))
            .build()
            .map_err(|error| refused(&error.to_string()))?;
        Ok(Self { pool, wait_timeouts })
    }

    /// Runs `call` on a connection of its own. The failed call is not repeated, because it may have
    /// had its effect. A call fails at once when another server becomes the primary.
    pub(super) async fn run<T, F>(
        &self,
        call: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, RedisError>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        let object = self.checkout().await?;
        let (conn, generation) = (object.conn.clone(), object.generation);
        let primary = object.primary.clone();
        let lent = Lent(Some(object));
        let answer = tokio::select! {
            answer = call(conn) => answer,
            () = primary.replaced() => Err(refused("another server is the primary now")),
        };
        match &answer {
            Err(error) if is_broken(error) => self.pool.manager().replace(generation),
            _ => lent.give_back(),
        }
        answer
    }

    /// Replaces all connections before their next call.
    pub(super) fn renew(&self) {
        self.pool.manager().generation.fetch_add(1, Ordering::AcqRel);
    }

    /// The number of connections, and how many calls use them or wait for one.
    pub(super) fn status(&self) -> Status {
        self.pool.status()
    }

    async fn checkout(&self) -> Result<Object<BulkManager>, RedisError> {
        let span = ChildSpan::redis_wait();
        let taken = self.pool.get().await;
        span.end(taken.is_err().then_some("unavailable"));
        taken.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Timeout(TimeoutType::Wait) => {
                self.wait_timeouts.fetch_add(1, Ordering::Relaxed);
                refused("no bulk connection became free within the time limit")
            }
            PoolError::Timeout(_) => {
                let error = refused("no connection within the time limit");
                self.pool.manager().refusal().record(error)
            }
            error => refused(&error.to_string()),
        })
    }
}

impl BulkManager {
    /// Replaces the connections of `generation` before their next call.
    fn replace(&self, generation: u64) {
        // Fails where another call has already replaced them.
        let (now, success) = (generation + 1, Ordering::AcqRel);
        _ = self.generation.compare_exchange(generation, now, success, Ordering::Relaxed);
    }

    fn refusal(&self) -> MutexGuard<'_, LastRefusal> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn open(&self) -> Result<(MultiplexedConnection, Primary), RedisError> {
        Ok(match &self.server {
            BulkServer::Known { manager, uses_tls } => {
                let opened = manager.create().await;
                let conn = opened.map_err(|error| tls::explained(error, *uses_tls))?;
                (conn, Primary::default())
            }
            BulkServer::Watched(sentinels) => {
                let (conn, primary) = sentinels.connect(BULK_LIMIT).await?;
                (conn, Primary::watched(primary))
            }
        })
    }
}

impl Manager for BulkManager {
    type Type = BulkConnection;
    type Error = RedisError;

    async fn create(&self) -> Result<BulkConnection, RedisError> {
        self.refusal().check()?;
        // Read before connecting: a connection that is opened while another one breaks is replaced.
        let generation = self.generation.load(Ordering::Acquire);
        match Box::pin(self.open()).await {
            Ok((conn, primary)) => {
                self.refusal().clear();
                Ok(BulkConnection { conn, primary, generation })
            }
            Err(error) => Err(self.refusal().record(error)),
        }
    }

    async fn recycle(
        &self,
        connection: &mut BulkConnection,
        metrics: &Metrics,
    ) -> RecycleResult<RedisError> {
        let is_old = connection.generation != self.generation.load(Ordering::Acquire);
        if is_old || connection.primary.is_replaced() {
            return Err(RecycleError::message("the connection is replaced"));
        }
        if metrics.last_used() >= CHECK_AFTER {
            redis::cmd("PING").query_async::<()>(&mut connection.conn).await?;
        }
        Ok(())
    }
}

impl Lent {
    /// Returns the connection to the pool.
    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

impl std::fmt::Debug for BulkPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the server: its URL may carry a password.
        f.debug_struct("BulkPool").field("status", &self.status()).finish_non_exhaustive()
    }
}
