//! The user's rows. A user and their point row are made in one statement: there is never one
//! without the other.

use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::pg::{Pg, Tx};

use super::model::{Subject, User};

/// Makes a user of our own.
pub async fn create(tx: &mut Tx, name: &str) -> Result<UserId, StoreError> {
    let id = sqlx::query_scalar!(
        r#"with made as (insert into "user" (name) values ($1) returning id),
                balance as (insert into point (user_id) select id from made)
           select id as "id!" from made"#,
        name
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(UserId(id))
}

/// Makes users named `Buyer N`, N from `first` to `last`, with their point rows; the ids, in order.
pub async fn create_many(tx: &mut Tx, first: i64, last: i64) -> Result<Vec<UserId>, StoreError> {
    let ids = sqlx::query_scalar!(
        r#"with made as (
               insert into "user" (name) select 'Buyer ' || n from generate_series($1::bigint, $2::bigint) n
               returning id),
                balance as (insert into point (user_id) select id from made)
           select id as "id!" from made order by id"#,
        first,
        last
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(ids.into_iter().map(UserId).collect())
}

/// Finds one user.
pub async fn find(pg: &Pg, id: UserId) -> Result<Option<User>, StoreError> {
    let found = sqlx::query!(r#"select id, name from "user" where id = $1"#, id.0)
        .fetch_optional(pg.pool())
        .await?;
    Ok(found.map(|row| User { id: UserId(row.id), name: row.name }))
}

/// Finds the user that an identity provider knows as `subject`.
pub async fn find_subject(pg: &Pg, subject: &Subject) -> Result<Option<UserId>, StoreError> {
    let found = sqlx::query_scalar!(
        r#"select id from "user" where issuer = $1 and subject = $2"#,
        subject.issuer,
        subject.subject
    )
    .fetch_optional(pg.pool())
    .await?;
    Ok(found.map(UserId))
}

/// Makes the user that an identity provider knows as `subject`; none where somebody else just did.
pub async fn create_subject(
    tx: &mut Tx,
    subject: &Subject,
    name: &str,
) -> Result<Option<UserId>, StoreError> {
    let id = sqlx::query_scalar!(
        r#"with made as (
               insert into "user" (name, issuer, subject) values ($1, $2, $3)
               on conflict (issuer, subject) do nothing
               returning id),
                balance as (insert into point (user_id) select id from made)
           select id as "id!" from made"#,
        name,
        subject.issuer,
        subject.subject
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(id.map(UserId))
}
