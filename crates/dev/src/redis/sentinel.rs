//! A private primary with a replica, and three sentinels for failover.

use std::time::{Duration, Instant};

use futures_util::future::{join_all, try_join_all};
use tokio::time::sleep;

use super::SERVICE;
use super::{RedisServer, Role};
use crate::error::DevError;

const SENTINELS: usize = 3;
/// Time limit for the sentinels to find each other.
const FORMS: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A primary, a replica and three sentinels on their own loopback ports. No data is kept, and all
/// servers end with their owner.
#[derive(Debug)]
pub struct RedisSentinel {
    /// The initial primary, then its replica.
    servers: Vec<RedisServer>,
    sentinels: Vec<RedisServer>,
}

impl RedisSentinel {
    /// Starts the servers, and waits until every sentinel knows the others and the replica.
    pub async fn throwaway() -> Result<Self, DevError> {
        let first = RedisServer::throwaway().await?;
        let primary = first.port();
        let replica = RedisServer::throwaway_as(Role::Replica { primary }).await?;
        until("the replica has a copy", async || {
            let info: String = replica.call(&["INFO", "replication"]).await.unwrap_or_default();
            info.contains("master_link_status:up")
        })
        .await?;
        let start = async |_| RedisServer::throwaway_as(Role::Sentinel { primary }).await;
        let sentinels = try_join_all((0..SENTINELS).map(start)).await?;
        for sentinel in &sentinels {
            until("every sentinel knows the others", async || {
                let ask = ["INFO", "sentinel"];
                let info: String = sentinel.call(&ask).await.unwrap_or_default();
                info.contains(&format!("slaves=1,sentinels={SENTINELS}"))
            })
            .await?;
        }
        Ok(Self { servers: vec![first, replica], sentinels })
    }

    /// `REDIS_URL` with the addresses of the sentinels.
    #[must_use]
    pub fn url(&self) -> String {
        let hosts = self.sentinels.iter().map(|one| format!("127.0.0.1:{}", one.port()));
        format!("redis+sentinel://{}/{SERVICE}", hosts.collect::<Vec<_>>().join(","))
    }

    /// The initial primary, then its replica.
    #[must_use]
    pub fn servers(&self) -> &[RedisServer] {
        &self.servers
    }

    /// The initial primary and its replica, mutable, to kill and restart them.
    pub fn servers_mut(&mut self) -> &mut [RedisServer] {
        &mut self.servers
    }

    /// The sentinels, mutable, to kill and restart them.
    pub fn sentinels_mut(&mut self) -> &mut [RedisServer] {
        &mut self.sentinels
    }

    /// Shuts all servers down, the sentinels first.
    pub async fn stop(self) -> Result<(), DevError> {
        let all = self.sentinels.into_iter().chain(self.servers);
        join_all(all.map(RedisServer::stop)).await.into_iter().collect()
    }
}

async fn until(what: &str, is_true: impl AsyncFn() -> bool) -> Result<(), DevError> {
    let begun = Instant::now();
    while !is_true().await {
        if begun.elapsed() > FORMS {
            return Err(DevError::Redis(format!("waited too long for: {what}")));
        }
        sleep(LOOK_AGAIN).await;
    }
    Ok(())
}
