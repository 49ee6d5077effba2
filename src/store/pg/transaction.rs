//! One open transaction, and its span.

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgConnection;
use sqlx::{Error, Postgres, Transaction};

use super::writers::{self, WritePermit};
use crate::store::StoreError;
use crate::telemetry::traces::ChildSpan;

/// One open transaction (READ COMMITTED). It rolls back if it is dropped without [`Tx::commit`].
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Postgres>,
    /// None if it only reads.
    permit: Option<WritePermit>,
    span: OpenSpan,
}

/// The span of a transaction that is open. It ends as a rollback when it is dropped.
#[derive(Debug)]
struct OpenSpan(ChildSpan);

impl Tx {
    /// Opens a transaction, with a permit unless it only reads; traces show it under `name`.
    pub(super) async fn open(
        conn: PoolConnection<Postgres>,
        permit: Option<WritePermit>,
        name: &'static str,
    ) -> Result<Self, StoreError> {
        let span = ChildSpan::transaction(name);
        match begin(conn).await.map_err(StoreError::from) {
            Ok(inner) => Ok(Self { inner, permit, span: OpenSpan(span) }),
            Err(error) => {
                span.end(Some(error.kind()));
                Err(error)
            }
        }
    }

    /// The connection, for a feature's `pg.rs`.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.inner
    }

    /// Commits the transaction. A caller may report its effect only after this has returned `Ok`.
    ///
    /// # Errors
    /// [`StoreError::OutcomeUnknown`] if the connection broke, or there was no answer within 4 s.
    pub async fn commit(self) -> Result<(), StoreError> {
        // If the caller is gone before the answer, the span ends as cancelled: it may be committed.
        let mut span = self.span.close();
        let committed = writers::commit(self.inner, self.permit).await;
        let committed = committed.map_err(|error| match StoreError::from(error) {
            StoreError::Unavailable { reason, .. } => StoreError::OutcomeUnknown(reason),
            other => other,
        });
        if committed.is_ok() {
            span.set_outcome("COMMIT");
        }
        span.end(committed.as_ref().err().map(StoreError::kind));
        committed
    }

    /// Rolls the transaction back, because of `error` if a store failed.
    pub(super) fn roll_back(self, error: Option<&StoreError>) {
        let mut span = self.span.close();
        span.set_outcome("ROLLBACK");
        span.end(error.map(StoreError::kind));
    }
}

/// Begins a transaction in a task of its own. Callers may be dropped before the answer, as when a client
/// hangs up; then the task rolls the transaction back. sqlx itself would return the connection to the
/// pool inside of the transaction, and what others write there would not be committed.
async fn begin(conn: PoolConnection<Postgres>) -> Result<Transaction<'static, Postgres>, Error> {
    let begun = tokio::spawn(Transaction::begin(conn, None));
    begun.await.unwrap_or(Err(Error::WorkerCrashed))
}

impl OpenSpan {
    /// The span, whose end the caller decides.
    fn close(mut self) -> ChildSpan {
        std::mem::take(&mut self.0)
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        let mut span = std::mem::take(&mut self.0);
        span.set_outcome("ROLLBACK");
        span.end(None);
    }
}
