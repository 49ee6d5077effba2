//! The Redis of one test: one server, or a cluster when the run requests it (`make test-cluster`).

use futures_util::future::try_join_all;
use onsale::store::keys::slot;
use onsale_dev::DevError;
use onsale_dev::redis::RedisServer;
use onsale_dev::redis::cluster::RedisCluster;
use onsale_dev::redis::sentinel::RedisSentinel;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Arg, Cmd, Pipeline, RedisFuture, Value};

use super::faults::key;

/// Number of primaries of a cluster.
const PRIMARIES: usize = 3;

/// Redis servers that only this test uses.
pub enum Servers {
    Single(RedisServer),
    Cluster(RedisCluster),
    Sentinel(RedisSentinel),
}

/// Connections to every server that was a primary at the start. A command goes to the primary of
/// its key, or to all primaries if it has no key.
#[derive(Clone)]
pub struct Raw {
    primaries: Vec<MultiplexedConnection>,
}

/// Whether the run requests clusters: `ONSALE_TEST_REDIS` is `cluster`.
pub fn clusters_requested() -> bool {
    std::env::var("ONSALE_TEST_REDIS").is_ok_and(|kind| kind == "cluster")
}

impl Servers {
    /// The kind that the run requests. A cluster has no replicas: only failovers need them.
    pub async fn new() -> Self {
        if clusters_requested() { Self::cluster(false).await } else { Self::single().await }
    }

    pub async fn single() -> Self {
        Self::Single(RedisServer::throwaway().await.expect("a Redis"))
    }

    pub async fn cluster(replicas: bool) -> Self {
        Self::Cluster(RedisCluster::throwaway(replicas).await.expect("a cluster"))
    }

    /// `REDIS_URL` for the service.
    pub fn url(&self) -> String {
        match self {
            Self::Single(server) => server.url(),
            Self::Cluster(cluster) => cluster.url(),
            Self::Sentinel(watched) => watched.url(),
        }
    }

    /// Every server. Of a cluster: the primaries of the start, then their replicas. Of Sentinel:
    /// the primary, then its replica.
    pub fn all(&self) -> &[RedisServer] {
        match self {
            Self::Single(server) => std::slice::from_ref(server),
            Self::Cluster(cluster) => cluster.nodes(),
            Self::Sentinel(watched) => watched.servers(),
        }
    }

    fn all_mut(&mut self) -> &mut [RedisServer] {
        match self {
            Self::Single(server) => std::slice::from_mut(server),
            Self::Cluster(cluster) => cluster.nodes_mut(),
            Self::Sentinel(watched) => watched.servers_mut(),
        }
    }

    /// Kills all servers at once.
    pub async fn kill(&mut self) -> Result<(), DevError> {
        try_join_all(self.all_mut().iter_mut().map(RedisServer::kill)).await.map(|_| ())
    }

    /// Starts all servers again, and waits until they serve.
    pub async fn restart(&mut self) -> Result<(), DevError> {
        if let Self::Cluster(cluster) = self {
            cluster.restart().await
        } else {
            for server in self.all_mut() {
                server.restart().await?;
            }
            Ok(())
        }
    }

    /// Waits until every replica of a cluster has a full copy, so that any one server may fail.
    pub async fn settles(&self) -> Result<(), DevError> {
        if let Self::Cluster(cluster) = self { cluster.settles().await } else { Ok(()) }
    }

    /// Stops all servers (SIGSTOP).
    pub fn pause(&self) {
        self.all().iter().for_each(RedisServer::pause);
    }

    /// Continues all servers (SIGCONT).
    pub fn resume(&self) {
        self.all().iter().for_each(RedisServer::resume);
    }

    /// Index in [`Servers::all`] of the server that was the schedule's primary at the start.
    pub fn primary_of(&self, schedule: i64) -> usize {
        let slot = slot(key(schedule, "meta").as_bytes()).expect("a key of ours");
        if matches!(self, Self::Cluster(_)) { RedisCluster::primary_of(slot) } else { 0 }
    }

    /// Index in [`Servers::all`] of the server that serves the schedule's keys now, if any does.
    /// The server `but` is not asked.
    pub async fn primary_now(&self, schedule: i64, but: Option<usize>) -> Option<usize> {
        let key = key(schedule, "meta");
        for (at, server) in self.all().iter().enumerate().filter(|(at, _)| Some(*at) != but) {
            // Every other server redirects to another node, or is down.
            if server.call::<bool>(&["EXISTS", &key]).await.is_ok() {
                return Some(at);
            }
        }
        None
    }

    /// A server by its index in [`Servers::all`].
    pub fn server(&mut self, at: usize) -> &mut RedisServer {
        &mut self.all_mut()[at]
    }

    /// `REDIS_URL` of the one server that has a schedule's keys.
    pub fn url_of(&self, schedule: i64) -> String {
        self.all()[self.primary_of(schedule)].url()
    }

    /// Connections that bypass the service.
    pub async fn raw(&self) -> Raw {
        let count = if matches!(self, Self::Cluster(_)) { PRIMARIES } else { 1 };
        let mut primaries = Vec::new();
        for server in &self.all()[..count] {
            primaries.push(server.connect().await.expect("Redis"));
        }
        Raw { primaries }
    }
}

impl Raw {
    /// The connections that commands with these arguments go to.
    fn of<'c>(
        &mut self,
        mut commands: impl Iterator<Item = &'c Cmd>,
    ) -> &mut [MultiplexedConnection] {
        let slot = commands.find_map(|command| {
            command.args_iter().find_map(|arg| match arg {
                Arg::Simple(bytes) => slot(bytes),
                _ => None,
            })
        });
        match slot {
            Some(slot) if self.primaries.len() > 1 => {
                std::slice::from_mut(&mut self.primaries[RedisCluster::primary_of(slot)])
            }
            _ => &mut self.primaries,
        }
    }
}

impl ConnectionLike for Raw {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let mut answer = Value::Nil;
            for connection in self.of(std::iter::once(cmd)) {
                answer = connection.req_packed_command(cmd).await?;
            }
            Ok(answer)
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.of(pipeline.cmd_iter())[0].req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        0
    }
}
