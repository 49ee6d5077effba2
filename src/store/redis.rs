//! Redis: two shared connections to each server, where each schedule's keys are, and what a server
//! must be like.
//!
//! Hot scripts share one multiplexed connection: their pipelining is free, where a pool of
//! exclusive ones halves the rate. Long reads (snapshots, the log) and bulk loads have a second
//! one, so that no script waits behind a megabyte.
//!
//! | file | what it knows |
//! | --- | --- |
//! | `lane` | one shared connection: making it, and replacing it when it breaks |
//! | `cluster` | which node has which slot, and a lane to each |
//! | `sentinel` | which server is the primary now |
//! | `failure` | what an error means: moved, away, or a defect |

mod cluster;
mod connect;
mod failure;
mod sentinel;
mod shared_connection;

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{Arg, Client, Cmd, FromRedisValue, Pipeline, RedisError};

use self::cluster::Cluster;
use self::sentinel::Sentinels;
use self::shared_connection::{Kind, Pair, Server};
use super::StoreError;
use super::keys::slot;

/// The connections; cheap to clone.
#[derive(Debug, Clone)]
pub struct Redis {
    lanes: Arc<Lanes>,
}

/// The connections to one server, or to each node of a cluster.
#[derive(Debug)]
enum Lanes {
    One(Box<Pair>),
    Cluster(Cluster),
}

impl Redis {
    /// Prepares connections to `url`: one server; `redis+sentinel://…`, the primary that Sentinel
    /// names; or several URLs, comma-separated: seed nodes of a cluster. Connects at first use.
    ///
    /// # Errors
    /// [`StoreError::Defect`] where the URL is not one.
    pub fn lazy(url: &str) -> Result<Self, StoreError> {
        let lanes = Lanes::new(url).map_err(|error| failure::defect(&error))?;
        Ok(Self { lanes: Arc::new(lanes) })
    }

    /// Runs a command among the hot ones, where its first key is.
    pub async fn hot<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        // Boxed, as the others: what waits for Redis is moved about less where it is small.
        Box::pin(self.lanes.command(Kind::Hot, command)).await
    }

    /// Runs a command that may take long or answer much, where its first key is.
    pub async fn bulk<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        Box::pin(self.lanes.command(Kind::Bulk, command)).await
    }

    /// Runs several commands on one schedule's keys in one round trip, on the connection for what
    /// may take long. In a cluster they may run twice, where the keys are on their way to another
    /// node.
    pub async fn bulk_pipe<T: FromRedisValue>(&self, pipe: &Pipeline) -> Result<T, StoreError> {
        let at = pipe.cmd_iter().find_map(slot_of);
        let run =
            |mut conn: MultiplexedConnection| async move { pipe.query_async(&mut conn).await };
        Box::pin(self.lanes.run(Kind::Bulk, at, run)).await.map_err(StoreError::from)
    }

    /// Answers when Redis does; for `/readyz`. A cluster answers when one of its nodes says that it
    /// serves.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        match &*self.lanes {
            Lanes::One(_) => Ok(self.hot(&redis::cmd("PING")).await?),
            Lanes::Cluster(cluster) => Ok(cluster.serves().await?),
        }
    }

    /// Runs `ask` on both connections to where its key is, each replaced where it broke without
    /// anybody noticing yet, as those of before a restart have: for before work that must not stop
    /// half-way.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where Redis does not answer on new ones either.
    pub async fn renew(&self, ask: &Cmd) -> Result<(), StoreError> {
        for kind in [Kind::Hot, Kind::Bulk] {
            if self.lanes.command::<redis::Value>(kind, ask).await.is_err() {
                self.lanes.command::<redis::Value>(kind, ask).await?;
            }
        }
        Ok(())
    }

    /// Refuses servers that evict keys, and warns of those that keep nothing over a restart: each
    /// node of a cluster that can be asked, or else the one server there is.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] says what to change.
    pub async fn check_server(&self) -> Result<(), StoreError> {
        let info = redis::cmd("INFO");
        let Lanes::Cluster(cluster) = &*self.lanes else {
            return relied_on(&self.hot::<String>(&info).await?, None);
        };
        cluster.serves().await?;
        for (address, node) in cluster.nodes() {
            let ask = |mut conn| async move { info_of(&mut conn).await };
            match node.lane(Kind::Hot).run(ask).await {
                Ok(said) => relied_on(&said, Some(&address))?,
                Err(error) => tracing::warn!(address, %error, "a Redis node was not checked"),
            }
        }
        Ok(())
    }
}

async fn info_of(conn: &mut MultiplexedConnection) -> Result<String, RedisError> {
    redis::cmd("INFO").query_async(conn).await
}

/// Whether a server that says this of itself can be relied on; `node`: which, in a cluster.
fn relied_on(info: &str, node: Option<&str>) -> Result<(), StoreError> {
    let field = |name: &str| {
        info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    };
    let refuse = |reason: String| Err(StoreError::Inconsistent(reason));
    let at = node.map_or_else(String::new, |node| format!(" at {node}"));
    match field("maxmemory_policy") {
        Some("noeviction") | None => {}
        Some(policy) => {
            return refuse(format!(
                "Redis{at} has maxmemory-policy {policy}, which evicts holds and places; \
                 set it to noeviction"
            ));
        }
    }
    if node.is_none() && field("cluster_enabled") == Some("1") {
        return refuse("Redis is a node of a cluster: REDIS_URL must name several of them".into());
    }
    if field("aof_enabled") == Some("0") {
        tracing::warn!(
            "Redis{at} keeps nothing over a restart; the line is then rebuilt from tickets"
        );
    }
    Ok(())
}

impl Lanes {
    fn new(url: &str) -> Result<Self, RedisError> {
        if let Some(sentinels) = Sentinels::of_url(url)? {
            return Ok(Self::One(Box::new(Pair::new(&Server::Watched(Arc::new(sentinels))))));
        }
        if url.contains(',') {
            return Ok(Self::Cluster(Cluster::of_url(url)?));
        }
        Ok(Self::One(Box::new(Pair::new(&Server::Known(Box::new(Client::open(url)?))))))
    }

    async fn command<T: FromRedisValue>(&self, kind: Kind, command: &Cmd) -> Result<T, RedisError> {
        let run =
            |mut conn: MultiplexedConnection| async move { command.query_async(&mut conn).await };
        self.run(kind, slot_of(command), run).await
    }

    /// Runs `call` on the connection to where the slot is; anywhere, where there is no key.
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
            Self::One(pair) => pair.lane(kind).run(call).await,
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
