//! The connections to one server: a shared one for scripts, and a pool for bulk calls.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use redis::RedisError;
use redis::aio::MultiplexedConnection;

use super::bulk_pool::BulkPool;
use super::server::Server;
use super::shared_connection::SharedConnection;

/// The connections of one of the two kinds to a server.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// For scripts, which are short and many.
    Hot,
    /// For calls with a long run time or a large answer.
    Bulk,
}

/// The connections to one server.
#[derive(Debug)]
pub(super) struct NodeConnections {
    hot: SharedConnection,
    /// The pool for bulk calls.
    pub(super) bulk: BulkPool,
    /// Whether Sentinel names the server.
    pub(super) is_watched: bool,
}

impl NodeConnections {
    /// Prepares the connections; each connects when a call needs it. `wait_timeouts` counts the
    /// calls that found no free bulk connection in time.
    pub(super) fn new(server: Server, wait_timeouts: &Arc<AtomicU64>) -> Result<Self, RedisError> {
        let bulk = BulkPool::new(&server, Arc::clone(wait_timeouts))?;
        let is_watched = matches!(server, Server::Watched(_));
        Ok(Self { hot: SharedConnection::new(server), bulk, is_watched })
    }

    /// The server's address; that of the primary that was found last, under sentinels.
    pub(super) fn address(&self) -> String {
        self.hot.address()
    }

    /// Runs `call` on a connection of this kind.
    pub(super) async fn run<T, F>(
        &self,
        kind: Kind,
        call: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, RedisError>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        match kind {
            Kind::Hot => self.hot.run(call).await,
            Kind::Bulk => self.bulk.run(call).await,
        }
    }
}
