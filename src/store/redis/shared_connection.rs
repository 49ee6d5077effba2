//! A shared connection, which is replaced when it breaks or its server is no longer the primary.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{Client, RedisError};
use tokio::sync::{Mutex, watch};

use super::connect::{CONNECT_LIMIT, connect};
use super::failure::{is_broken, refused};
use super::sentinel::Sentinels;

/// Time limit of a call on the hot connection.
const HOT_LIMIT: Duration = Duration::from_secs(1);
/// Time limit of a call on the bulk connection.
const BULK_LIMIT: Duration = Duration::from_secs(10);
/// After a failed attempt to connect, calls fail at once for this long instead of trying one after
/// the other.
const REFUSED_FOR: Duration = Duration::from_millis(100);

/// The server of a connection.
#[derive(Clone)]
pub(super) enum Server {
    /// The server at this address.
    Known(Box<Client>),
    /// The server that is the primary when the connection is opened.
    Watched(Arc<Sentinels>),
}

/// One of the two connections to a server.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// For scripts, which are short and many.
    Hot,
    /// For calls with a long run time or a large answer.
    Bulk,
}

/// Both connections to one server.
#[derive(Debug)]
pub(super) struct NodeConnections {
    hot: SharedConnection,
    bulk: SharedConnection,
}

/// An open connection.
#[derive(Clone)]
struct Open {
    conn: MultiplexedConnection,
    /// The address of the primary; it changes when another server becomes the primary.
    primary: Option<watch::Receiver<String>>,
    /// Connection generation: rises with each new connection.
    generation: u64,
}

/// A connection that all callers share.
pub(super) struct SharedConnection {
    server: Server,
    limit: Duration,
    state: Mutex<ConnectionState>,
}

#[derive(Default)]
struct ConnectionState {
    open: Option<Open>,
    /// Generation of the latest connection, so that a broken connection is replaced only once.
    generation: u64,
    /// The last failed attempt to connect: its time and reason.
    refused: Option<(Instant, String)>,
}

impl NodeConnections {
    /// Prepares both connections; each connects at its first call.
    pub(super) fn new(server: &Server) -> Self {
        let connection =
            |limit| SharedConnection { server: server.clone(), limit, state: Mutex::default() };
        Self { hot: connection(HOT_LIMIT), bulk: connection(BULK_LIMIT) }
    }

    /// The connection of this kind.
    pub(super) fn connection(&self, kind: Kind) -> &SharedConnection {
        match kind {
            Kind::Hot => &self.hot,
            Kind::Bulk => &self.bulk,
        }
    }
}

impl SharedConnection {
    /// Runs `call` on the shared connection. A broken connection is dropped, and the next call
    /// opens a new one. The failed call is not repeated, because it may have had its effect. A call
    /// fails at once when another server becomes the primary.
    pub(super) async fn run<T, F>(
        &self,
        call: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, RedisError>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        let Open { conn, primary, generation } = self.open().await?;
        let answer = tokio::select! {
            answer = call(conn) => answer,
            () = replaced(primary) => Err(refused("another server is the primary now")),
        };
        if let Err(error) = &answer
            && is_broken(error)
        {
            let mut state = self.state.lock().await;
            if state.open.as_ref().is_some_and(|current| current.generation == generation) {
                state.open = None;
            }
        }
        answer
    }

    async fn open(&self) -> Result<Open, RedisError> {
        let mut state = self.state.lock().await;
        if let Some(open) = &state.open {
            return Ok(open.clone());
        }
        if let Some((at, reason)) = &state.refused
            && at.elapsed() < REFUSED_FOR
        {
            return Err(refused(reason));
        }
        match tokio::time::timeout(CONNECT_LIMIT, Box::pin(self.connect())).await {
            Ok(Ok((conn, primary))) => {
                state.generation += 1;
                state.refused = None;
                let open = Open { conn, primary, generation: state.generation };
                Ok(state.open.insert(open).clone())
            }
            failed => {
                let reason = match failed {
                    Ok(Err(error)) => error.to_string(),
                    _ => "no connection within the time limit".to_owned(),
                };
                let error = refused(&reason);
                state.refused = Some((Instant::now(), reason));
                Err(error)
            }
        }
    }

    async fn connect(
        &self,
    ) -> Result<(MultiplexedConnection, Option<watch::Receiver<String>>), RedisError> {
        Ok(match &self.server {
            Server::Known(client) => (connect(client, self.limit).await?, None),
            Server::Watched(sentinels) => {
                let (conn, primary) = sentinels.connect(self.limit).await?;
                (conn, Some(primary))
            }
        })
    }
}

/// Returns when another server becomes the primary; never returns for a server without sentinels.
async fn replaced(primary: Option<watch::Receiver<String>>) {
    if let Some(mut primary) = primary
        && primary.changed().await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

impl std::fmt::Debug for SharedConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the server: its URL may carry a password.
        f.debug_struct("SharedConnection").field("limit", &self.limit).finish_non_exhaustive()
    }
}
