//! A private Redis Cluster of three primaries, each with a replica or none.
//!
//! It is formed as an operator would do it, by `CLUSTER` commands: nothing is written into the files
//! that the nodes keep for themselves. Nothing is kept, and it all ends with its owner.

use std::time::{Duration, Instant};

use futures_util::future::{join_all, try_join_all};
use tokio::time::sleep;

use super::{RedisServer, Role, port};
use crate::dev::error::DevError;

const PRIMARIES: usize = 3;
const SLOTS: usize = 16_384;
/// How long forming it may take: primaries serve 2 s after their start at the earliest.
const FORMS: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A running cluster on loopback ports of its own.
#[derive(Debug)]
pub struct RedisCluster {
    /// The primaries in order of their slots, then their replicas in the same order.
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts a cluster that keeps nothing, and waits until it serves; with a replica for each
    /// primary, or without any.
    pub async fn throwaway(replicas: bool) -> Result<Self, DevError> {
        let count = if replicas { 2 * PRIMARIES } else { PRIMARIES };
        let start = async |_| {
            let bus = port::free()?;
            RedisServer::throwaway_as(Role::Node { bus }).await
        };
        let cluster = Self { nodes: try_join_all((0..count).map(start)).await? };
        cluster.give_slots().await?;
        cluster.introduce().await?;
        cluster.attach_replicas().await?;
        cluster.settles().await?;
        Ok(cluster)
    }

    /// The nodes: the primaries of the start in order of their slots, then their replicas in the
    /// same order.
    #[must_use]
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// The same, to kill and to restart.
    pub fn nodes_mut(&mut self) -> &mut [RedisServer] {
        &mut self.nodes
    }

    /// Which of the primaries of the start has a slot.
    #[must_use]
    pub fn primary_of(slot: u16) -> usize {
        (0..PRIMARIES).rev().find(|primary| first_slot(*primary) <= slot.into()).unwrap_or(0)
    }

    /// `REDIS_URL`: every node of it.
    #[must_use]
    pub fn url(&self) -> String {
        self.nodes.iter().map(RedisServer::url).collect::<Vec<_>>().join(",")
    }

    /// Kills every node (SIGKILL).
    pub async fn kill(&mut self) -> Result<(), DevError> {
        try_join_all(self.nodes.iter_mut().map(RedisServer::kill)).await.map(|_| ())
    }

    /// Starts every node again on its port, and waits until the cluster serves: with the slots that
    /// each had, and empty unless somebody made it write a file.
    pub async fn restart(&mut self) -> Result<(), DevError> {
        try_join_all(self.nodes.iter_mut().map(RedisServer::restart)).await?;
        self.settles().await
    }

    /// Ends every node orderly.
    pub async fn stop(self) -> Result<(), DevError> {
        let ended = join_all(self.nodes.into_iter().map(RedisServer::stop)).await;
        ended.into_iter().collect()
    }

    /// Gives each primary a third of the slots, and a number by which the others tell whose word is
    /// newer.
    async fn give_slots(&self) -> Result<(), DevError> {
        for (at, primary) in self.nodes.iter().take(PRIMARIES).enumerate() {
            let (first, last) = (first_slot(at).to_string(), (first_slot(at + 1) - 1).to_string());
            let number = (at + 1).to_string();
            primary.tell::<()>(&["CLUSTER", "SET-CONFIG-EPOCH", &number]).await?;
            primary.tell::<()>(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]).await?;
        }
        Ok(())
    }

    /// Tells each node of every other, which is sooner done than waiting for rumours.
    async fn introduce(&self) -> Result<(), DevError> {
        for one in &self.nodes {
            for other in self.nodes.iter().filter(|other| other.port() != one.port()) {
                let Role::Node { bus } = other.role else {
                    continue;
                };
                let (port, bus) = (other.port().to_string(), bus.to_string());
                one.tell::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).await?;
            }
        }
        let known = format!("cluster_known_nodes:{}", self.nodes.len());
        self.until("every node knows every other", async |node| says(node, &known).await).await
    }

    async fn attach_replicas(&self) -> Result<(), DevError> {
        for (primary, replica) in self.nodes.iter().zip(self.nodes.iter().skip(PRIMARIES)) {
            let id: String = primary.tell(&["CLUSTER", "MYID"]).await?;
            let begun = Instant::now();
            // It may not have heard yet that the other is a primary.
            while let Err(error) = replica.tell::<()>(&["CLUSTER", "REPLICATE", &id]).await {
                if begun.elapsed() > FORMS {
                    return Err(error);
                }
                sleep(LOOK_AGAIN).await;
            }
        }
        Ok(())
    }

    /// Waits until all is as after the first start, whoever is a primary now: every node serves, and
    /// every primary has its replica, with a copy. One that was replaced is not taken for a primary
    /// until it has heard so: its replica has left it.
    pub async fn settles(&self) -> Result<(), DevError> {
        self.serves().await?;
        let copied = format!("connected_slaves:{}", self.nodes.len() / PRIMARIES - 1);
        let paired = async |node: &RedisServer| {
            let info: Result<String, _> = node.tell(&["INFO", "replication"]).await;
            info.is_ok_and(|info| {
                let says = |line: &str| info.lines().any(|it| it.trim_end() == line);
                says("master_link_status:up") || says("role:master") && says(&copied)
            })
        };
        self.until("every primary is copied", paired).await
    }

    /// Waits until every node says that it serves.
    pub async fn serves(&self) -> Result<(), DevError> {
        self.until("every node serves", async |node| says(node, "cluster_state:ok").await).await
    }

    async fn until(
        &self,
        what: &str,
        is: impl AsyncFn(&RedisServer) -> bool,
    ) -> Result<(), DevError> {
        let begun = Instant::now();
        for node in &self.nodes {
            while !is(node).await {
                if begun.elapsed() > FORMS {
                    let log = node.folder.path().join("redis.log");
                    let log = std::fs::read_to_string(log).unwrap_or_default();
                    return Err(DevError::Redis(format!("waited too long until {what}\n{log}")));
                }
                sleep(LOOK_AGAIN).await;
            }
        }
        Ok(())
    }
}

fn first_slot(primary: usize) -> usize {
    SLOTS * primary / PRIMARIES
}

/// Whether a node's `CLUSTER INFO` has this line.
async fn says(node: &RedisServer, line: &str) -> bool {
    let info: Result<String, _> = node.tell(&["CLUSTER", "INFO"]).await;
    info.is_ok_and(|info| info.lines().any(|it| it.trim_end() == line))
}
