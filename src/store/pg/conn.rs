//! A connection of the pool, which is closed if it is silent.
//!
//! When a connection returns to the pool, sqlx asks PostgreSQL whether it still answers, and waits for
//! that without end. A connection whose packets are lost without a trace, because the server is gone or
//! a firewall has dropped its state, would keep its place in the pool until TCP gives up: for a quarter
//! of an hour.

use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::time::Duration;

use scopeguard::ScopeGuard;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Connection, Error, Executor, Postgres};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::session;

/// Time limit of the answer to a statement or a commit, unless the transaction has raised it.
/// PostgreSQL ends statements earlier (`statement_timeout`), so after this a commit waits for a standby,
/// or the connection is silent.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(4);

/// Pause between two looks whether commits wait for a standby.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// Time limit of a look.
const LOOK_LIMIT: Duration = Duration::from_secs(3);

/// A connection of the pool. When it is dropped, an open transaction is rolled back, and the
/// connection returns to the pool if it answers.
#[derive(Debug)]
pub(super) struct Conn(ScopeGuard<Held, fn(Held)>);

/// What a connection has until it is dropped.
#[derive(Debug)]
struct Held {
    conn: PoolConnection<Postgres>,
    pool: PgPool,
    /// The permit to write. It is kept until the connection has returned, unless it ends earlier.
    permit: Option<OwnedSemaphorePermit>,
    /// How long the return may take before the first look.
    patience: Duration,
    /// Whether a transaction may be open.
    in_transaction: bool,
}

impl Conn {
    /// Takes a connection from the pool.
    ///
    /// # Errors
    /// [`Error::PoolTimedOut`] if there is none for a second.
    pub(super) async fn take(pool: &PgPool) -> Result<Self, Error> {
        Self::take_to_write(pool, None).await
    }

    /// As [`Conn::take`], with a permit to write.
    pub(super) async fn take_to_write(
        pool: &PgPool,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<Self, Error> {
        let (conn, pool) = (pool.acquire().await?, pool.clone());
        let held = Held { conn, pool, permit, patience: ANSWER_LIMIT, in_transaction: false };
        Ok(Self(scopeguard::guard(held, Held::give_back)))
    }

    /// Begins a transaction. The caller may be dropped before the answer, as when a client hangs up: the
    /// transaction counts as open from the start. sqlx's own transactions do so only after the answer.
    /// Their connections return to the pool inside of a transaction, and what others write there is
    /// not committed.
    ///
    /// # Errors
    /// [`Error::Io`] if there is no answer within the limit.
    pub(super) async fn begin(&mut self) -> Result<(), Error> {
        self.0.in_transaction = true;
        let begun = timeout(ANSWER_LIMIT, self.execute("BEGIN")).await;
        self.settle(begun).flatten().map(drop)
    }

    /// Commits the transaction, and ends the permit to write.
    ///
    /// # Errors
    /// If PostgreSQL refuses, or the connection breaks. There is no time limit.
    pub(super) async fn commit(&mut self) -> Result<(), Error> {
        self.execute("COMMIT").await?;
        self.0.in_transaction = false;
        self.0.permit = None;
        Ok(())
    }

    /// The answer to a statement, unless there was none within its limit.
    ///
    /// # Errors
    /// [`Error::Io`] if there was none. The connection is then closed soon, unless a commit waits for a
    /// standby.
    pub(super) fn settle<T>(&mut self, answer: Result<T, Elapsed>) -> Result<T, Error> {
        answer.map_err(|_| {
            self.0.patience = LOOK;
            no_answer()
        })
    }

    /// As [`Conn::settle`], for a statement that commits by itself. An answer ends the permit to write.
    ///
    /// # Errors
    /// [`Error::Io`] if there was none. The statement may take effect later.
    pub(super) fn settle_commit<T>(&mut self, answer: Result<T, Elapsed>) -> Result<T, Error> {
        let answer = self.settle(answer);
        match &answer {
            Ok(_) => self.0.permit = None,
            Err(_) => warn_of_commit(),
        }
        answer
    }

    /// The pool of the connection.
    pub(super) fn pool(&self) -> &PgPool {
        &self.0.pool
    }
}

impl Deref for Conn {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0.conn
    }
}

impl DerefMut for Conn {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0.conn
    }
}

impl Held {
    /// Gives the connection back in a task of its own. Without a runtime, the connection is closed.
    fn give_back(self) {
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let (pool, patience) = (self.pool.clone(), self.patience);
                answered(&pool, patience, self.returned()).await;
            });
        }
    }

    /// Ends when the connection has returned to the pool. Dropped earlier, that closes it.
    async fn returned(self) {
        let Self { mut conn, permit, in_transaction, .. } = self;
        if in_transaction {
            // This counts only until the connection is returned.
            conn.close_on_drop();
            // The check of the connection notices an error too.
            let _ = conn.execute("ROLLBACK").await;
        }
        conn.return_to_pool().await;
        drop(permit);
    }
}

/// Waits for the answer of a connection: for `patience`, and then for as long as commits wait for a
/// standby, or no new connection can be opened. Otherwise it is silent, and `answer` is dropped, which
/// owns it.
pub(super) async fn answered(pool: &PgPool, patience: Duration, answer: impl Future<Output = ()>) {
    let mut answer = pin!(answer);
    let mut pause = patience;
    while timeout(pause, &mut answer).await.is_err() {
        if let Ok(Ok(false)) = timeout(LOOK_LIMIT, commits_wait(pool)).await {
            tracing::warn!("closed a connection to PostgreSQL that is silent");
            return;
        }
        pause = LOOK;
    }
}

/// Whether commits wait for a standby.
async fn commits_wait(pool: &PgPool) -> Result<bool, Error> {
    if let Ok(mut conn) = Conn::take(pool).await
        && let Ok(waiting) = session::commits_wait_for_standby(&mut *conn, Duration::ZERO).await
    {
        return Ok(waiting);
    }
    // Every connection of the pool may be silent.
    let mut conn = PgConnection::connect_with(&pool.connect_options()).await?;
    let waiting = session::commits_wait_for_standby(&mut conn, Duration::ZERO).await?;
    conn.close().await?;
    Ok(waiting)
}

/// What PostgreSQL answers within the limit.
///
/// # Errors
/// [`Error::Io`] if it does not answer.
pub(super) async fn within_limit<T>(
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    timeout(ANSWER_LIMIT, answer).await.unwrap_or_else(|_| Err(no_answer()))
}

/// The error of a statement or a commit without an answer.
pub(super) fn no_answer() -> Error {
    let reason = "PostgreSQL did not answer in time";
    Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, reason))
}

/// Warns that a commit has no answer.
pub(super) fn warn_of_commit() {
    let limit_seconds = ANSWER_LIMIT.as_secs();
    tracing::warn!(limit_seconds, "PostgreSQL did not answer a commit in time");
}
