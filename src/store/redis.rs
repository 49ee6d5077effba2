//! Redis: the connections to each server, the routing of each schedule's calls to its server, and
//! the check of a server's settings.
//!
//! All hot scripts share one multiplexed connection, which pipelines them: a call on an exclusive
//! connection costs several times its CPU. Long reads (snapshots, the log) and bulk loads have a
//! small pool of exclusive connections, so that neither a script nor another schedule's board waits
//! behind a megabyte.
//!
//! | file | content |
//! | --- | --- |
//! | `node` | the connections to one server |
//! | `shared_connection` | opens the shared connection, and replaces it when it breaks |
//! | `bulk_pool` | the pool of exclusive connections |
//! | `server` | the address of a server, or the way to find it |
//! | `cluster` | knows which node has which slot, and the connections to each node |
//! | `sentinel` | finds the current primary |
//! | `info` | what a server reports about itself, and the check of its settings |
//! | `failure` | what an error means: moved, unavailable, or a defect |
//! | `scan` | lists keys, for an operator's command |
//! | `tls` | the certificates of TLS connections, and the errors of TLS |
//! | `usable` | checks that a server permits every command and accepts writes |

mod bulk_pool;
mod cluster;
mod connect;
mod failure;
pub mod info;
mod node;
mod scan;
mod sentinel;
mod server;
mod shared_connection;
pub mod tls;
pub mod usable;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use redis::aio::MultiplexedConnection;
use redis::{Arg, Cmd, FromRedisValue, Pipeline, RedisError};

use self::cluster::Cluster;
use self::node::{Kind, NodeConnections};
use self::sentinel::Sentinels;
use self::server::Server;
use self::tls::Certificates;
use super::StoreError;
use super::keys::slot;
use crate::telemetry::stores::RedisCalls;

/// The connections to Redis; cheap to clone.
#[derive(Debug, Clone)]
pub struct Redis {
    nodes: Arc<Nodes>,
    /// Bulk calls that found no free connection in time, and that no reader has counted yet.
    wait_timeouts: Arc<AtomicU64>,
    calls: RedisCalls,
}

/// The bulk connections of this process at one moment, to all servers together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BulkUse {
    /// Open connections.
    pub size: usize,
    /// Connections that run a call.
    pub in_use: usize,
    /// Calls that wait for a connection.
    pub waiting: usize,
    /// Calls that found no free connection in time, since the last call of [`Redis::bulk_use`].
    pub wait_timeouts: u64,
}

/// The connections to one server, or to each node of a cluster.
#[derive(Debug)]
enum Nodes {
    One(Arc<NodeConnections>),
    Cluster(Cluster),
}

impl Redis {
    /// Prepares connections to `url`: one server; `redis+sentinel://…`, the primary that Sentinel
    /// names; or several URLs, comma-separated: seed nodes of a cluster. Connects at first use.
    ///
    /// # Errors
    /// [`StoreError::Defect`] if the URL is not valid.
    pub fn lazy(url: &str) -> Result<Self, StoreError> {
        Self::with_certificates(url, &Certificates::default())
    }

    /// As [`Redis::lazy`], with these certificates for `rediss://` URLs.
    ///
    /// # Errors
    /// [`StoreError::Defect`] if the URL is not valid.
    pub fn with_certificates(url: &str, certificates: &Certificates) -> Result<Self, StoreError> {
        let wait_timeouts = Arc::default();
        let nodes = Nodes::new(url, certificates, &wait_timeouts);
        let nodes = nodes.map_err(|error| failure::defect(&error))?;
        Ok(Self { nodes: Arc::new(nodes), wait_timeouts, calls: RedisCalls::default() })
    }

    /// These connections; `calls` records how long calls take.
    #[must_use]
    pub fn measured_by(self, calls: RedisCalls) -> Self {
        Self { calls, ..self }
    }

