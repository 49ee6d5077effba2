//! A private Redis Cluster of three primaries, each with or without a replica.
//!
//! It is formed with `CLUSTER` commands, as an operator would do it, without changes to the nodes'
//! own files. No data is kept, and the cluster ends with its owner.

use std::time::{Duration, Instant};

use futures_util::future::{join_all, try_join_all};
use tokio::time::sleep;

use super::{RedisServer, Role, port};
use crate::error::DevError;

const PRIMARIES: usize = 3;
const SLOTS: usize = 16_384;
/// Time limit to form the cluster: primaries serve 2 s after their start at the earliest.
const FORMS: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A running cluster on its own loopback ports.
#[derive(Debug)]
pub struct RedisCluster {
    /// The primaries in order of their slots, then their replicas in the same order.
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts a cluster without persistence, and waits until it serves. `replicas` adds one replica
    /// per primary.
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

    /// The nodes: first the initial primaries in order of their slots, then their replicas in the
    /// same order.
    #[must_use]
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// The nodes, mutable, to kill and restart them.
    pub fn nodes_mut(&mut self) -> &mut [RedisServer] {
        &mut self.nodes
    }

    /// The index of the initial primary that has a slot.
    #[must_use]
    pub fn primary_of(slot: u16) -> usize {
        (0..PRIMARIES).rev().find(|primary| first_slot(*primary) <= slot.into()).unwrap_or(0)
    }

    /// `REDIS_URL` with the addresses of all nodes.
    #[must_use]
    pub fn url(&self) -> String {
        self.nodes.iter().map(RedisServer::url).collect::<Vec<_>>().join(",")
    }

    /// Kills every node (SIGKILL).
    pub async fn kill(&mut self) -> Result<(), DevError> {
        try_join_all(self.nodes.iter_mut().map(RedisServer::kill)).await.map(|_| ())
    }

    /// Starts every node again on its port, and waits until the cluster serves. The nodes have the
    /// same slots, and are empty unless a test has turned on persistence.
    pub async fn restart(&mut self) -> Result<(), DevError> {
        try_join_all(self.nodes.iter_mut().map(RedisServer::restart)).await?;
        self.settles().await
    }

    /// Shuts every node down.
    pub async fn stop(self) -> Result<(), DevError> {
        let ended = join_all(self.nodes.into_iter().map(RedisServer::stop)).await;
        ended.into_iter().collect()
    }

    /// Gives each primary a third of the slots, and a configuration epoch, by which the other nodes
    /// resolve conflicts.
    async fn give_slots(&self) -> Result<(), DevError> {
        for (at, primary) in self.nodes.iter().take(PRIMARIES).enumerate() {
            let (first, last) = (first_slot(at).to_string(), (first_slot(at + 1) - 1).to_string());
            let number = (at + 1).to_string();
            primary.call::<()>(&["CLUSTER", "SET-CONFIG-EPOCH", &number]).await?;
            primary.call::<()>(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]).await?;
        }
        Ok(())
    }

    /// Names every other node to each node, which takes less time than their gossip.
    async fn introduce(&self) -> Result<(), DevError> {
        for one in &self.nodes {
            for other in self.nodes.iter().filter(|other| other.port() != one.port()) {
                let Role::Node { bus } = other.role else {
                    continue;
                };
                let (port, bus) = (other.port().to_string(), bus.to_string());
                one.call::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).await?;
            }
        }
        let line = format!("cluster_known_nodes:{}", self.nodes.len());
        self.until("every node knows every other", async |node| has_line(node, &line).await).await
    }

    async fn attach_replicas(&self) -> Result<(), DevError> {
        for (primary, replica) in self.nodes.iter().zip(self.nodes.iter().skip(PRIMARIES)) {
            let id: String = primary.call(&["CLUSTER", "MYID"]).await?;
            let begun = Instant::now();
            // The replica may not know yet that the other node is a primary.
            while let Err(error) = replica.call::<()>(&["CLUSTER", "REPLICATE", &id]).await {
                if begun.elapsed() > FORMS {
                    return Err(error);
                }
                sleep(LOOK_AGAIN).await;
            }
        }
        Ok(())
    }

    /// Waits until the cluster is complete again, with any nodes as primaries: every node serves,
    /// and every primary has its replica, with a full copy. A replaced primary that does not know
    /// about its replacement yet does not count, because its replica has left it.
    pub async fn settles(&self) -> Result<(), DevError> {
        self.serves().await?;
        let copied = format!("connected_slaves:{}", self.nodes.len() / PRIMARIES - 1);
        let paired = async |node: &RedisServer| {
            let info: Result<String, _> = node.call(&["INFO", "replication"]).await;
            info.is_ok_and(|info| {
                let has_line = |line: &str| info.lines().any(|it| it.trim_end() == line);
                has_line("master_link_status:up") || has_line("role:master") && has_line(&copied)
            })
        };
        self.until("every primary is copied", paired).await
    }

    /// Waits until every node reports that the cluster serves.
    pub async fn serves(&self) -> Result<(), DevError> {
        self.until("every node serves", async |node| has_line(node, "cluster_state:ok").await).await
    }

    async fn until(
        &self,
        what: &str,
        is_true: impl AsyncFn(&RedisServer) -> bool,
    ) -> Result<(), DevError> {
        let begun = Instant::now();
        for node in &self.nodes {
            while !is_true(node).await {
                if begun.elapsed() > FORMS {
                    let log = node.folder.path().join("redis.log");
                    let log = std::fs::read_to_string(log).unwrap_or_default();
                    return Err(DevError::Redis(format!("waited too long for: {what}\n{log}")));
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
async fn has_line(node: &RedisServer, line: &str) -> bool {
    let info: Result<String, _> = node.call(&["CLUSTER", "INFO"]).await;
    info.is_ok_and(|info| info.lines().any(|it| it.trim_end() == line))
}
