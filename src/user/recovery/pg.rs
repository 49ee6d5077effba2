//! The SQL of recovery codes.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::model::RecoveryCode;
use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::pg::{Pg, Tx};

/// A code with the attempts to redeem it.
pub(super) struct Attempted {
    pub(super) user: UserId,
    pub(super) hash: Vec<u8>,
    /// Attempts since `since`, including the current one.
    pub(super) attempts: i32,
    pub(super) since: DateTime<Utc>,
}

/// Stores `code` as the user's code, in place of an earlier one. Returns when it was created;
/// `None` if another user's code has the same selector.
pub(super) async fn replace(
    on: impl PgExecutor<'_>,
    user: UserId,
    code: &RecoveryCode,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let created_at = sqlx::query_scalar!(
        "insert into recovery_code as r (user_id, selector, hash)
         select $1, $2, $3
         where not exists (select from recovery_code where selector = $2 and user_id <> $1)
         on conflict (user_id) do update
           set selector = excluded.selector, hash = excluded.hash,
               created_at = excluded.created_at, attempts = 0, attempts_since = excluded.attempts_since
         returning created_at",
        user.0,
        code.selector(),
        code.hash()
    )
    .fetch_optional(on)
    .await?;
    Ok(created_at)
}

/// Reads when the user's code was created; `None` if there is none.
pub(super) async fn created_at(pg: &Pg, user: UserId) -> Result<Option<DateTime<Utc>>, StoreError> {
    let found =
        sqlx::query_scalar!("select created_at from recovery_code where user_id = $1", user.0)
            .fetch_optional(pg.pool())
            .await?;
    Ok(found)
}

/// Counts an attempt, before the code is checked. So none of many concurrent attempts is missed.
/// `None` if there is no code with this selector.
pub(super) async fn attempt(
    pg: &Pg,
    code: &RecoveryCode,
    window: std::time::Duration,
) -> Result<Option<Attempted>, StoreError> {
    let found = sqlx::query!(
        "update recovery_code set
           attempts = case when attempts_since + make_interval(secs => $2) <= clock_timestamp() then 1
                      else least(attempts, 1000000) + 1 end,
           attempts_since = case when attempts_since + make_interval(secs => $2) <= clock_timestamp()
                      then clock_timestamp() else attempts_since end
         where selector = $1
         returning user_id, hash, attempts, attempts_since",
        code.selector(),
        window.as_secs_f64()
    )
    .fetch_optional(pg.writes())
    .await?;
    Ok(found.map(|row| Attempted {
        user: UserId(row.user_id),
        hash: row.hash,
        attempts: row.attempts,
        since: row.attempts_since,
    }))
}

/// Resets the attempts after a correct code.
pub(super) async fn forget_attempts(pg: &Pg, user: UserId) -> Result<(), StoreError> {
    sqlx::query!("update recovery_code set attempts = 0 where user_id = $1", user.0)
        .execute(pg.writes())
        .await?;
    Ok(())
}

/// Whether the user belongs to an identity provider; `None` if there is no such user.
pub(super) async fn is_provided(tx: &mut Tx, user: UserId) -> Result<Option<bool>, StoreError> {
    let find = sqlx::query_scalar!(
        r#"select issuer is not null as "provided!" from "user" where id = $1"#,
        user.0
    );
    Ok(find.fetch_optional(tx.conn()).await?)
}
