//! The SQL of the `point` and `point_history` tables. A balance changes only together with a
//! history row.

use sqlx::types::Json;

use super::model::{Balance, Change, Charged, Kind};
use crate::idempotency::model::Request;
use crate::pagination::Paging;
use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::pg::single::{Single, lost};
use crate::store::pg::{Pg, Tx, violated};

/// Reply of the SQL function `charge_points`.
#[derive(Debug)]
pub struct ChargeReply {
    /// Code of the reply: `OK`, `REPLAYED`, or why nothing is stored.
    pub word: String,
    /// The charge, if there is one.
    pub outcome: Option<Charged>,
}

/// Calls `charge_points` (`migrations/functions/charge_points.sql`), which is the whole transaction
/// of a charge.
pub async fn charge_points(
    on: &mut Single,
    request: &Request,
    amount: i64,
) -> Result<ChargeReply, StoreError> {
    let row = sqlx::query!(
        r#"select reply as "reply!", stored as "stored: Json<Charged>", balance
           from charge_points($1, $2, $3, $4)"#,
        request.user.0,
        request.key,
        &request.fingerprint()[..],
        amount
    )
    .fetch_one(on.conn())
    .await
    .map_err(lost)?;
    let charged = row.balance.map(|balance| Charged { amount, balance });
    Ok(ChargeReply { word: row.reply, outcome: row.stored.map(|stored| stored.0).or(charged) })
}

/// Locks and returns a user's balance. The lock serialises everything that one user does with
/// points and with the seat limit. Creates a missing balance; `None` if there is no such user.
pub async fn lock(tx: &mut Tx, user: UserId) -> Result<Option<i64>, StoreError> {
    let lock = sqlx::query_scalar!("select point_lock($1)", user.0);
    Ok(lock.fetch_one(tx.conn()).await?)
}

/// Changes a balance by `amount`, which is negative for a payment, and writes the history row.
/// Returns the new balance; `None` if the balance is too low. The transaction stays usable then.
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
            StoreError::Inconsistent(format!("{reference} has changed a balance before"))
        }
        _ => error.into(),
    })
}

/// Reads a user's balance.
pub async fn balance(pg: &Pg, user: UserId) -> Result<Option<Balance>, StoreError> {
    let find = sqlx::query_as!(
        Balance,
        "select amount, last_updated_at from point where user_id = $1",
        user.0
    );
    Ok(find.fetch_optional(pg.pool()).await?)
}

/// Lists the changes of a user's balance, newest first.
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
        other => Err(StoreError::Inconsistent(format!("unknown kind of balance change {other}"))),
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
