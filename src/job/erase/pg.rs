//! The SQL of erasures.

use super::model::Entitlements;
use crate::store::StoreError;
use crate::store::id::{ScheduleId, UserId};
use crate::store::pg::{Pg, Tx};

/// A page of a table in which a name is replaced.
#[derive(Debug, Clone, Copy)]
pub struct Scrubbed {
    /// The last id of the page; `None` if there are no more.
    pub last: Option<i64>,
    /// Rows that had the name.
    pub rows: i64,
}

/// The name of a user who is not erased.
pub async fn name(tx: &mut Tx, user: UserId) -> Result<Option<String>, StoreError> {
    let name = sqlx::query_scalar!(
        r#"select name from "user" where id = $1 and erased_at is null"#,
        user.0
    );
    Ok(name.fetch_optional(tx.conn()).await?)
}

/// What a user has. The caller has locked the balance. A hold counts for as long as it keeps others
/// from its seats.
pub async fn entitlements(tx: &mut Tx, user: UserId) -> Result<Entitlements, StoreError> {
    let entitlements = sqlx::query_as!(
        Entitlements,
        r#"with mine as materialized (
             select r.status, r.expires_at, s.concert_at
             from reservation r join concert_schedule s on s.id = r.concert_schedule_id
             where r.user_id = $1 and r.status || '' in ('PAYMENT_WAITING', 'COMPLETE'))
           select count(*) filter (where status = 'PAYMENT_WAITING' and expires_at
                                     + interval '5 seconds' > clock_timestamp()) as "held_seats!",
                  count(*) filter (where status = 'COMPLETE'
                                     and concert_at > clock_timestamp()) as "tickets!",
                  coalesce((select amount from point where user_id = $1), 0) as "balance!"
           from mine"#,
        user.0
    );
    Ok(entitlements.fetch_one(tx.conn()).await?)
}

/// Makes every process refuse the user's tokens and tickets, or accept them again.
pub async fn bar(tx: &mut Tx, user: UserId, lifted: bool) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into barred_user (user_id, lifted) values ($1, $2)
         on conflict (user_id) do update
           set lifted = excluded.lifted, changed_at = clock_timestamp()",
        user.0,
        lifted
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The schedules in whose queue a user has an open entry, as far as it is archived.
pub async fn queues(pg: &Pg, user: UserId) -> Result<Vec<ScheduleId>, StoreError> {
    let rows = sqlx::query_scalar!(
        "select distinct concert_schedule_id from queue
         where user_id = $1 and status in ('WAITING', 'ACTIVE')",
        user.0
    );
    Ok(rows.fetch_all(pg.pool()).await?.into_iter().map(ScheduleId).collect())
}

/// Replaces a name in the next `limit` rows of the audit after an id. In rows about the user, each
/// text is searched; in others, only those that people wrote about people, and only for names of more
/// than one character.
pub async fn scrub_audit(
    tx: &mut Tx,
    user: UserId,
    name: &str,
    after: i64,
    limit: i64,
) -> Result<Scrubbed, StoreError> {
    let page = sqlx::query!(
        r#"with page as materialized (
             select id, before, after,
                    subject = 'user ' || $1::bigint or after -> 'user_id' = to_jsonb($1::bigint)
                      or before -> 'user_id' = to_jsonb($1::bigint) as own
             from audit where id > $3 order by id limit $4),
           suspect as materialized (
             select id, before, after, coalesce(own, false) as own from page
             where strpos(concat(before, after), substr(to_jsonb($2::text)::text, 2,
                          length(to_jsonb($2::text)::text) - 2)) > 0
               and (own or char_length($2::text) > 1))
           select (select max(id) from page) as last, coalesce(array_agg(id), '{}') as "named!"
           from suspect
           where erase_name(before, $2, own) is distinct from before
              or erase_name(after, $2, own) is distinct from after"#,
        user.0,
        name,
        after,
        limit
    )
    .fetch_one(tx.conn())
    .await?;
    sqlx::query!(
        "update audit a set before = erase_name(a.before, $2, o.own),
                            after = erase_name(a.after, $2, o.own)
         from (select id, coalesce(subject = 'user ' || $1::bigint
                        or after -> 'user_id' = to_jsonb($1::bigint)
                        or before -> 'user_id' = to_jsonb($1::bigint), false) as own
               from audit where id = any($3) offset 0) o
         where a.id = o.id and a.id = any($3)",
        user.0,
        name,
        &page.named
    )
    .execute(tx.conn())
    .await?;
    Ok(Scrubbed { last: page.last, rows: count(&page.named) })
}