    /// Runs a short command on the hot connection of the server that has its first key.
    pub async fn hot<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        // Boxed, here and below, so that the futures that wait for Redis stay small: they are moved
        // often.
        let begun = Instant::now();
        let answer = Box::pin(self.nodes.command(Kind::Hot, command)).await;
        self.calls.shared.observe(begun.elapsed());
        answer
    }

    /// Runs a command with a long run time or a large answer, on a bulk connection of the server
    /// that has its first key.
    pub async fn bulk<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        let begun = Instant::now();
        let answer = Box::pin(self.nodes.command(Kind::Bulk, command)).await;
        self.calls.bulk.observe(begun.elapsed());
        answer
    }

    /// Runs several commands on one schedule's keys in one round trip, on a bulk connection. In a
    /// cluster they may run twice while the keys move to another node.
    pub async fn bulk_pipe<T: FromRedisValue>(&self, pipe: &Pipeline) -> Result<T, StoreError> {
        let slot = pipe.cmd_iter().find_map(slot_of);
        let run =
            |mut conn: MultiplexedConnection| async move { pipe.query_async(&mut conn).await };
        let begun = Instant::now();
        let answer = Box::pin(self.nodes.run(Kind::Bulk, slot, run)).await;
        self.calls.bulk.observe(begun.elapsed());
        answer.map_err(StoreError::from)
    }

    /// Checks that Redis answers; `Redis::unusable` checks more. Of a cluster, one node must report
    /// that the cluster serves.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if Redis does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        match &*self.nodes {
            Nodes::One(_) => Ok(self.hot(&redis::cmd("PING")).await?),
            Nodes::Cluster(cluster) => Ok(cluster.serves().await?),
        }
    }

    /// Replaces the connections that may be broken, as after a restart of the server: all bulk
    /// connections, and the hot connection to the server of `probe`'s key if it fails. Runs `probe`
    /// on one of each kind, and once more on a new one. Call it before work that must not stop
    /// half-way.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if Redis does not answer on new connections either.
    pub async fn renew(&self, probe: &Cmd) -> Result<(), StoreError> {
        self.nodes.all().iter().for_each(|node| node.bulk.renew());
        for kind in [Kind::Hot, Kind::Bulk] {
            if self.nodes.command::<redis::Value>(kind, probe).await.is_err() {
                self.nodes.command::<redis::Value>(kind, probe).await?;
            }
        }
        Ok(())
    }

    /// The use of the bulk connections now. A call that found no free connection in time is counted
    /// once, so only the metrics may read this.
    #[must_use]
    pub fn bulk_use(&self) -> BulkUse {
        let wait_timeouts = self.wait_timeouts.swap(0, Ordering::Relaxed);
        let mut all = BulkUse { wait_timeouts, ..BulkUse::default() };
        for node in self.nodes.all() {
            let status = node.bulk.status();
            all.size += status.size;
            all.in_use += status.size - status.available;
            all.waiting += status.waiting;
        }
        all
    }
}

impl Nodes {
    fn new(
        url: &str,
        certificates: &Certificates,
        wait_timeouts: &Arc<AtomicU64>,
    ) -> Result<Self, RedisError> {
        let server = match Sentinels::of_url(url, certificates)? {
            Some(sentinels) => Server::Watched(Arc::new(sentinels)),
            None if url.contains(',') => {
                let cluster = Cluster::of_url(url, certificates, Arc::clone(wait_timeouts))?;
                return Ok(Self::Cluster(cluster));
            }
            None => Server::Known(Box::new(certificates.client(url)?)),
        };
        Ok(Self::One(Arc::new(NodeConnections::new(server, wait_timeouts)?)))
    }

    /// Whether Sentinel names the server.
    fn is_watched(&self) -> bool {
        matches!(self, Self::One(node) if node.is_watched)
    }

    /// The connections to all servers that this process knows.
    fn all(&self) -> Vec<Arc<NodeConnections>> {
        match self {
            Self::One(node) => vec![Arc::clone(node)],
            Self::Cluster(cluster) => cluster.connected(),
        }
    }

    async fn command<T: FromRedisValue>(&self, kind: Kind, command: &Cmd) -> Result<T, RedisError> {
        let run =
            |mut conn: MultiplexedConnection| async move { command.query_async(&mut conn).await };
        self.run(kind, slot_of(command), run).await
    }

    /// Runs `call` on the connection to the server that has the slot; on any server without a slot.
    async fn run<T, F>(
        &self,
        kind: Kind,
        slot: Option<u16>,
        call: impl Fn(MultiplexedConnection) -> F,
    ) -> Result<T, RedisError>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        match self {
            Self::One(node) => node.run(kind, call).await,
            Self::Cluster(cluster) => cluster.run(kind, slot.unwrap_or(0), call).await,
        }
    }
}

/// The slot of the first key that a command names.
fn slot_of(command: &Cmd) -> Option<u16> {
    command.args_iter().find_map(|arg| match arg {
        Arg::Simple(bytes) => slot(bytes),
        _ => None,
    })
}
