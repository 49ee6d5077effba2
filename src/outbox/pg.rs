//! The outbox table.

use std::time::Duration;

use serde::Serialize;

use super::model::{Entry, OutboxId};
use crate::store::pg::{Pg, Tx};
use crate::store::{Store, StoreError};

/// Adds an event, which the relay delivers after `tx` has committed.
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

/// Locks up to `limit` entries that were created, or last tried, longer than `age` ago, in this
/// order. Other relays skip them. Parked entries are not returned.
pub async fn overdue(tx: &mut Tx, age: Duration, limit: i64) -> Result<Vec<Entry>, StoreError> {
    let rows = sqlx::query!(
        "select id, kind, payload from outbox
         where parked_at is null and due_at < clock_timestamp() - make_interval(secs => $1)
         order by due_at, id limit $2 for update skip locked",
        age.as_secs_f64(),
        limit
    )
    .fetch_all(tx.conn())
    .await?;
    let entry = |id, kind, payload| Entry { id: OutboxId(id), kind, payload };
    Ok(rows.into_iter().map(|row| entry(row.id, row.kind, row.payload)).collect())
}

/// Puts entries that could not be delivered, because Redis was down, behind the others.
pub async fn postpone(tx: &mut Tx, ids: &[OutboxId]) -> Result<(), StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    sqlx::query!("update outbox set due_at = clock_timestamp() where id = any($1)", &ids)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Records that an entry was refused, and why. The `most`th refusal parks the entry; returns
/// whether it did.
pub async fn refuse(
    tx: &mut Tx,
    id: OutboxId,
    reason: &str,
    most: i32,
) -> Result<bool, StoreError> {
    let parked = sqlx::query_scalar!(
        r#"update outbox set refusals = refusals + 1, reason = $2, due_at = clock_timestamp(),
                parked_at = case when refusals + 1 >= $3 then clock_timestamp() end
           where id = $1 returning parked_at is not null as "parked!""#,
        id.0,
        reason,
        most
    );
    Ok(parked.fetch_one(tx.conn()).await?)
}

/// Removes entries that were delivered.
pub async fn remove(pg: &Pg, ids: &[OutboxId]) -> Result<u64, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let done =
        sqlx::query!("delete from outbox where id = any($1)", &ids).execute(pg.pool()).await?;
    Ok(done.rows_affected())
}

/// Removes entries in the transaction that locked them.
pub async fn remove_locked(tx: &mut Tx, ids: &[OutboxId]) -> Result<u64, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let done =
        sqlx::query!("delete from outbox where id = any($1)", &ids).execute(tx.conn()).await?;
    Ok(done.rows_affected())
}

/// The numbers of entries in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Entries that are not delivered yet.
    pub waiting: i64,
    /// Entries that were refused too often, which the relay skips.
    pub parked: i64,
}

/// Counts the waiting and the parked entries.
pub async fn backlog(pg: &Pg) -> Result<Backlog, StoreError> {
    let backlog = sqlx::query_as!(
        Backlog,
        r#"select count(*) filter (where parked_at is null) as "waiting!",
                  count(parked_at) as "parked!" from outbox"#
    );
    Ok(backlog.fetch_one(pg.pool()).await?)
}
