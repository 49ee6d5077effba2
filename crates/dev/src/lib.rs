//! Private Redis and PostgreSQL servers for `onsale dev`, tests and benchmarks, on free loopback
//! ports and in their own folder.
//!
//! | file | content |
//! | --- | --- |
//! | `run`, `command` | `onsale dev`: signals, and the service or command that runs on the stores |
//! | `environment` | the URLs and secrets for onsale |
//! | `redis`, `pg` | configures and starts each server, and waits until it is ready |
//! | `redis/cluster`, `redis/sentinel`, `redis/setup` | several Redis servers together |
//! | `cluster` | the data directory of `PostgreSQL` |
//! | `process` | a child process: its signals and its end |
//! | `claim` | one server per folder: ends a server that a killed run has left |
//! | `guard` | ends the servers of a run that is killed |
//! | `folder`, `account`, `port`, `find` | folders, accounts, ports, binaries |
//!
//! A kept folder (`.onsale`) contains `redis/` and `postgres/` (data, passwords), `redis.log` and
//! `postgres.log`, the last ports, the secrets, and `env` for a shell. Two guarantees: data that a
//! server has acknowledged survives any end of the last run, and no process other than our own
//! servers gets a signal.

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

/// A private PostgreSQL server and a private Redis server.
#[derive(Debug)]
pub struct Stores {
    /// The PostgreSQL server.
    pub postgres: PostgresServer,
    /// The Redis server.
    pub redis: RedisServer,
}

impl Stores {
    /// Starts both servers with the data that an earlier start kept in `folder`.
    pub async fn start(folder: &Path) -> Result<Self, DevError> {
        let servers = (Box::pin(PostgresServer::start(folder)), RedisServer::start(folder));
        let (postgres, redis) = tokio::try_join!(servers.0, servers.1)?;
        Ok(Self { postgres, redis })
    }

    /// Starts both servers empty; all their data is removed with them.
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

    /// Shuts both servers down.
    pub async fn stop(self) -> Result<(), DevError> {
        let (postgres, redis) = tokio::join!(self.postgres.stop(), self.redis.stop());
        postgres.and(redis)
    }
}
