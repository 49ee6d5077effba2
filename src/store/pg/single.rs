//! Runs single statements that are a whole transaction: one round trip with an automatic commit.

use sqlx::postgres::{PgConnection, PgDatabaseError, PgSeverity};
use tokio::time::timeout;

use super::conn::{ANSWER_LIMIT, Conn};
use super::{CONFLICT_RETRIES, Pg, pause};
use crate::store::StoreError;
use crate::telemetry::traces::ChildSpan;

/// A connection for one statement outside of any transaction.
#[derive(Debug)]
pub struct Single {
    conn: Conn,
}

/// One statement that commits by itself. It may run several times; only the last run has an effect.
pub trait Call: Sync {
    /// The result of the statement, including refusals.
    type Output: Send;
    /// The SQL function that the statement calls.
    const FUNCTION: &'static str;

    /// Runs the statement, and converts its errors with [`lost`].
    fn run(&self, on: &mut Single)
    -> impl Future<Output = Result<Self::Output, StoreError>> + Send;
}

impl Single {
    /// The connection, for a feature's `pg.rs`. `fetch_one` and `fetch_optional` return when the
    /// server is ready for the next statement. That is after the commit, while the row arrives
    /// before it.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.conn
    }
}

impl Pg {
    /// Runs `call`. After a deadlock or a serialization conflict it runs `call` again, up to four
    /// times.
    ///
    /// # Errors
    /// [`StoreError::OutcomeUnknown`] if the connection broke before the answer arrived, or if there
    /// was none within 4 s.
    pub async fn call<C: Call>(&self, call: &C) -> Result<C::Output, StoreError> {
        let mut tries = 0;
        loop {
            // An error here has a known outcome: without a connection nothing was sent.
            let mut on = Single { conn: self.writers.take().await? };
            let span = ChildSpan::function(C::FUNCTION);
            let answer = timeout(ANSWER_LIMIT, call.run(&mut on)).await;
            span.end(match &answer {
                Ok(answer) => answer.as_ref().err().map(StoreError::kind),
                Err(_) => Some("timeout"),
            });
            match on.conn.settle_commit(answer).map_err(lost)? {
                Err(StoreError::Conflict(_)) if tries < CONFLICT_RETRIES => tries += 1,
                other => return other,
            }
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
