//! Connections that write: how many there are at a time, and how long a caller waits for a commit.
//!
//! While no synchronous standby is alive, PostgreSQL answers no commit. None of its time limits ends
//! that wait, and neither does closing the connection. A cancel request does, but then the
//! transaction is visible on the primary alone, and a repeat of its request would report as done
//! what no standby has. So only the caller goes on: the connection waits for the answer, and counts
//! for its pool meanwhile. At most three quarters of a pool write, and the rest serves reads.
//!
//! A caller may go on earlier, when its client hangs up. The permit to write stays with the
//! connection then too: otherwise clients who hang up could make all connections wait.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use sqlx::Error;
use sqlx::postgres::PgPool;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::conn::{ANSWER_LIMIT, Conn, LOOK, answered, no_answer, warn_of_commit};
use crate::telemetry::stores::CallTimes;
use crate::telemetry::traces::ChildSpan;

/// Time limit of a wait for a connection, and of a wait for a permit to write.
pub(super) const ACQUIRE_LIMIT: Duration = Duration::from_secs(1);

/// The connections of a pool that may write at a time; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Writers {
    pool: PgPool,
    permits: Arc<Semaphore>,
    waits: CallTimes,
}

impl Writers {
    /// Writers of this pool; `waits` records how long each waits for its connection.
    pub(super) fn of_pool(pool: &PgPool, waits: CallTimes) -> Self {
        let permits = writers(pool.options().get_max_connections());
        Self { pool: pool.clone(), permits: Arc::new(Semaphore::new(permits as usize)), waits }
    }

    /// Takes a connection with a permit to write.
    ///
    /// # Errors
    /// [`Error::PoolTimedOut`] if there is no permit for a second, or then no connection.
    pub(super) async fn take(&self) -> Result<Conn, Error> {
        let (begun, span) = (Instant::now(), ChildSpan::postgres_wait());
        // Boxed, so that the futures that may need the database stay small: they are moved often.
        let taken = Box::pin(async {
            let permit = Arc::clone(&self.permits).acquire_owned();
            let permit = timeout(ACQUIRE_LIMIT, permit).await;
            let permit = permit.ok().and_then(Result::ok).ok_or(Error::PoolTimedOut)?;
            Conn::take_to_write(&self.pool, Some(permit)).await
        });
        let taken = taken.await;
        self.waits.observe(begun.elapsed());
        span.end(taken.is_err().then_some("unavailable"));
        taken
    }
}

/// A commit that has no answer yet. Dropped before the answer, it goes on.
struct Committing<F: Future<Output = Result<(), Error>> + Send + 'static> {
    /// None once there was an answer.
    commit: Option<Pin<Box<F>>>,
    pool: PgPool,
    patience: Duration,
}

impl<F: Future<Output = Result<(), Error>> + Send + 'static> Future for Committing<F> {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(commit) = &mut self.commit else { return Poll::Pending };
        let answer = ready!(commit.as_mut().poll(cx));
        self.commit = None;
        Poll::Ready(answer)
    }
}

impl<F: Future<Output = Result<(), Error>> + Send + 'static> Drop for Committing<F> {
    fn drop(&mut self) {
        let (Some(commit), Ok(runtime)) = (self.commit.take(), Handle::try_current()) else {
            return;
        };
        let (pool, patience) = (self.pool.clone(), self.patience);
        runtime.spawn(async move {
            let commit = async {
                let _ = commit.await;
            };
            answered(&pool, patience, commit).await;
        });
    }
}

/// Commits the transaction of `conn`.
///
/// # Errors
/// [`Error::Io`] if there is no answer within the limit. The transaction may be committed later.
pub(super) async fn commit(mut conn: Conn) -> Result<(), Error> {
    let pool = conn.pool().clone();
    let commit = Some(Box::pin(async move { conn.commit().await }));
    let mut committing = Committing { commit, pool, patience: ANSWER_LIMIT };
    if let Ok(answer) = timeout(ANSWER_LIMIT, &mut committing).await {
        return answer;
    }
    warn_of_commit();
    committing.patience = LOOK;
    Err(no_answer())
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
