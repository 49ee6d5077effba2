//! One shared connection, replaced when it breaks or goes to a server that was replaced.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{Client, RedisError};
use tokio::sync::{Mutex, watch};

use super::connect::{CONNECT_LIMIT, connect};
use super::failure::{is_broken, refused};
use super::sentinel::Sentinels;

/// How long a call may take, by its kind.
const HOT_LIMIT: Duration = Duration::from_secs(1);
const BULK_LIMIT: Duration = Duration::from_secs(10);
/// After a refused connection others fail at once for this long, instead of queueing to try.
const REFUSED_FOR: Duration = Duration::from_millis(100);

/// Which server a lane goes to.
#[derive(Clone)]
pub(super) enum Server {
    /// The one at this address.
    Known(Box<Client>),
    /// Whichever is the primary when the connection is made.
    Watched(Arc<Sentinels>),
}

/// Which of the two connections to a server.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// For scripts: short, and many at a time.
    Hot,
    /// For what may take long or answer much.
    Bulk,
}

/// Both connections to one server.
#[derive(Debug)]
pub(super) struct Pair {
    hot: Lane,
    bulk: Lane,
}

/// A connection, and what becomes another address when its server is the primary no more.
#[derive(Clone)]
struct Open {
    conn: MultiplexedConnection,
    primary: Option<watch::Receiver<String>>,
    /// The how manieth of its lane.
    number: u64,
}

/// A connection that everybody shares.
pub(super) struct Lane {
    server: Server,
    limit: Duration,
    state: Mutex<LaneState>,
}

#[derive(Default)]
struct LaneState {
    open: Option<Open>,
    /// How often a connection was made, so that a broken one is replaced once.
    made: u64,
    refused: Option<(Instant, String)>,
}

impl Pair {
    /// Not connected yet.
    pub(super) fn new(server: &Server) -> Self {
        let lane = |limit| Lane { server: server.clone(), limit, state: Mutex::default() };
        Self { hot: lane(HOT_LIMIT), bulk: lane(BULK_LIMIT) }
    }

    /// One of the two.
    pub(super) fn lane(&self, kind: Kind) -> &Lane {
        match kind {
            Kind::Hot => &self.hot,
            Kind::Bulk => &self.bulk,
        }
    }
}

impl Lane {
    /// Runs `call` on the shared connection. A broken connection is dropped for the next caller to
    /// replace; the call itself is not repeated, since it may have had its effect. It is given up at
    /// once where another server becomes the primary.
    pub(super) async fn run<T, F>(
        &self,
        call: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, RedisError>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        let Open { conn, primary, number } = self.open().await?;
        let answer = tokio::select! {
            answer = call(conn) => answer,
            () = replaced(primary) => Err(refused("another server is the primary now")),
        };
        if let Err(error) = &answer
            && is_broken(error)
        {
            let mut state = self.state.lock().await;
            if state.open.as_ref().is_some_and(|current| current.number == number) {
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
                state.made += 1;
                state.refused = None;
                let open = Open { conn, primary, number: state.made };
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

/// Returns when another server is known to be the primary; never, for a server that nobody watches.
async fn replaced(primary: Option<watch::Receiver<String>>) {
    if let Some(mut primary) = primary
        && primary.changed().await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the server: its URL may carry a password.
        f.debug_struct("Lane").field("limit", &self.limit).finish_non_exhaustive()
    }
}