/// As [`scrub_audit`], for the parameters of jobs.
pub async fn scrub_jobs(
    tx: &mut Tx,
    user: UserId,
    name: &str,
    after: i64,
    limit: i64,
) -> Result<Scrubbed, StoreError> {
    let page = sqlx::query!(
        r#"with page as materialized (
             select id, parameters, coalesce(user_id = $1, false) as own
             from job where id > $3 order by id limit $4)
           select max(id) as last, coalesce(array_agg(id) filter (
                    where (own or char_length($2::text) > 1)
                      and erase_name(parameters, $2, own) <> parameters), '{}') as "named!"
           from page"#,
        user.0,
        name,
        after,
        limit
    )
    .fetch_one(tx.conn())
    .await?;
    sqlx::query!(
        "update job set parameters = erase_name(parameters, $2, coalesce(user_id = $1, false))
         where id = any($3)",
        user.0,
        name,
        &page.named
    )
    .execute(tx.conn())
    .await?;
    Ok(Scrubbed { last: page.last, rows: count(&page.named) })
}

/// As [`scrub_audit`], for the reasons of what the box office did.
pub async fn scrub_actions(
    tx: &mut Tx,
    user: UserId,
    name: &str,
    after: i64,
    limit: i64,
) -> Result<Scrubbed, StoreError> {
    let page = sqlx::query!(
        r#"with page as materialized (
             select id, reason, user_id = $1 as own
             from box_office_action where id > $3 order by id limit $4)
           select max(id) as last, coalesce(array_agg(id) filter (
                    where (own or char_length($2::text) > 1) and strpos(reason, $2) > 0), '{}')
                  as "named!"
           from page"#,
        user.0,
        name,
        after,
        limit
    )
    .fetch_one(tx.conn())
    .await?;
    sqlx::query!(
        "update box_office_action set reason = left(replace(reason, $1, 'erased'), 500)
         where id = any($2)",
        name,
        &page.named
    )
    .execute(tx.conn())
    .await?;
    Ok(Scrubbed { last: page.last, rows: count(&page.named) })
}

/// As [`scrub_audit`], for the reasons of seats that guests got.
pub async fn scrub_guests(
    tx: &mut Tx,
    user: UserId,
    name: &str,
    after: i64,
    limit: i64,
) -> Result<Scrubbed, StoreError> {
    let page = sqlx::query!(
        r#"with page as materialized (
             select g.reservation_id as id, g.reason, r.user_id = $1 as own
             from guest_seat g join reservation r on r.id = g.reservation_id
             where g.reservation_id > $3 order by g.reservation_id limit $4)
           select max(id) as last, coalesce(array_agg(id) filter (
                    where (own or char_length($2::text) > 1) and strpos(reason, $2) > 0), '{}')
                  as "named!"
           from page"#,
        user.0,
        name,
        after,
        limit
    )
    .fetch_one(tx.conn())
    .await?;
    sqlx::query!(
        "update guest_seat set reason = left(replace(reason, $1, 'erased'), 500)
         where reservation_id = any($2)",
        name,
        &page.named
    )
    .execute(tx.conn())
    .await?;
    Ok(Scrubbed { last: page.last, rows: count(&page.named) })
}

/// Erases who users are (`migrations/functions/erase_users.sql`). Returns how many were erased by this
/// call.
pub async fn erase(tx: &mut Tx, users: &[UserId]) -> Result<i64, StoreError> {
    let ids: Vec<i64> = users.iter().map(|user| user.0).collect();
    let erased = sqlx::query_scalar!(r#"select erase_users($1) as "erased!""#, &ids);
    Ok(erased.fetch_one(tx.conn()).await?)
}

fn count(ids: &[i64]) -> i64 {
    i64::try_from(ids.len()).unwrap_or(i64::MAX)
}
