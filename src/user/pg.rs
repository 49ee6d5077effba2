//! The SQL of users. One statement creates a user and its point row, so there is never one without
//! the other.

use chrono::{DateTime, Utc};

use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::pg::{Pg, Tx};

use super::model::{ClaimedName, Subject, SubjectUser, User};

/// Creates a user who belongs to no identity provider.
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

/// Creates users named `Buyer N`, N from `first` to `last`. Returns their ids in order.
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

/// Finds the user with the identity `subject` at its provider.
pub async fn find_subject(pg: &Pg, subject: &Subject) -> Result<Option<SubjectUser>, StoreError> {
    let found = sqlx::query!(
        r#"select id, name, name_claimed_at from "user" where issuer = $1 and subject = $2"#,
        subject.issuer,
        subject.subject
    )
    .fetch_optional(pg.pool())
    .await?;
    Ok(found.map(|row| SubjectUser {
        id: UserId(row.id),
        name: row.name,
        named_at: row.name_claimed_at,
    }))
}

/// Creates the user with the identity `subject`; `None` if another request has just created it.
pub async fn create_subject(
    tx: &mut Tx,
    subject: &Subject,
    name: &str,
    named_at: Option<DateTime<Utc>>,
) -> Result<Option<UserId>, StoreError> {
    let id = sqlx::query_scalar!(
        r#"with made as (
               insert into "user" (name, issuer, subject, name_claimed_at) values ($1, $2, $3, $4)
               on conflict (issuer, subject) do nothing
               returning id),
                balance as (insert into point (user_id) select id from made)
           select id as "id!" from made"#,
        name,
        subject.issuer,
        subject.subject,
        named_at
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(id.map(UserId))
}

/// Sets the name that a token claims, unless a later token has set one.
pub async fn rename_subject(
    pg: &Pg,
    subject: &Subject,
    claimed: &ClaimedName,
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"update "user" set name = $3, name_claimed_at = $4
           where issuer = $1 and subject = $2
             and (name_claimed_at is null or name_claimed_at < $4)"#,
        subject.issuer,
        subject.subject,
        claimed.name,
        claimed.issued_at
    )
    .execute(pg.writes())
    .await?;
    Ok(())
}

/// Records that the form with this id signed up `user`. Returns false if the form signed up a user
/// within the last two minutes. Waits for another transaction that records the same form.
pub async fn note_form(tx: &mut Tx, form: &[u8; 32], user: UserId) -> Result<bool, StoreError> {
    let noted = sqlx::query!(
        "insert into sign_up_form as f (form, user_id) values ($1, $2)
         on conflict (form) do update
           set user_id = excluded.user_id, created_at = excluded.created_at
           where f.created_at <= clock_timestamp() - interval '2 minutes'",
        &form[..],
        user.0
    )
    .execute(tx.conn())
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// Finds the user that the form with this id signed up last.
pub async fn find_by_form(pg: &Pg, form: &[u8; 32]) -> Result<Option<User>, StoreError> {
    let found = sqlx::query!(
        r#"select u.id, u.name from sign_up_form f join "user" u on u.id = f.user_id
           where f.form = $1"#,
        &form[..]
    )
    .fetch_optional(pg.pool())
    .await?;
    Ok(found.map(|row| User { id: UserId(row.id), name: row.name }))
}

/// Removes up to `limit` records of forms that are older than an hour. Returns how many it removed.
pub async fn purge_forms(pg: &Pg, limit: i64) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "delete from sign_up_form where form in (
           select form from sign_up_form
           where created_at < statement_timestamp() - interval '1 hour' limit $1)",
        limit
    )
    .execute(pg.writes())
    .await?;
    Ok(done.rows_affected())
}
