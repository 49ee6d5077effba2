//! Starts one of the Redis setups: a single server, a cluster, or servers under Sentinel.

use std::path::Path;

use super::RedisServer;
use super::cluster::RedisCluster;
use super::sentinel::RedisSentinel;
use crate::error::DevError;

/// The kinds of Redis setups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum RedisKind {
    /// One server
    #[default]
    Single,
    /// A cluster of three primaries with three replicas; its data is never kept
    Cluster,
    /// A primary, a replica and three sentinels; their data is never kept
    Sentinel,
}

/// A running Redis setup.
#[derive(Debug)]
pub enum RedisSetup {
    /// One server.
    Single(RedisServer),
    /// A cluster.
    Cluster(RedisCluster),
    /// Servers under Sentinel.
    Sentinel(RedisSentinel),
}

impl RedisSetup {
    /// Starts a setup of this kind. `folder` keeps the data of a single server; the other setups
    /// never keep data.
    pub async fn start(kind: RedisKind, folder: Option<&Path>) -> Result<Self, DevError> {
        Ok(match (kind, folder) {
            (RedisKind::Single, Some(folder)) => Self::Single(RedisServer::start(folder).await?),
            (RedisKind::Single, None) => Self::Single(RedisServer::throwaway().await?),
            (RedisKind::Cluster, _) => Self::Cluster(RedisCluster::throwaway(true).await?),
            (RedisKind::Sentinel, _) => Self::Sentinel(RedisSentinel::throwaway().await?),
        })
    }

    /// `REDIS_URL` for onsale.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::Single(server) => server.url(),
            Self::Cluster(cluster) => cluster.url(),
            Self::Sentinel(watched) => watched.url(),
        }
    }

    /// Shuts all servers down.
    pub async fn stop(self) -> Result<(), DevError> {
        match self {
            Self::Single(server) => server.stop().await,
            Self::Cluster(cluster) => cluster.stop().await,
            Self::Sentinel(watched) => watched.stop().await,
        }
    }
}
