//! Statements outside of a transaction that write. Each commits by itself.

use std::panic::Location;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use sqlx::postgres::{PgPool, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Describe, Either, Error, Execute, Executor, Postgres, SqlStr};
use tokio::time::timeout;

use super::conn::ANSWER_LIMIT;
use super::statements::kind;
use super::writers::Writers;
use crate::telemetry::traces::ChildSpan;

/// The pool, for a statement that writes. Its caller waits 4 s for the commit.
#[derive(Debug, Clone, Copy)]
pub struct Writes<'p> {
    pub(super) pool: &'p PgPool,
    pub(super) writers: &'p Writers,
    pub(super) place: &'static Location<'static>,
}

impl<'p> Executor<'p> for Writes<'p> {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let rows = async move {
            let mut conn = match self.writers.take().await {
                Ok(conn) => conn,
                Err(error) => return vec![Err(error)],
            };
            let span = ChildSpan::statement(self.place);
            let rows = conn.fetch_many(query).collect::<Vec<_>>();
            let rows = timeout(ANSWER_LIMIT, rows).await;
            let rows = conn.settle_commit(rows).unwrap_or_else(|error| vec![Err(error)]);
            let error = rows.iter().find_map(|row| row.as_ref().err());
            span.end(error.map(kind).as_deref());
            rows
        };
        stream::once(rows).flat_map(stream::iter).boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move {
            let mut conn = self.writers.take().await?;
            let span = ChildSpan::statement(self.place);
            let row = timeout(ANSWER_LIMIT, conn.fetch_optional(query)).await;
            let row = conn.settle_commit(row).flatten();
            span.end(row.as_ref().err().map(kind).as_deref());
            row
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'p: 'e,
    {
        self.pool.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'p: 'e,
    {
        self.pool.describe(sql)
    }
}
