//! The SQL that erases users without activity, and deletes old jobs.

use crate::store::StoreError;
use crate::store::pg::Pg;

/// A page of users.
#[derive(Debug, Clone, Copy)]
pub struct UserPage {
    /// Users that were erased, or would be.
    pub rows: i64,
    /// The last id of the page; `None` if there are no more.
    pub last: Option<i64>,
}

/// Takes the next `limit` users after an id. Counts those whose last activity was more than `age`
/// seconds ago and who have no balance, or erases them if `apply` is set
/// (`migrations/functions/erase_users.sql`). Each look is by an index of the user.
pub async fn users(
    pg: &Pg,
    after: i64,
    age: f64,
    limit: i64,
    apply: bool,
) -> Result<UserPage, StoreError> {
    let mut tx = super::begin(pg, "prune_users").await?;
    let page = sqlx::query!(
        r#"with page as materialized (
             select id, created_at, erased_at from "user" where id > $1 order by id limit $3),
           looked as materialized (
             select p.id, p.erased_at is null as has_name,
                    coalesce((select amount from point where user_id = p.id), 0) as balance,
                    greatest(p.created_at,
                      (select created_at from queue where user_id = p.id order by id desc limit 1),
                      (select created_at from point_history where user_id = p.id
                       order by id desc limit 1),
                      (select created_at from audit where admin = p.id order by id desc limit 1),
                      (select max(s.concert_at) from reservation r
                       join concert_schedule s on s.id = r.concert_schedule_id
                       where r.user_id = p.id)) as active_at
             from page p)
           select (select max(id) from page) as last, (select count(*) from page) as "all!",
                  coalesce(array_agg(id), '{}') as "old!"
           from looked where has_name and balance = 0
             and active_at < clock_timestamp() - make_interval(secs => $2)"#,
        after,
        age,
        limit
    )
    .fetch_one(tx.conn())
    .await?;
    let mut rows = i64::try_from(page.old.len()).unwrap_or(i64::MAX);
    if apply && rows > 0 {
        let erased = sqlx::query_scalar!(r#"select erase_users($1) as "erased!""#, &page.old);
        rows = erased.fetch_one(tx.conn()).await?;
    }
    tx.commit().await?;
    Ok(UserPage { rows, last: page.last.filter(|_| page.all == limit) })
}

/// Counts the jobs that ended more than `age` seconds ago, or deletes up to `limit` of them if `apply`
/// is set.
pub async fn jobs(pg: &Pg, age: f64, limit: i64, apply: bool) -> Result<i64, StoreError> {
    let rows = sqlx::query_scalar!(
        r#"with chosen as materialized (
             select id from job
             where finished_at < (select clock_timestamp() - make_interval(secs => $1))
             order by finished_at limit case when $3 then $2::bigint end),
           gone as (delete from job where id in (select id from chosen) and $3 returning id)
           select (select count(*) from chosen) as "rows!" from (select count(*) from gone) as g"#,
        age,
        limit,
        apply
    );
    Ok(rows.fetch_one(pg.writes()).await?)
}
