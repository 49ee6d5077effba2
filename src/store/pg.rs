//! PostgreSQL: the pool, the transaction that use cases hand down, and what its errors mean.

pub mod guards;
pub mod migrations;
pub mod single;

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Postgres, Transaction};

use super::{Store, StoreError};

/// How often a transaction that lost a deadlock or a serialization conflict runs again.
const CONFLICT_RETRIES: u32 = 4;

/// Waits for a lock end before the statement does, and both before a client gives up (session
/// settings, in milliseconds). A process that stalls inside a transaction loses its locks after
/// `idle_in_transaction_session_timeout`.
const SESSION: [(&str, &str); 5] = [
    ("lock_timeout", "1500"),
    ("statement_timeout", "3000"),
    ("idle_in_transaction_session_timeout", "2500"),
    ("synchronous_commit", "on"),
    ("timezone", "UTC"),
];

/// A handle on the pool; cheap to clone.
#[derive(Debug, Clone)]
pub struct Pg {
    pool: PgPool,
}

/// One open transaction (READ COMMITTED). Dropped without [`Tx::commit`], it rolls back.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Postgres>,
}

impl Pg {
    /// Makes the pool without waiting for a first connection, so that a service starts, and says
    /// so in `/readyz`, while PostgreSQL is down.
    ///
    /// # Errors
    /// [`StoreError::Defect`] where the URL is not one.
    pub fn lazy(url: &str, connections: u32) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url.parse().map_err(|error: sqlx::Error| {
            let reason = format!("DATABASE_URL: {error}");
            StoreError::Defect { store: Store::PostgreSql, reason }
        })?;
        // Statements are no business of the log's at any level: a filter for everything must not
        // bring them in.
        let options = options.disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(1))
            .idle_timeout(Duration::from_mins(5))
            .connect_lazy_with(options.options(SESSION));
        Ok(Self { pool })
    }

    /// The pool, for reads that need no transaction.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Answers when PostgreSQL does.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("select 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Opens a transaction.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        // Boxed: what may need the database is moved about less where that part is small.
        Ok(Tx { inner: Box::pin(self.pool.begin()).await? })
    }

    /// Runs `work` in a transaction and commits it; runs it again, a bounded number of times, when
    /// it lost a deadlock or a serialization conflict.
    pub async fn transact<W: Work>(&self, work: &W) -> Result<W::Output, W::Error> {
        let mut tries = 0;
        loop {
            let mut tx = self.begin().await?;
            match work.run(&mut tx).await {
                Ok(value) => {
                    tx.commit().await?;
                    return Ok(value);
                }
                Err(error) if error.is_conflict() && tries < CONFLICT_RETRIES => tries += 1,
                Err(error) => return Err(error),
            }
            drop(tx);
            pause(tries).await;
        }
    }
}

/// Between two tries of a transaction that lost a conflict.
async fn pause(tries: u32) {
    tokio::time::sleep(Duration::from_millis(5 << tries)).await;
}

/// What one transaction does. It may run several times, and only the last one counts.
pub trait Work: Sync {
    /// What it comes to.
    type Output: Send;
    /// Why it came to nothing.
    type Error: From<StoreError> + MaybeConflict + Send;

    /// Does it; an error rolls back.
    fn run(&self, tx: &mut Tx) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send;
}

impl Tx {
    /// The connection, for a feature's `pg.rs`.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.inner
    }

    /// Commits. Only after this returned `Ok` may anybody be told of the effect.
    ///
    /// # Errors
    /// [`StoreError::OutcomeUnknown`] where the connection broke before the answer came.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.inner.commit().await.map_err(|error| match StoreError::from(error) {
            StoreError::Unavailable { reason, .. } => StoreError::OutcomeUnknown(reason),
            other => other,
        })
    }
}

/// Whether an error means "run the transaction again".
pub trait MaybeConflict {
    /// True for a deadlock or a serialization failure.
    fn is_conflict(&self) -> bool;
}

impl MaybeConflict for StoreError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}

/// The constraint that `error` says was violated, so that a query can turn it into its feature's
/// own error.
#[must_use]
pub fn violated(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::constraint)
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let reason = error.to_string();
        let unavailable = |reason| Self::Unavailable { store: Store::PostgreSql, reason };
        let defect = |reason| Self::Defect { store: Store::PostgreSql, reason };
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => unavailable(reason),
            sqlx::Error::Database(database) => match database.code().as_deref().unwrap_or("") {
                "40001" | "40P01" => Self::Conflict(reason),
                // Raised by the functions of migrations/.
                "ON001" => Self::Inconsistent(reason),
                // Lock timeout, cancelled statement, idle-in-transaction timeout; and what PostgreSQL
                // calls internal, of its files or its memory. XX001 and XX002 say that data is damaged.
                "55P03" | "57014" | "25P03" | "25P04" | "XX000" => unavailable(reason),
                // Connection, resources, operator intervention (shutdown), system errors.
                code if ["08", "53", "57", "58"].contains(&&code[..code.len().min(2)]) => {
                    unavailable(reason)
                }
                _ => defect(reason),
            },
            sqlx::Error::RowNotFound => Self::Inconsistent(reason),
            _ => defect(reason),
        }
    }
}
