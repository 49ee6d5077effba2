//! Private servers: the Redis and the PostgreSQL that `onsale dev`, tests and benches run for
//! themselves, on loopback ports, in a folder of their own.

mod account;
mod claim;
mod cluster;
mod error;
mod find;
mod folder;
mod guard;
pub mod pg;
mod port;
mod process;
pub mod redis;
#[cfg(test)]
mod tests;

use std::path::Path;

pub use error::DevError;
use pg::PostgresServer;
use redis::RedisServer;

/// Both servers.
#[derive(Debug)]
pub struct Stores {
    /// What must last.
    pub postgres: PostgresServer,
    /// What can time out.
    pub redis: RedisServer,
}

impl Stores {
    /// Starts both, each with what an earlier start kept in `folder`.
    pub async fn start(folder: &Path) -> Result<Self, DevError> {
        let servers = (
            Box::pin(PostgresServer::start(folder)),
            RedisServer::start(folder),
        );
        let (postgres, redis) = tokio::try_join!(servers.0, servers.1)?;
        Ok(Self { postgres, redis })
    }

    /// Starts both empty; they keep nothing and leave nothing.
    pub async fn throwaway() -> Result<Self, DevError> {
        let servers = (
            Box::pin(PostgresServer::throwaway()),
            RedisServer::throwaway(),
        );
        let (postgres, redis) = tokio::try_join!(servers.0, servers.1)?;
        Ok(Self { postgres, redis })
    }

    /// `DATABASE_URL` for onsale.
    #[must_use]
    pub fn database_url(&self) -> String {
        self.postgres.url("onsale")
    }

    /// `REDIS_URL` for onsale.
    #[must_use]
    pub fn redis_url(&self) -> String {
        self.redis.url()
    }

    /// Ends both orderly.
    pub async fn stop(self) -> Result<(), DevError> {
        let (postgres, redis) = tokio::join!(self.postgres.stop(), self.redis.stop());
        postgres.and(redis)
    }
}
