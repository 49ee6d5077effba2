//! One shared connection, replaced when it breaks.

use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError};
use tokio::sync::Mutex;

use super::failure::{is_broken, refused};
use super::sentinel::Sentinels;

/// How long connecting may take, asking Sentinel included.
pub(super) const CONNECT_LIMIT: Duration = Duration::from_millis(700);
/// After a refused connection others fail at once for this long, instead of queueing to try.
const REFUSED_FOR: Duration = Duration::from_millis(100);

/// Which server a lane goes to.
pub(super) enum Server {
    /// The one at this address.
    Known(Box<Client>),
    /// Whichever is the primary when the connection is made.
    Watched(Sentinels),
}

/// A connection that everybody shares.
pub(super) struct Lane {
    server: Server,
    limit: Duration,
    state: Mutex<LaneState>,
}

#[derive(Default)]
struct LaneState {
    /// With the number of times a connection was made, so that a broken one is replaced once.
    conn: Option<(MultiplexedConnection, u64)>,
    made: u64,
    refused: Option<(Instant, String)>,
}

impl Lane {
    /// Not connected yet. A call may take `limit`.
    pub(super) fn new(server: Server, limit: Duration) -> Self {
        Self { server, limit, state: Mutex::default() }
    }

    /// Runs `call` on the shared connection. A broken connection is dropped for the next caller to
    /// replace; the call itself is not repeated, since it may have had its effect.
    pub(super) async fn run<T, F>(
        &self,
        call: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, RedisError>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        let (conn, number) = self.connection().await?;
        let answer = call(conn).await;
        if let Err(error) = &answer
            && is_broken(error)
        {
            let mut state = self.state.lock().await;
            if state.conn.as_ref().is_some_and(|(_, current)| *current == number) {
                state.conn = None;
            }
        }
        answer
    }

    async fn connection(&self) -> Result<(MultiplexedConnection, u64), RedisError> {
        let mut state = self.state.lock().await;
        if let Some((conn, number)) = &state.conn {
            return Ok((conn.clone(), *number));
        }
        if let Some((at, reason)) = &state.refused
            && at.elapsed() < REFUSED_FOR
        {
            return Err(refused(reason));
        }
        match tokio::time::timeout(CONNECT_LIMIT, self.connect()).await {
            Ok(Ok(conn)) => {
                state.made += 1;
                state.refused = None;
                state.conn = Some((conn.clone(), state.made));
                Ok((conn, state.made))
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

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        match &self.server {
            Server::Known(client) => open(client, self.limit).await,
            Server::Watched(sentinels) => sentinels.connect(self.limit).await,
        }
    }
}

/// A new connection, on which a call may take `limit`.
pub(super) async fn open(
    client: &Client,
    limit: Duration,
) -> Result<MultiplexedConnection, RedisError> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_LIMIT))
        .set_response_timeout(Some(limit));
    client.get_multiplexed_async_connection_with_config(&config).await
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the server: its URL may carry a password.
        f.debug_struct("Lane").field("limit", &self.limit).finish_non_exhaustive()
    }
}
