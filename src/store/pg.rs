//! PostgreSQL: the connection pool, transactions, and the classification of errors.

pub mod functions;
pub mod guards;
pub mod migrations;
pub mod single;

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, PgExecutor, Postgres, Transaction};

use super::{Store, StoreError};

/// Maximum number of retries of a transaction after a deadlock or a serialization conflict.
const CONFLICT_RETRIES: u32 = 4;

/// Settings of each session; times in milliseconds. A wait for a lock ends before its statement,
/// and a statement ends before a client gives up. A process that stalls in a transaction loses its
/// locks after `idle_in_transaction_session_timeout`.
const SESSION: [(&str, &str); 5] = [
    ("lock_timeout", "1500"),
    ("statement_timeout", "3000"),
    ("idle_in_transaction_session_timeout", "2500"),
    ("synchronous_commit", "on"),
    ("timezone", "UTC"),
];

/// The connection pool; cheap to clone.
#[derive(Debug, Clone)]
pub struct Pg {
    pool: PgPool,
}

/// One open transaction (READ COMMITTED). It rolls back if it is dropped without [`Tx::commit`].
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Postgres>,
}

impl Pg {
    /// Creates the pool without waiting for a connection. So a process can start while PostgreSQL
    /// is down, and report that in `/readyz`.
    ///
    /// # Errors
    /// [`StoreError::Defect`] if the URL is not valid.
    pub fn lazy(url: &str, connections: u32) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url.parse().map_err(|error: sqlx::Error| {
            let reason = format!("DATABASE_URL: {error}");
            StoreError::Defect { store: Store::PostgreSql, reason }
        })?;
        // Never log statements, not even with a log filter that shows everything.
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

    /// Checks that PostgreSQL answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("select 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Opens a transaction.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        // Boxed, so that the futures that may need the database stay small: they are moved often.
        Ok(Tx { inner: Box::pin(self.pool.begin()).await? })
    }

    /// Runs `work` in a transaction and commits it. After a deadlock or a serialization conflict it
    /// runs `work` again, up to four times.
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

/// Waits between two tries of a transaction that lost a conflict: 10 ms, then twice as long each
/// time.
async fn pause(tries: u32) {
    tokio::time::sleep(Duration::from_millis(5 << tries)).await;
}

/// The work of one transaction. It may run several times; only the last run is committed.
pub trait Work: Sync {
    /// The result of the transaction.
    type Output: Send;
    /// Why the transaction failed.
    type Error: From<StoreError> + MaybeConflict + Send;

    /// Runs the work; an error rolls the transaction back.
    fn run(&self, tx: &mut Tx) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send;
}

impl Tx {
    /// The connection, for a feature's `pg.rs`.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.inner
    }

    /// Commits the transaction. A caller may report its effect only after this has returned `Ok`.
    ///
    /// # Errors
    /// [`StoreError::OutcomeUnknown`] if the connection broke before the answer arrived.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.inner.commit().await.map_err(|error| match StoreError::from(error) {
            StoreError::Unavailable { reason, .. } => StoreError::OutcomeUnknown(reason),
            other => other,
        })
    }
}

/// An error that may mean that the transaction must run again.
pub trait MaybeConflict {
    /// Whether the error is a deadlock or a serialization failure.
    fn is_conflict(&self) -> bool;
}

impl MaybeConflict for StoreError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}

/// Reads PostgreSQL's clock, with which all expiry is decided. In a transaction, call it after
/// taking the locks, whose wait may be long.
///
/// # Errors
/// [`StoreError::Unavailable`] if PostgreSQL does not answer.
pub async fn clock(on: impl PgExecutor<'_>) -> Result<DateTime<Utc>, StoreError> {
    Ok(sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#).fetch_one(on).await?)
}

/// The name of the constraint that `error` reports as violated, so that a query can turn it into an
/// error of its feature.
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
                // Raised by the functions of migrations/functions.
                "ON001" => Self::Inconsistent(reason),
                // Lock timeout, cancelled statement, idle-in-transaction timeout, and internal
                // errors of PostgreSQL's files or memory. XX001 and XX002 (damaged data) are not
                // in this list.
                "55P03" | "57014" | "25P03" | "25P04" | "XX000" => unavailable(reason),
                // Classes: connection, resources, operator intervention (shutdown), system errors.
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
