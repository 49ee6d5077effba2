//! A connection of the pool, which is closed if it is silent.
//!
//! When a connection returns to the pool, sqlx asks PostgreSQL whether it still answers, and waits for
//! that without end. A connection whose packets are lost without a trace, because the server is gone or
//! a firewall has dropped its state, would keep its place in the pool until TCP gives up: for a quarter
//! of an hour.

use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Connection, Error, Executor, Postgres};
use tokio::runtime::Handle;
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
pub(super) struct Conn {
    /// None once it is given back.
    inner: Option<PoolConnection<Postgres>>,
    pool: PgPool,
    /// How long its return may take before the first look.
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
        let (inner, pool) = (Some(pool.acquire().await?), pool.clone());
        Ok(Self { inner, pool, patience: ANSWER_LIMIT, in_transaction: false })
    }

    /// Begins a transaction. The caller may be dropped before the answer, as when a client hangs up: the
    /// transaction counts as open from the start. sqlx's own transactions do so only after the answer.
    /// Their connections return to the pool inside of a transaction, and what others write there is
    /// not committed.
    ///
    /// # Errors
    /// [`Error::Io`] if there is no answer within the limit.
    pub(super) async fn begin(&mut self) -> Result<(), Error> {
        self.in_transaction = true;
        let begun = timeout(ANSWER_LIMIT, self.execute("BEGIN")).await;
        self.settle(begun).flatten().map(drop)
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// If PostgreSQL refuses, or the connection breaks. There is no time limit.
    pub(super) async fn commit(&mut self) -> Result<(), Error> {
        self.execute("COMMIT").await?;
        self.in_transaction = false;
        Ok(())
    }

    /// The answer to a statement, unless there was none within its limit.
    ///
    /// # Errors
    /// [`Error::Io`] if there was none. The connection is then closed soon, unless a commit waits for a
    /// standby.
    pub(super) fn settle<T>(&mut self, answer: Result<T, Elapsed>) -> Result<T, Error> {
        answer.map_err(|_| {
            self.patience = LOOK;
            no_answer()
        })
    }

    /// Gives the connection back: how long that may take before the first look, and what ends when it
    /// is done. Dropped earlier, that closes the connection.
    pub(super) fn give_back(
        &mut self,
    ) -> (Duration, impl Future<Output = ()> + Send + 'static + use<>) {
        let (conn, in_transaction) = (self.inner.take(), self.in_transaction);
        let returned = async move {
            let Some(mut conn) = conn else { return };
            if in_transaction {
                // This counts only until the connection is returned.
                conn.close_on_drop();
                // The check of the connection notices an error too.
                let _ = conn.execute("ROLLBACK").await;
            }
            conn.return_to_pool().await;
        };
        (self.patience, returned)
    }
}

impl Deref for Conn {
    type Target = PgConnection;

    #[expect(clippy::expect_used, reason = "it is taken only when this is dropped")]
    fn deref(&self) -> &PgConnection {
        self.inner.as_ref().expect("a connection")
    }
}

impl DerefMut for Conn {
    #[expect(clippy::expect_used, reason = "it is taken only when this is dropped")]
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.inner.as_mut().expect("a connection")
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        if self.inner.is_none() {
            return;
        }
        let (patience, returned) = self.give_back();
        let pool = self.pool.clone();
        // Without a runtime, the connection is closed.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { answered(&pool, patience, returned).await });
        }
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
