//! The shared connection for scripts, which is replaced when it breaks or its server is no longer
//! the primary.

use std::time::Duration;

use redis::RedisError;
use redis::aio::MultiplexedConnection;
use tokio::sync::Mutex;

use super::connect::{CONNECT_LIMIT, connect};
use super::failure::{is_broken, refused};
use super::server::{LastRefusal, Primary, Server};

/// Time limit of a call.
const HOT_LIMIT: Duration = Duration::from_secs(1);

/// An open connection.
#[derive(Clone)]
struct Open {
    conn: MultiplexedConnection,
    primary: Primary,
    /// Connection generation: rises with each new connection.
    generation: u64,
}

/// A connection that all callers share.
pub(super) struct SharedConnection {
    server: Server,
    state: Mutex<ConnectionState>,
}

#[derive(Default)]
struct ConnectionState {
    open: Option<Open>,
    /// Generation of the latest connection, so that a broken connection is replaced only once.
    generation: u64,
    refusal: LastRefusal,
}

impl SharedConnection {
    /// Prepares a connection to `server`. It connects at its first call.
    pub(super) fn new(server: Server) -> Self {
        Self { server, state: Mutex::default() }
    }

    /// The server's address; that of the primary that was found last, under sentinels.
    pub(super) fn address(&self) -> String {
        self.server.address()
    }

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
            () = primary.replaced() => Err(refused("another server is the primary now")),
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
        state.refusal.check()?;
        match tokio::time::timeout(CONNECT_LIMIT, Box::pin(self.connect())).await {
            Ok(Ok((conn, primary))) => {
                state.generation += 1;
                state.refusal.clear();
                let open = Open { conn, primary, generation: state.generation };
                Ok(state.open.insert(open).clone())
            }
            Ok(Err(error)) => Err(state.refusal.record(error)),
            Err(_) => Err(state.refusal.record(refused("no connection within the time limit"))),
        }
    }

    async fn connect(&self) -> Result<(MultiplexedConnection, Primary), RedisError> {
        Ok(match &self.server {
            Server::Known(client) => (connect(client, HOT_LIMIT).await?, Primary::default()),
            Server::Watched(sentinels) => {
                let (conn, primary) = sentinels.connect(HOT_LIMIT).await?;
                (conn, Primary::watched(primary))
            }
        })
    }
}

impl std::fmt::Debug for SharedConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the server: its URL may carry a password.
        f.debug_struct("SharedConnection").finish_non_exhaustive()
    }
}
