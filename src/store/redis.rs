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
mod failure;
mod lane;
mod sentinel;

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Arg, Client, Cmd, FromRedisValue, Pipeline, RedisError};

use self::cluster::Cluster;
use self::lane::{Lane, Server};
use self::sentinel::Sentinels;
use super::StoreError;
use super::keys::slot;

const HOT_LIMIT: Duration = Duration::from_secs(1);
const BULK_LIMIT: Duration = Duration::from_secs(10);

/// The connections; cheap to clone.
#[derive(Debug, Clone)]
pub struct Redis {
    hot: Arc<Lanes>,
    bulk: Arc<Lanes>,
}

/// One connection, or one to each node of a cluster.
#[derive(Debug)]
enum Lanes {
    One(Lane),
    Cluster(Cluster),
}

impl Redis {
    /// Prepares connections to `url`: one server; `redis+sentinel://…`, the primary that Sentinel
    /// names; or several URLs, comma-separated: seed nodes of a cluster. Connects at first use.
    ///
    /// # Errors
    /// [`StoreError::Defect`] where the URL is not one.
    pub fn lazy(url: &str) -> Result<Self, StoreError> {
        let lanes = |limit| Lanes::new(url, limit).map(Arc::new).map_err(|e| failure::defect(&e));
        Ok(Self { hot: lanes(HOT_LIMIT)?, bulk: lanes(BULK_LIMIT)? })
    }

    /// Runs a command among the hot ones, where its first key is.
    pub async fn hot<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        self.hot.command(command).await
    }

    /// Runs a command that may take long or answer much, where its first key is.
    pub async fn bulk<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        self.bulk.command(command).await
    }

    /// Runs several commands on one schedule's keys in one round trip, on the connection for what
    /// may take long. In a cluster they may run twice, where the keys are on their way to another
    /// node.
    pub async fn bulk_pipe<T: FromRedisValue>(&self, pipe: &Pipeline) -> Result<T, StoreError> {
        let at = pipe.cmd_iter().find_map(slot_of);
        let run =
            |mut conn: MultiplexedConnection| async move { pipe.query_async(&mut conn).await };
        self.bulk.run(at, run).await.map_err(StoreError::from)
    }

    /// Answers when Redis does; for `/readyz`. A cluster answers when one of its nodes says that it
    /// serves.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(match &*self.hot {
            Lanes::One(_) => self.hot(&redis::cmd("PING")).await?,
            Lanes::Cluster(cluster) => cluster.serves().await?,
        })
    }

    /// Runs `ask` on both connections to where its key is, each replaced where it broke without
    /// anybody noticing yet, as those of before a restart have: for before work that must not stop
    /// half-way.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where Redis does not answer on new ones either.
    pub async fn renew(&self, ask: &Cmd) -> Result<(), StoreError> {
        for lanes in [&self.hot, &self.bulk] {
            if lanes.command::<redis::Value>(ask).await.is_err() {
                lanes.command::<redis::Value>(ask).await?;
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
        let Lanes::Cluster(cluster) = &*self.hot else {
            return relied_on(&self.hot.command::<String>(&info).await?, None);
        };
        cluster.serves().await?;
        for (address, lane) in cluster.nodes() {
            let ask = |mut conn| async move { info_of(&mut conn).await };
            match lane.run(ask).await {
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
    fn new(url: &str, limit: Duration) -> Result<Self, RedisError> {
        if let Some(sentinels) = Sentinels::of_url(url)? {
            return Ok(Self::One(Lane::new(Server::Watched(sentinels), limit)));
        }
        if url.contains(',') {
            return Ok(Self::Cluster(Cluster::of_url(url, limit)?));
        }
        Ok(Self::One(Lane::new(Server::Known(Box::new(Client::open(url)?)), limit)))
    }

    async fn command<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        let run =
            |mut conn: MultiplexedConnection| async move { command.query_async(&mut conn).await };
        self.run(slot_of(command), run).await
    }

    /// Runs `call` on the connection to where the slot is; anywhere, where there is no key.
    async fn run<T, F>(
        &self,
        slot: Option<u16>,
        call: impl Fn(MultiplexedConnection) -> F,
    ) -> Result<T, RedisError>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        match self {
            Self::One(lane) => lane.run(call).await,
            Self::Cluster(cluster) => cluster.run(slot.unwrap_or(0), call).await,
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
