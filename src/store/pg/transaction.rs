//! One open transaction, and its span.

use std::time::Duration;

use super::conn::{ANSWER_LIMIT, Conn};
use super::limited::Limited;
use super::writers;
use crate::store::StoreError;
use crate::telemetry::traces::ChildSpan;

/// One open transaction (READ COMMITTED). It rolls back if it is dropped without [`Tx::commit`].
#[derive(Debug)]
pub struct Tx {
    conn: Conn,
    /// Time limit of the answer to a statement.
    limit: Duration,
    span: OpenSpan,
}

/// The span of a transaction that is open. It ends as a rollback when it is dropped.
#[derive(Debug)]
struct OpenSpan(ChildSpan);

impl Tx {
    /// Opens a transaction; traces show it under `name`.
    pub(super) async fn open(mut conn: Conn, name: &'static str) -> Result<Self, StoreError> {
        let span = ChildSpan::transaction(name);
        match conn.begin().await.map_err(StoreError::from) {
            Ok(()) => Ok(Self { conn, limit: ANSWER_LIMIT, span: OpenSpan(span) }),
            Err(error) => {
                span.end(Some(error.kind()));
                Err(error)
            }
        }
    }

    /// Runs statements, for a feature's `pg.rs`. Each fails if it has no answer within 4 s.
    pub fn conn(&mut self) -> Limited<'_> {
        Limited { conn: &mut self.conn, limit: self.limit }
    }

    /// Raises the time limit of each statement from now on: PostgreSQL ends it after `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if PostgreSQL does not answer.
    pub async fn raise_limit(&mut self, limit: Duration) -> Result<(), StoreError> {
        sqlx::query("select set_config('statement_timeout', $1, true)")
            .bind(limit.as_millis().to_string())
            .execute(self.conn())
            .await?;
        self.limit = ANSWER_LIMIT + limit;
        Ok(())
    }

    /// Commits the transaction. A caller may report its effect only after this has returned `Ok`.
    ///
    /// # Errors
    /// [`StoreError::OutcomeUnknown`] if the connection broke, or there was no answer within 4 s.
    pub async fn commit(self) -> Result<(), StoreError> {
        // If the caller is gone before the answer, the span ends as cancelled: it may be committed.
        let mut span = self.span.close();
        let committed = writers::commit(self.conn).await;
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
