//! Statements that are a whole transaction: one round trip, and the server commits by itself.

use sqlx::postgres::{PgConnection, PgDatabaseError, PgSeverity};
use sqlx::{Postgres, pool::PoolConnection};

use super::{CONFLICT_RETRIES, Pg, pause};
use crate::store::StoreError;

/// A connection for one statement outside of any transaction.
#[derive(Debug)]
pub struct Single {
    inner: PoolConnection<Postgres>,
}

/// One statement that commits by itself. It may run several times, and only the last one counts.
pub trait Call: Sync {
    /// What it comes to, refusals included.
    type Output: Send;

    /// Runs it, with errors read by [`lost`].
    fn run(&self, on: &mut Single)
    -> impl Future<Output = Result<Self::Output, StoreError>> + Send;
}

impl Single {
    /// The connection, for a feature's `pg.rs`. `fetch_one` and `fetch_optional` return once the
    /// server is ready for the next statement, which is after its commit; the row comes before.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}

impl Pg {
    /// Runs `call`; runs it again, a bounded number of times, when it lost a deadlock or a
    /// serialization conflict.
    ///
    /// # Errors
    /// [`StoreError::OutcomeUnknown`] where the connection broke before the answer came.
    pub async fn call<C: Call>(&self, call: &C) -> Result<C::Output, StoreError> {
        let mut tries = 0;
        loop {
            // Without a connection nothing was sent: that is no unknown outcome.
            let mut on = Single { inner: Box::pin(self.pool.acquire()).await? };
            match call.run(&mut on).await {
                Err(StoreError::Conflict(_)) if tries < CONFLICT_RETRIES => tries += 1,
                other => return other,
            }
            drop(on);
            pause(tries).await;
        }
    }
}

/// What an error of a statement that commits by itself means: where the server told it as an error
/// of the statement, all is rolled back; where the session ended, nobody knows.
#[must_use]
pub fn lost(error: sqlx::Error) -> StoreError {
    let told = match &error {
        sqlx::Error::Database(database) => {
            database.try_downcast_ref::<PgDatabaseError>().is_some_and(|error| {
                !matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic)
            })
        }
        _ => false,
    };
    match StoreError::from(error) {
        StoreError::Unavailable { reason, .. } if !told => StoreError::OutcomeUnknown(reason),
        other => other,
    }
}
