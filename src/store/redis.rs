//! Redis: two shared connections, their reconnecting, and what a server must be like.
//!
//! Hot scripts share one multiplexed connection: their pipelining is free, where a pool of
//! exclusive ones halves the rate. Long reads (snapshots, the log) and bulk loads have a second
//! one, so that no script waits behind a megabyte.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, Pipeline, RedisFuture, Value};
use tokio::sync::Mutex;

use super::{Store, StoreError};

const CONNECT_LIMIT: Duration = Duration::from_millis(700);
const HOT_LIMIT: Duration = Duration::from_secs(1);
const BULK_LIMIT: Duration = Duration::from_secs(10);
/// After a refused connection others fail at once for this long, instead of queueing to try.
const REFUSED_FOR: Duration = Duration::from_millis(100);

/// The connections; cheap to clone.
#[derive(Debug, Clone)]
pub struct Redis {
    hot: Arc<Lane>,
    bulk: Arc<Lane>,
}

/// A connection to one server or to a cluster.
#[derive(Clone)]
enum Conn {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

enum Target {
    Single(Box<Client>),
    Cluster(Box<ClusterClient>),
}

/// One shared connection, replaced when it breaks.
struct Lane {
    target: Target,
    limit: Duration,
    state: Mutex<LaneState>,
}

#[derive(Default)]
struct LaneState {
    /// With the number of times a connection was made, so that a broken one is replaced once.
    conn: Option<(Conn, u64)>,
    made: u64,
    refused: Option<(Instant, String)>,
}

impl Redis {
    /// Prepares connections to `url`: one server, or the comma-separated seed nodes of a cluster.
    /// Connects at first use.
    ///
    /// # Errors
    /// [`StoreError::Defect`] where the URL is not one.
    pub fn lazy(url: &str) -> Result<Self, StoreError> {
        let lane = |limit| Lane::new(url, limit).map(Arc::new).map_err(|error| defect(&error));
        Ok(Self { hot: lane(HOT_LIMIT)?, bulk: lane(BULK_LIMIT)? })
    }

    /// Runs a command among the hot ones.
    pub async fn hot<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, redis::RedisError> {
        self.hot.run(|mut conn| async move { command.query_async(&mut conn).await }).await
    }

    /// Runs a command that may take long or answer much.
    pub async fn bulk<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, redis::RedisError> {
        self.bulk.run(|mut conn| async move { command.query_async(&mut conn).await }).await
    }

    /// Runs several commands in one round trip, on the connection for what may take long.
    pub async fn bulk_pipe<T: FromRedisValue>(&self, pipe: &Pipeline) -> Result<T, StoreError> {
        (self.bulk.run(|mut conn| async move { pipe.query_async(&mut conn).await }).await)
            .map_err(StoreError::from)
    }

    /// Answers when Redis does; for `/readyz`.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.hot::<()>(&redis::cmd("PING")).await?)
    }

    /// Replaces connections that broke without anybody noticing yet, as those of before a restart
    /// have: for before work that must not stop half-way.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where Redis does not answer on new ones either.
    pub async fn renew(&self) -> Result<(), StoreError> {
        let ask =
            |mut conn: Conn| async move { redis::cmd("PING").query_async::<()>(&mut conn).await };
        for lane in [&self.hot, &self.bulk] {
            if lane.run(ask).await.is_err() {
                lane.run(ask).await?;
            }
        }
        Ok(())
    }

    /// Refuses a server that evicts keys, and warns of one that keeps nothing over a restart. A
    /// cluster's nodes answer for themselves; there it is left to whoever runs it.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] says what to change.
    pub async fn check_server(&self) -> Result<(), StoreError> {
        if matches!(self.hot.target, Target::Cluster(_)) {
            return Ok(());
        }
        let info: String = self.hot(&redis::cmd("INFO")).await?;
        let field = |name: &str| {
            info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
        };
        match field("maxmemory_policy") {
            Some("noeviction") | None => {}
            Some(policy) => {
                return Err(StoreError::Inconsistent(format!(
                    "Redis has maxmemory-policy {policy}, which evicts holds and places; \
                     set it to noeviction"
                )));
            }
        }
        if field("aof_enabled") == Some("0") {
            tracing::warn!(
                "Redis keeps nothing over a restart; the line is then rebuilt from tickets"
            );
        }
        Ok(())
    }
}

