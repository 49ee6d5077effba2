//! Statements that end within a time limit.

use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use sqlx::postgres::{PgConnection, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Describe, Either, Error, Execute, Executor, Postgres, SqlStr};
use tokio::time::timeout;

use super::conn::Conn;

/// Runs one statement on a connection. It fails if it has no answer within the time limit: then the
/// connection is silent, because PostgreSQL ends statements earlier.
#[derive(Debug)]
pub struct Limited<'c> {
    pub(super) conn: &'c mut Conn,
    pub(super) limit: Duration,
}

impl<'c> Executor<'c> for Limited<'c> {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        // All rows are read first, as the callers do too.
        let rows = async move {
            let Self { conn, limit } = self;
            let rows = timeout(limit, conn.fetch_many(query).collect::<Vec<_>>()).await;
            conn.settle(rows).unwrap_or_else(|error| vec![Err(error)])
        };
        stream::once(rows).flat_map(stream::iter).boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move {
            let Self { conn, limit } = self;
            let row = timeout(limit, conn.fetch_optional(query)).await;
            conn.settle(row).flatten()
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        let conn: &mut PgConnection = self.conn;
        conn.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        let conn: &mut PgConnection = self.conn;
        conn.describe(sql)
    }
}
