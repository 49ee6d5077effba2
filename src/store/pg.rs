//! PostgreSQL: the connection pool, transactions, and the classification of errors.

mod conn;
pub mod functions;
pub mod guards;
mod limited;
pub mod migrations;
mod read_only;
pub mod session;
pub mod single;
mod statements;
pub mod token_generations;
mod transaction;
mod writers;
mod writes;

use std::panic::Location;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection, PgExecutor};

use self::conn::{ANSWER_LIMIT, Conn, within_limit};
use self::statements::Statements;
pub use self::transaction::Tx;
use self::writers::{ACQUIRE_LIMIT, Writers};
use self::writes::Writes;
use super::{Store, StoreError, error_count};
use crate::telemetry::stores::CallTimes;
use crate::telemetry::traces::ChildSpan;

/// Maximum number of retries of a transaction after a deadlock or a serialization conflict.
const CONFLICT_RETRIES: u32 = 4;

/// A connection is replaced after this long, so that connections to a former primary or to an
/// address that has moved do not stay.
const MAX_LIFETIME: Duration = Duration::from_mins(5);

/// A connection is used again without a check within this time.
const UNCHECKED: Duration = Duration::from_millis(100);

/// The connection pool; cheap to clone.
#[derive(Debug, Clone)]
pub struct Pg {
    pool: PgPool,
    writers: Writers,
    waits: CallTimes,
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
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_LIMIT)
            .idle_timeout(Duration::from_mins(5))
            .max_lifetime(MAX_LIFETIME)
            .after_connect(|conn, _| Box::pin(session::check(conn)))
            .test_before_acquire(false)
            .before_acquire(|conn, used| Box::pin(is_usable(conn, used)))
            .connect_lazy_with(session::configured(options));
        let waits = CallTimes::default();
        Ok(Self { writers: Writers::of_pool(&pool, waits.clone()), pool, waits })
    }

    /// These connections; `waits` records how long calls wait for one.
    #[must_use]
    pub fn measured_by(self, waits: CallTimes) -> Self {
        Self { writers: Writers::of_pool(&self.pool, waits.clone()), waits, ..self }
    }

    /// The maximum number of connections.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.pool.options().get_max_connections()
    }

    /// The number of open connections, idle ones included.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.pool.size()
    }

    /// The number of idle connections.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.pool.num_idle()
    }

    /// Closes all connections. Later calls fail.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Takes a connection from the pool, and records how long that took.
    async fn acquire(&self) -> Result<Conn, sqlx::Error> {
        let (begun, span) = (Instant::now(), ChildSpan::postgres_wait());
        let taken = Box::pin(Conn::take(&self.pool)).await;
        self.waits.observe(begun.elapsed());
        span.end(taken.is_err().then_some("unavailable"));
        taken
    }

    /// The pool, for statements that need no transaction. Traces show them by the place of this call.
    #[must_use]
    #[track_caller]
    pub fn pool(&self) -> Statements<'_> {
        Statements { pool: &self.pool, place: Location::caller() }
    }

    /// As [`Pg::pool`], for a statement that writes. If PostgreSQL does not answer within 4 s, it
    /// fails, and may take effect later.
    #[must_use]
    #[track_caller]
    pub fn writes(&self) -> Writes<'_> {
        Writes { pool: &self.pool, writers: &self.writers, place: Location::caller() }
    }

    /// Checks that PostgreSQL answers, can be written to, and confirms commits.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it does not, or if commits have waited for more than 4 s.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut conn = self.acquire().await?;
        Ok(session::check_commits(&mut conn, ANSWER_LIMIT).await?)
    }

    /// Which of the settings of a session is not in force on a new connection; `None` if all are.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if no connection can be opened within 4 s.
    pub async fn dropped_setting(&self) -> Result<Option<String>, StoreError> {
        Ok(within_limit(session::dropped_setting(&self.pool.connect_options())).await?)
    }

    /// Why writes are refused or not confirmed; `None` if they are.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if no connection can be opened within 4 s.
    pub async fn write_refusal(&self) -> Result<Option<String>, StoreError> {
        let options = self.pool.connect_options();
        Ok(within_limit(session::write_refusal(&options, ANSWER_LIMIT)).await?)
    }

    /// Opens a transaction; traces show it under `name`.
    pub async fn begin(&self, name: &'static str) -> Result<Tx, StoreError> {
        let conn = self.writers.take().await?;
        // Boxed, so that the futures that may need the database stay small: they are moved often.
        Box::pin(Tx::open(conn, name)).await
    }

    /// Opens a transaction that only reads; traces show it under `name`.
    pub async fn begin_read(&self, name: &'static str) -> Result<Tx, StoreError> {
        Box::pin(Tx::open(self.acquire().await?, name)).await
    }

    /// Runs `work` in a transaction and commits it. After a deadlock or a serialization conflict it
    /// runs `work` again, up to four times.
    pub async fn transact<W: Work>(&self, work: &W) -> Result<W::Output, W::Error> {
        let mut tries = 0;
        loop {
            let mut tx = self.begin(W::NAME).await?;
            let error = match work.run(&mut tx).await {
                Ok(value) => {
                    tx.commit().await?;
                    return Ok(value);
                }
                Err(error) => error,
            };
            tx.roll_back(error.store_error());
            if !error.is_conflict() || tries == CONFLICT_RETRIES {
                return Err(error);
            }
            tries += 1;
            pause(tries).await;
        }
    }
}

/// Whether a connection of the pool can be used. The pool checked it when it was last returned, so
/// only one that was idle since then is checked again.
async fn is_usable(
    conn: &mut PgConnection,
    used: PoolConnectionMetadata,
) -> Result<bool, sqlx::Error> {
    if read_only::seen_since(used.age) {
        return Ok(false);
    }
    if used.idle_for > UNCHECKED {
        conn.ping().await?;
    }
    Ok(true)
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
    /// The name of the transaction in traces.
    const NAME: &'static str;

    /// Runs the work; an error rolls the transaction back.
    fn run(&self, tx: &mut Tx) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send;
}

/// An error that may mean that the transaction must run again.
pub trait MaybeConflict {
    /// The error of the store, if one failed. A refusal has none.
    fn store_error(&self) -> Option<&StoreError>;

    /// Whether the error is a deadlock or a serialization failure.
    fn is_conflict(&self) -> bool {
        matches!(self.store_error(), Some(StoreError::Conflict(_)))
    }
}

impl MaybeConflict for StoreError {
    fn store_error(&self) -> Option<&StoreError> {
        Some(self)
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
        let store = Store::PostgreSql;
        let unavailable = |reason| {
            error_count::note(store);
            Self::Unavailable { store, reason }
        };
        let defect = |reason| {
            error_count::note(store);
            Self::Defect { store, reason }
        };
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
                read_only::SQLSTATE => {
                    read_only::note();
                    unavailable(reason)
                }
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
