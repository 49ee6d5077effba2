//! The `idempotency_key` table.

use super::model::{KeyError, Request};
use crate::store::StoreError;
use crate::store::pg::{Pg, Tx};

/// Locks the key in this transaction, and returns the outcome stored with it, if any.
///
/// It does not wait for the lock: twenty retries of one request must not hold twenty connections.
pub async fn claim(tx: &mut Tx, request: &Request) -> Result<Option<serde_json::Value>, KeyError> {
    let row = sqlx::query!(
        r#"select reply as "reply!", outcome from key_claim($1, $2, $3)"#,
        request.user.0,
        request.key,
        &request.fingerprint()[..]
    )
    .fetch_one(tx.conn())
    .await
    .map_err(StoreError::from)?;
    check_reply(&row.reply)?;
    Ok(row.outcome)
}

/// Checks a function's reply: an error if the key is in progress or was used for another request.
pub fn check_reply(reply: &str) -> Result<(), KeyError> {
    match reply {
        "IN_PROGRESS" => Err(KeyError::InProgress),
        "REUSED" => Err(KeyError::Reused),
        _ => Ok(()),
    }
}

/// Whether a function's reply is the outcome of an earlier request.
#[must_use]
pub fn is_replayed(reply: &str) -> bool {
    reply == "REPLAYED"
}

/// Reads the outcome stored with a key, without locking the key.
pub async fn find_outcome(
    pg: &Pg,
    request: &Request,
) -> Result<Option<serde_json::Value>, KeyError> {
    let row = sqlx::query!(
        "select fingerprint, outcome from idempotency_key where user_id = $1 and key = $2",
        request.user.0,
        request.key
    )
    .fetch_optional(pg.pool())
    .await
    .map_err(StoreError::from)?;
    row.map(|row| matching(request, &row.fingerprint, row.outcome)).transpose()
}

/// Stores the outcome in the transaction of the effect.
pub async fn store(
    tx: &mut Tx,
    request: &Request,
    outcome: &serde_json::Value,
) -> Result<(), StoreError> {
    sqlx::query!(
        "select key_store($1, $2, $3, $4)",
        request.user.0,
        request.key,
        &request.fingerprint()[..],
        outcome
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Removes keys older than 48 h, at most `limit` of them.
pub async fn purge(pg: &Pg, limit: i64) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "delete from idempotency_key where (user_id, key) in (
           select user_id, key from idempotency_key
           where created_at < statement_timestamp() - interval '48 hours' limit $1)",
        limit
    )
    .execute(pg.writes())
    .await?;
    Ok(done.rows_affected())
}

fn matching(
    request: &Request,
    fingerprint: &[u8],
    outcome: serde_json::Value,
) -> Result<serde_json::Value, KeyError> {
    if fingerprint == request.fingerprint() { Ok(outcome) } else { Err(KeyError::Reused) }
}
