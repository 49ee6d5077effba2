//! Connections that write: how many there are at a time, and how long a caller waits for a commit.
//!
//! While no synchronous standby is alive, PostgreSQL answers no commit. None of its time limits ends
//! that wait, and neither does closing the connection. A cancel request does, but then the
//! transaction is visible on the primary alone, and a repeat of its request would report as done
//! what no standby has. So only the caller goes on: the connection waits for the answer, and counts
//! for its pool meanwhile. At most three quarters of a pool write, and the rest serves reads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Connection, Error, Postgres, Transaction};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::session;
use crate::telemetry::stores::CallTimes;
use crate::telemetry::traces::ChildSpan;

/// Time limit of the answer to a commit, and to a statement that commits by itself. PostgreSQL ends
/// other statements earlier (`statement_timeout`), so after this a commit waits for a standby, or the
/// connection is silent.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(4);

/// Time limit of a wait for a connection, and of a wait for a permit to write.
pub(super) const ACQUIRE_LIMIT: Duration = Duration::from_secs(1);

/// Pause between two looks whether commits wait for a standby.
const LOOK: Duration = Duration::from_secs(1);

/// Time limit of a look.
const LOOK_LIMIT: Duration = Duration::from_secs(3);

/// The connections of a pool that may write at a time; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Writers {
    pool: PgPool,
    permits: Arc<Semaphore>,
    waits: CallTimes,
}

/// A connection that may write.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) conn: PoolConnection<Postgres>,
    pub(super) permit: WritePermit,
}

/// The permit to write on one connection.
#[derive(Debug)]
pub(super) struct WritePermit {
    permit: OwnedSemaphorePermit,
    pool: PgPool,
}

impl Writers {
    /// Writers of this pool; `waits` records how long each waits for its connection.
    pub(super) fn of_pool(pool: &PgPool, waits: CallTimes) -> Self {
        let permits = writers(pool.options().get_max_connections());
        Self { pool: pool.clone(), permits: Arc::new(Semaphore::new(permits as usize)), waits }
    }

    /// Takes a permit and a connection.
    ///
    /// # Errors
    /// [`Error::PoolTimedOut`] if there is no permit for a second, or then no connection.
    pub(super) async fn take(&self) -> Result<Writer, Error> {
        let (begun, span) = (Instant::now(), ChildSpan::postgres_wait());
        // Boxed, so that the futures that may need the database stay small: they are moved often.
        let taken = Box::pin(async {
            let permit = Arc::clone(&self.permits).acquire_owned();
            let permit = timeout(ACQUIRE_LIMIT, permit).await;
            let permit = permit.ok().and_then(Result::ok).ok_or(Error::PoolTimedOut)?;
            let permit = WritePermit { permit, pool: self.pool.clone() };
            Ok(Writer { conn: self.pool.acquire().await?, permit })
        });
        let taken = taken.await;
        self.waits.observe(begun.elapsed());
        span.end(taken.is_err().then_some("unavailable"));
        taken
    }
}

impl Writer {
    /// The answer to a statement that commits by itself, unless there was none within the limit.
    ///
    /// # Errors
    /// [`Error::Io`] if there was none. The statement may take effect later.
    pub(super) fn end<T>(self, answer: Result<T, Elapsed>) -> Result<T, Error> {
        answer.map_err(|_| {
            self.leave();
            no_answer()
        })
    }

    /// Leaves a statement that has no answer. The connection is closed once there is one.
    fn leave(self) {
        let Self { mut conn, permit } = self;
        conn.close_on_drop();
        permit.keep_until_answered(async move {
            let _ = conn.ping().await;
        });
    }
}

impl WritePermit {
    /// Keeps the permit until `answer` ends, which owns a connection whose commit has no answer. If
    /// no commit waits for a standby, the connection is silent, and `answer` is dropped.
    fn keep_until_answered(self, answer: impl Future<Output = ()> + Send + 'static) {
        let limit_seconds = ANSWER_LIMIT.as_secs();
        tracing::warn!(limit_seconds, "PostgreSQL did not answer a commit in time");
        tokio::spawn(async move {
            let Self { permit, pool } = self;
            let mut answer = Box::pin(answer);
            while timeout(LOOK, &mut answer).await.is_err() {
                if let Ok(Ok(false)) = timeout(LOOK_LIMIT, commits_wait(&pool)).await {
                    break;
                }
            }
            drop(answer);
            drop(permit);
        });
    }
}

/// Commits `transaction`, which has a permit unless it only reads.
///
/// # Errors
/// [`Error::Io`] if there is no answer within the limit. The transaction may be committed later.
pub(super) async fn commit(
    transaction: Transaction<'static, Postgres>,
    permit: Option<WritePermit>,
) -> Result<(), Error> {
    let Some(permit) = permit else {
        return transaction.commit().await;
    };
    let mut commit = Box::pin(transaction.commit());
    if let Ok(answer) = timeout(ANSWER_LIMIT, &mut commit).await {
        return answer;
    }
    permit.keep_until_answered(async move {
        let _ = commit.await;
    });
    Err(no_answer())
}

/// Whether commits wait for a standby.
async fn commits_wait(pool: &PgPool) -> Result<bool, Error> {
    if let Ok(waiting) = session::commits_wait_for_standby(pool, Duration::ZERO).await {
        return Ok(waiting);
    }
    // Every connection of the pool may be silent.
    let mut conn = PgConnection::connect_with(&pool.connect_options()).await?;
    let waiting = session::commits_wait_for_standby(&mut conn, Duration::ZERO).await?;
    conn.close().await?;
    Ok(waiting)
}

/// The error of a commit without an answer.
fn no_answer() -> Error {
    let reason = "PostgreSQL did not answer a commit in time";
    Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, reason))
}

/// How many of a pool's connections may write at a time.
fn writers(connections: u32) -> u32 {
    connections - connections / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_a_pool_is_left_for_reads() {
        assert_eq!([1, 2, 4, 8, 16].map(writers), [1, 2, 3, 6, 12]);
    }
}