impl Lane {
    fn new(url: &str, limit: Duration) -> Result<Self, redis::RedisError> {
        let target = if url.contains(',') {
            let client = ClusterClient::builder(url.split(',').map(str::trim))
                .connection_timeout(CONNECT_LIMIT)
                .response_timeout(limit)
                .retries(1)
                .build()?;
            Target::Cluster(Box::new(client))
        } else {
            Target::Single(Box::new(Client::open(url)?))
        };
        Ok(Self { target, limit, state: Mutex::default() })
    }

    /// Runs `call` on the shared connection. A broken connection is dropped for the next caller to
    /// replace; the call itself is not repeated, since it may have had its effect.
    async fn run<T, F>(&self, call: impl FnOnce(Conn) -> F) -> Result<T, redis::RedisError>
    where
        F: Future<Output = Result<T, redis::RedisError>>,
    {
        let (conn, number) = self.connection().await?;
        let answer = call(conn).await;
        if let Err(error) = &answer
            && (error.is_io_error() || error.is_timeout() || error.is_unrecoverable_error())
        {
            let mut state = self.state.lock().await;
            if state.conn.as_ref().is_some_and(|(_, current)| *current == number) {
                state.conn = None;
            }
        }
        answer
    }

    async fn connection(&self) -> Result<(Conn, u64), redis::RedisError> {
        let mut state = self.state.lock().await;
        if let Some((conn, number)) = &state.conn {
            return Ok((conn.clone(), *number));
        }
        if let Some((at, reason)) = &state.refused
            && at.elapsed() < REFUSED_FOR
        {
            return Err(refused(reason));
        }
        match tokio::time::timeout(CONNECT_LIMIT, self.connect()).await {
            Ok(Ok(conn)) => {
                state.made += 1;
                state.refused = None;
                state.conn = Some((conn.clone(), state.made));
                Ok((conn, state.made))
            }
            failed => {
                let reason = match failed {
                    Ok(Err(error)) => error.to_string(),
                    _ => "no connection within the time limit".to_owned(),
                };
                let error = refused(&reason);
                state.refused = Some((Instant::now(), reason));
                Err(error)
            }
        }
    }

    async fn connect(&self) -> Result<Conn, redis::RedisError> {
        match &self.target {
            Target::Single(client) => {
                let config = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(CONNECT_LIMIT))
                    .set_response_timeout(Some(self.limit));
                let conn = client.get_multiplexed_async_connection_with_config(&config).await?;
                Ok(Conn::Single(conn))
            }
            Target::Cluster(client) => Ok(Conn::Cluster(client.get_async_connection().await?)),
        }
    }
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the target: its URL may carry a password.
        f.debug_struct("Lane").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl ConnectionLike for Conn {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(conn) => conn.req_packed_command(cmd),
            Self::Cluster(conn) => conn.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(conn) => conn.req_packed_commands(pipeline, offset, count),
            Self::Cluster(conn) => conn.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        0
    }
}

fn refused(reason: &str) -> redis::RedisError {
    let kind = std::io::ErrorKind::ConnectionRefused;
    std::io::Error::new(kind, reason.to_owned()).into()
}

fn defect(error: &redis::RedisError) -> StoreError {
    StoreError::Defect { store: Store::Redis, reason: error.to_string() }
}

impl From<redis::RedisError> for StoreError {
    fn from(error: redis::RedisError) -> Self {
        let full =
            matches!(error.code(), Some("OOM" | "LOADING" | "BUSY" | "READONLY" | "MISCONF"));
        let passing = error.is_io_error() || error.is_timeout() || error.is_cluster_error();
        if full || passing || error.is_unrecoverable_error() {
            Self::Unavailable { store: Store::Redis, reason: error.to_string() }
        } else {
            defect(&error)
        }
    }
}
