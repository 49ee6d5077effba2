//! The `point` and `point_history` tables: a balance changes only together with a history row.

use super::model::{Balance, Change, Kind};
use crate::pagination::Paging;
use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::pg::{Pg, Tx, violated};

/// Locks a user's balance, which serialises all that one person does with money and with the seat
/// limit, and returns it. Made here where it is missing; nothing where there is no such user.
pub async fn lock(tx: &mut Tx, user: UserId) -> Result<Option<i64>, StoreError> {
    let lock = sqlx::query_scalar!("select point_lock($1)", user.0);
    Ok(lock.fetch_one(tx.conn()).await?)
}

/// Changes a balance by `amount`, which is negative for a payment, and writes the history row.
/// Nothing where the balance does not cover it; the transaction stays usable.
pub async fn change(
    tx: &mut Tx,
    user: UserId,
    kind: Kind,
    amount: i64,
    reference: &str,
) -> Result<Option<i64>, StoreError> {
    let changed = sqlx::query_scalar!(
        "select point_change($1, $2, $3, $4)",
        user.0,
        kind.as_str(),
        amount,
        reference
    )
    .fetch_one(tx.conn())
    .await;
    changed.map_err(|error| match violated(&error) {
        Some("point_history_once_per_reference") => {
            StoreError::Inconsistent(format!("{reference} has moved points before"))
        }
        _ => error.into(),
    })
}

/// A user's balance.
pub async fn balance(pg: &Pg, user: UserId) -> Result<Option<Balance>, StoreError> {
    let find = sqlx::query_as!(
        Balance,
        "select amount, last_updated_at from point where user_id = $1",
        user.0
    );
    Ok(find.fetch_optional(pg.pool()).await?)
}

/// A user's history, newest first.
pub async fn history(pg: &Pg, user: UserId, paging: Paging) -> Result<Vec<Change>, StoreError> {
    let rows = sqlx::query!(
        "select id, kind, amount, balance_after, reference, created_at from point_history
         where user_id = $1 and ($2::bigint is null or id < $2) order by id desc limit $3",
        user.0,
        paging.after,
        paging.fetch()
    )
    .fetch_all(pg.pool())
    .await?;
    let kind = |kind: &str| match kind {
        "CHARGE" => Ok(Kind::Charge),
        "PAYMENT" => Ok(Kind::Payment),
        "REFUND" => Ok(Kind::Refund),
        other => Err(StoreError::Inconsistent(format!("a change of points is of kind {other}"))),
    };
    rows.into_iter()
        .map(|row| {
            Ok(Change {
                id: row.id,
                kind: kind(&row.kind)?,
                amount: row.amount,
                balance_after: row.balance_after,
                reference: row.reference,
                created_at: row.created_at,
            })
        })
        .collect()
}
