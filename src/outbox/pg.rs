//! The outbox table.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::model::{Entry, OutboxId, Recorded};
use crate::store::pg::{Pg, Tx};
use crate::store::{Store, StoreError};

/// Adds an event, which the relay delivers after `tx` has committed.
pub async fn append<E: Serialize>(
    tx: &mut Tx,
    kind: &str,
    event: E,
) -> Result<Recorded<E>, StoreError> {
    let payload = serde_json::to_value(&event).map_err(|error| StoreError::Defect {
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
    Ok(Recorded { id: OutboxId(id), event })
}

/// Entries that this process delivers, and PostgreSQL's clock.
#[derive(Debug)]
pub struct Batch {
    /// The entries, the one that waits longest first.
    pub entries: Vec<Entry>,
    /// When they were taken.
    pub now: DateTime<Utc>,
}

/// Takes up to `limit` entries that were created, or last tried, longer than `age` ago, in this
/// order. Other relays skip them until `age` has passed again. Parked entries are not taken.
pub async fn take_overdue(pg: &Pg, age: Duration, limit: i64) -> Result<Batch, StoreError> {
    let rows = sqlx::query!(
        r#"with overdue as (
             select id, due_at from outbox
             where parked_at is null
               and due_at < (select clock_timestamp() - make_interval(secs => $1))
             order by due_at, id limit $2 for update skip locked)
           update outbox set due_at = clock_timestamp() from overdue where outbox.id = overdue.id
           returning outbox.id, kind, payload, overdue.due_at as "waits_since!",
                     clock_timestamp() as "now!""#,
        age.as_secs_f64(),
        limit
    );
    let mut rows = rows.fetch_all(pg.writes()).await?;
    rows.sort_unstable_by_key(|row| (row.waits_since, row.id));
    let now = rows.first().map_or(DateTime::UNIX_EPOCH, |row| row.now);
    let entry = |id, kind, payload| Entry { id: OutboxId(id), kind, payload };
    let entries = rows.into_iter().map(|row| entry(row.id, row.kind, row.payload)).collect();
    Ok(Batch { entries, now })
}

/// Makes entries that were taken but not tried due again at once.
pub async fn give_back(pg: &Pg, ids: &[OutboxId], age: Duration) -> Result<(), StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    sqlx::query!(
        "update outbox set due_at = clock_timestamp() - make_interval(secs => $2)
         where id = any($1)",
        &ids,
        age.as_secs_f64()
    )
    .execute(pg.writes())
    .await?;
    Ok(())
}

/// Records that an entry was refused, and why. The `limit`th refusal parks the entry; returns
/// whether it did. False too if another relay has delivered the entry meanwhile.
pub async fn refuse(pg: &Pg, id: OutboxId, reason: &str, limit: i32) -> Result<bool, StoreError> {
    let parked = sqlx::query_scalar!(
        r#"update outbox set refusals = refusals + 1, reason = $2, due_at = clock_timestamp(),
                parked_at = case when refusals + 1 >= $3 then clock_timestamp() end
           where id = $1 returning parked_at is not null as "parked!""#,
        id.0,
        reason,
        limit
    );
    Ok(parked.fetch_optional(pg.writes()).await?.unwrap_or(false))
}

/// Removes entries that were delivered.
pub async fn remove(pg: &Pg, ids: &[OutboxId]) -> Result<u64, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let done =
        sqlx::query!("delete from outbox where id = any($1)", &ids).execute(pg.writes()).await?;
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
