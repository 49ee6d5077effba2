//! The Redis of one test: one server, or a cluster where the run asks for it (`make test-cluster`).

use futures_util::future::try_join_all;
use onsale::dev::DevError;
use onsale::dev::redis::RedisServer;
use onsale::dev::redis::cluster::RedisCluster;
use onsale::dev::redis::sentinel::RedisSentinel;
use onsale::store::keys::slot;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Arg, Cmd, Pipeline, RedisFuture, Value};

use super::faults::key;

/// How many primaries a cluster has.
const PRIMARIES: usize = 3;

/// Servers of this test alone.
pub enum Servers {
    Single(RedisServer),
    Cluster(RedisCluster),
    Sentinel(RedisSentinel),
}

/// Connections to every primary of the start; a command goes to the one that has its key, or to all
/// where it has none.
#[derive(Clone)]
pub struct Raw {
    primaries: Vec<MultiplexedConnection>,
}

/// Whether the run asks for clusters: `ONSALE_TEST_REDIS` is `cluster`, or not set.
pub fn clusters_asked() -> bool {
    std::env::var("ONSALE_TEST_REDIS").is_ok_and(|kind| kind == "cluster")
}

impl Servers {
    /// What the run asks for; a cluster without replicas, which nothing but a failover needs.
    pub async fn new() -> Self {
        if clusters_asked() { Self::cluster(false).await } else { Self::single().await }
    }

    pub async fn single() -> Self {
        Self::Single(RedisServer::throwaway().await.expect("a Redis"))
    }

    pub async fn cluster(replicas: bool) -> Self {
        Self::Cluster(RedisCluster::throwaway(replicas).await.expect("a cluster"))
    }

    /// `REDIS_URL`.
    pub fn url(&self) -> String {
        match self {
            Self::Single(server) => server.url(),
            Self::Cluster(cluster) => cluster.url(),
            Self::Sentinel(watched) => watched.url(),
        }
    }

    /// Every server: of a cluster, the primaries of the start and then their replicas, of Sentinel,
    /// the primary and its replica.
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

    /// Kills all of it, at once.
    pub async fn kill(&mut self) -> Result<(), DevError> {
        try_join_all(self.all_mut().iter_mut().map(RedisServer::kill)).await.map(|_| ())
    }

    /// Starts all of it again, and waits until it serves.
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

    /// Waits until every replica of a cluster has a copy, so that any server of it may go.
    pub async fn settles(&self) -> Result<(), DevError> {
        if let Self::Cluster(cluster) = self { cluster.settles().await } else { Ok(()) }
    }

    /// Stops all of it (SIGSTOP).
    pub fn pause(&self) {
        self.all().iter().for_each(RedisServer::pause);
    }

    /// Ends a pause.
    pub fn resume(&self) {
        self.all().iter().for_each(RedisServer::resume);
    }

    /// Where in `all` the primary of a schedule was at the start.
    pub fn primary_of(&self, schedule: i64) -> usize {
        let slot = slot(key(schedule, "meta").as_bytes()).expect("a key of ours");
        if matches!(self, Self::Cluster(_)) { RedisCluster::primary_of(slot) } else { 0 }
    }

    /// Where in `all` the server is that serves a schedule's keys now; none where none does. `but` is
    /// not asked.
    pub async fn primary_now(&self, schedule: i64, but: Option<usize>) -> Option<usize> {
        let key = key(schedule, "meta");
        for (at, server) in self.all().iter().enumerate().filter(|(at, _)| Some(*at) != but) {
            // The others name another node, or are gone.
            if server.tell::<bool>(&["EXISTS", &key]).await.is_ok() {
                return Some(at);
            }
        }
        None
    }

    /// A server of `all`.
    pub fn server(&mut self, at: usize) -> &mut RedisServer {
        &mut self.all_mut()[at]
    }

    /// `REDIS_URL` of the one server that has a schedule's keys.
    pub fn url_of(&self, schedule: i64) -> String {
        self.all()[self.primary_of(schedule)].url()
    }

    /// Connections past the service.
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
