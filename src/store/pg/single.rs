//! Runs single statements that are a whole transaction: one round trip with an automatic commit.

use std::time::Duration;

use sqlx::postgres::{PgConnection, PgDatabaseError, PgSeverity};
use sqlx::{Postgres, pool::PoolConnection};

use super::{CONFLICT_RETRIES, Pg, pause};
use crate::store::StoreError;

/// Time limit of an answer. PostgreSQL itself ends a statement earlier (`statement_timeout`), so
/// after this the connection is silent.
const ANSWER_LIMIT: Duration = Duration::from_secs(4);

/// A connection for one statement outside of any transaction.
#[derive(Debug)]
pub struct Single {
    inner: PoolConnection<Postgres>,
}

/// One statement that commits by itself. It may run several times; only the last run has an effect.
pub trait Call: Sync {
    /// The result of the statement, including refusals.
    type Output: Send;

    /// Runs the statement, and converts its errors with [`lost`].
    fn run(&self, on: &mut Single)
    -> impl Future<Output = Result<Self::Output, StoreError>> + Send;
}

impl Single {
    /// The connection, for a feature's `pg.rs`. `fetch_one` and `fetch_optional` return when the
    /// server is ready for the next statement. That is after the commit, while the row arrives
    /// before it.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}

impl Pg {
    /// Runs `call`. After a deadlock or a serialization conflict it runs `call` again, up to four
    /// times.
    ///
    /// # Errors
    /// [`StoreError::OutcomeUnknown`] if the connection broke before the answer arrived, or if it is
    /// silent.
    pub async fn call<C: Call>(&self, call: &C) -> Result<C::Output, StoreError> {
        let mut tries = 0;
        loop {
            // An error here has a known outcome: without a connection nothing was sent.
            let mut on = Single { inner: self.acquire().await? };
            match tokio::time::timeout(ANSWER_LIMIT, call.run(&mut on)).await {
                Ok(Err(StoreError::Conflict(_))) if tries < CONFLICT_RETRIES => tries += 1,
                Ok(other) => return other,
                Err(_) => {
                    // Closed and not returned to the pool: nothing may ever arrive on it.
                    drop(on.inner.detach());
                    let reason = "PostgreSQL does not answer".to_owned();
                    return Err(StoreError::OutcomeUnknown(reason));
                }
            }
            drop(on);
            pause(tries).await;
        }
    }
}

/// Converts an error of a statement that commits by itself. If the server reported an error of the
/// statement, it has rolled back. If the session ended, the outcome is unknown.
#[must_use]
pub fn lost(error: sqlx::Error) -> StoreError {
    let rolled_back = match &error {
        sqlx::Error::Database(database) => {
            database.try_downcast_ref::<PgDatabaseError>().is_some_and(|error| {
                !matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic)
            })
        }
        _ => false,
    };
    match StoreError::from(error) {
        StoreError::Unavailable { reason, .. } if !rolled_back => {
            StoreError::OutcomeUnknown(reason)
        }
        other => other,
    }
}
