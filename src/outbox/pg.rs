//! The outbox table.

use std::time::Duration;

use serde::Serialize;

use super::model::{Entry, OutboxId};
use crate::store::pg::{Pg, Tx};
use crate::store::{Store, StoreError};

/// Adds an event to be relayed once `tx` has committed.
pub async fn append(
    tx: &mut Tx,
    kind: &str,
    event: &(impl Serialize + Sync),
) -> Result<OutboxId, StoreError> {
    let payload = serde_json::to_value(event).map_err(|error| StoreError::Defect {
        store: Store::PostgreSql,
        reason: format!("an outbox event is not JSON: {error}"),
    })?;
    let id = sqlx::query_scalar!(
        "insert into outbox (kind, payload) values ($1, $2) returning id",
        kind,
        payload
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(OutboxId(id))
}

/// Locks up to `limit` of the oldest entries that were not delivered within `age` of their
/// making; other relays skip them.
pub async fn overdue(tx: &mut Tx, age: Duration, limit: i64) -> Result<Vec<Entry>, StoreError> {
    let rows = sqlx::query!(
        "select id, kind, payload from outbox
         where created_at < clock_timestamp() - make_interval(secs => $1)
         order by id limit $2 for update skip locked",
        age.as_secs_f64(),
        limit
    )
    .fetch_all(tx.conn())
    .await?;
    let entry = |id, kind, payload| Entry { id: OutboxId(id), kind, payload };
    Ok(rows.into_iter().map(|row| entry(row.id, row.kind, row.payload)).collect())
}

/// Removes entries that were delivered.
pub async fn remove(pg: &Pg, ids: &[OutboxId]) -> Result<u64, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let done =
        sqlx::query!("delete from outbox where id = any($1)", &ids).execute(pg.pool()).await?;
    Ok(done.rows_affected())
}

/// Removes entries within the transaction that locked them.
pub async fn remove_locked(tx: &mut Tx, ids: &[OutboxId]) -> Result<u64, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let done =
        sqlx::query!("delete from outbox where id = any($1)", &ids).execute(tx.conn()).await?;
    Ok(done.rows_affected())
}

/// How many entries wait.
pub async fn backlog(pg: &Pg) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from outbox"#);
    Ok(count.fetch_one(pg.pool()).await?)
}
