//! Statements outside of a transaction. Each takes a connection of the pool, has a span if its request
//! is recorded, and fails if it has no answer within 4 s.

use std::borrow::Cow;
use std::panic::Location;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use sqlx::postgres::{PgPool, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Describe, Either, Execute, Executor, Postgres, SqlStr};
use tokio::time::timeout;

use super::conn::{ANSWER_LIMIT, Conn};
use crate::telemetry::traces::ChildSpan;

/// Runs statements of one place in the code, each on a connection of the pool.
#[derive(Debug, Clone, Copy)]
pub struct Statements<'p> {
    pub(super) pool: &'p PgPool,
    pub(super) place: &'static Location<'static>,
}

impl Statements<'_> {
    /// Takes a connection, and begins the span of the statement.
    async fn begin(self) -> Result<(Conn, ChildSpan), sqlx::Error> {
        let span = ChildSpan::postgres_wait();
        let taken = Conn::take(self.pool).await;
        span.end(taken.as_ref().err().map(kind).as_deref());
        Ok((taken?, ChildSpan::statement(self.place)))
    }
}

/// The kind of an error, for traces: PostgreSQL's SQLSTATE, or what failed here.
pub(super) fn kind(error: &sqlx::Error) -> Cow<'_, str> {
    match error {
        sqlx::Error::Database(error) => error.code().unwrap_or("defect".into()),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => "unavailable".into(),
        _ => "defect".into(),
    }
}

impl<'p> Executor<'p> for Statements<'p> {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        // The span ends with the last row. So all rows are read first, as the callers do too.
        let rows = async move {
            let (mut conn, span) = match self.begin().await {
                Ok(begun) => begun,
                Err(error) => return vec![Err(error)],
            };
            let rows = timeout(ANSWER_LIMIT, conn.fetch_many(query).collect::<Vec<_>>()).await;
            let rows = conn.settle(rows).unwrap_or_else(|error| vec![Err(error)]);
            let error = rows.iter().find_map(|row| row.as_ref().err());
            span.end(error.map(kind).as_deref());
            rows
        };
        stream::once(rows).flat_map(stream::iter).boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move {
            let (mut conn, span) = self.begin().await?;
            let row = timeout(ANSWER_LIMIT, conn.fetch_optional(query)).await;
            let row = conn.settle(row).flatten();
            span.end(row.as_ref().err().map(kind).as_deref());
            row
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'p: 'e,
    {
        self.pool.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, sqlx::Error>>
    where
        'p: 'e,
    {
        self.pool.describe(sql)
    }
}
