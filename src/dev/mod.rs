//! Private servers: the Redis and the `PostgreSQL` that `onsale dev`, tests and benches run for
//! themselves, on free loopback ports, in a folder of their own.
//!
//! | file | what it knows |
//! | --- | --- |
//! | `run`, `command` | `onsale dev`: signals, and the service or the command that runs on the stores |
//! | `environment` | the URLs and secrets that onsale is given |
//! | `redis`, `pg` | how each server is set up, started, and known to be ready |
//! | `redis/cluster`, `redis/sentinel`, `redis/setup` | several servers of Redis at once |
//! | `cluster` | `PostgreSQL`'s data directory |
//! | `process` | a child process: its signals and its end |
//! | `claim` | one server per folder: ends what a killed run left behind |
//! | `guard` | ends the servers of a run that is killed |
//! | `folder`, `account`, `port`, `find` | places, owners, ports, binaries |
//!
//! A kept folder (`.onsale`) holds `redis/` and `postgres/` (data, passwords), `redis.log` and
//! `postgres.log`, the ports last used, the dev secrets, and `env` for a shell. Two promises: what
//! a server has acknowledged is found again however the last run ended, and no process other than
//! our own servers is ever signalled.

mod account;
mod claim;
mod cluster;
mod command;
mod environment;
mod error;
mod find;
mod folder;
mod guard;
pub mod pg;
mod port;
mod process;
pub mod redis;
mod run;
#[cfg(test)]
mod tests;

use std::path::Path;

pub use environment::Environment;
pub use error::DevError;
use pg::PostgresServer;
use redis::RedisServer;
pub use run::{Args, run};

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
        let servers = (Box::pin(PostgresServer::start(folder)), RedisServer::start(folder));
        let (postgres, redis) = tokio::try_join!(servers.0, servers.1)?;
        Ok(Self { postgres, redis })
    }

    /// Starts both empty; they keep nothing and leave nothing.
    pub async fn throwaway() -> Result<Self, DevError> {
        let servers = (Box::pin(PostgresServer::throwaway()), RedisServer::throwaway());
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
