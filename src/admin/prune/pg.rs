//! The SQL that counts and deletes old rows. Each statement takes one page by an index, and each
//! page is deleted in a transaction of its own.

pub mod people;

use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::{Pg, Tx};

/// The next schedules after `after` whose concert was more than `age` seconds ago, and of which
/// nothing is open: no queue entry, no hold, and no event on its way to Redis. At most 100.
pub async fn past_sales(
    pg: &Pg,
    after: ScheduleId,
    age: f64,
) -> Result<Vec<ScheduleId>, StoreError> {
    let past = sqlx::query_scalar!(
        "select s.id from concert_schedule s
         left join queue_archive a on a.concert_schedule_id = s.id
         where s.id > $1 and s.concert_at < clock_timestamp() - make_interval(secs => $2)
           and (a.concert_schedule_id is null or a.settled_at is not null)
           and not exists (select from reservation r
                           where r.concert_schedule_id = s.id and r.status = 'PAYMENT_WAITING')
           and not exists (select from outbox o where o.parked_at is null
                             and o.payload -> 'schedule' = to_jsonb(s.id))
         order by s.id limit 100",
        after.0,
        age
    );
    Ok(past.fetch_all(pg.pool()).await?.into_iter().map(ScheduleId).collect())
}

/// Records that entries of a sale are about to be deleted, so that its final report is never
/// computed again; false if it has none.
pub async fn keep_report(pg: &Pg, schedule: ScheduleId) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update sale_report set pruned_at = coalesce(pruned_at, clock_timestamp())
         where concert_schedule_id = $1 and (final_for is not null or pruned_at is not null)",
        schedule.0
    )
    .execute(pg.writes())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Opens a transaction for one page. Its plan uses the index, whatever the statistics say.
async fn begin(pg: &Pg, name: &'static str) -> Result<Tx, StoreError> {
    let mut tx = pg.begin(name).await?;
    sqlx::query!("set local enable_seqscan = off").execute(tx.conn()).await?;
    Ok(tx)
}

/// Counts the next rows of a schedule in a table that is read by sequence.
macro_rules! count_page {
    ($table:literal, $pg:ident, $schedule:ident, $after:ident, $limit:ident) => {{
        let page = sqlx::query!(
            r#"select count(*) as "rows!", max(sequence) as last
           from (select sequence from "#
                + $table
                + r#" where concert_schedule_id = $1 and sequence > $2
                 order by sequence limit $3) as page"#,
            $schedule.0,
            $after,
            $limit
        );
        let page = page.fetch_one($pg.pool()).await?;
        Ok((page.rows, page.last.filter(|_| page.rows == $limit)))
    }};
}

/// Deletes the next rows of a schedule in a table that is read by sequence, if the concert was more
/// than `age` seconds ago. It starts after a sequence, because an index keeps deleted rows until a
/// vacuum: from the start, each page would pass them.
macro_rules! delete_page {
    ($table:literal, $name:literal, $pg:ident, $schedule:ident, $after:ident, $age:ident, $limit:ident) => {{
        let mut tx = begin($pg, $name).await?;
        let page = sqlx::query!(
            r#"with page as materialized (
             select max(sequence) as last from (
               select sequence from "#
                + $table
                + r#" where concert_schedule_id = $1 and sequence > $2
               order by sequence limit $3) as next),
           gone as (
             delete from "#
                + $table
                + r#" where concert_schedule_id = $1 and sequence > $2
               and sequence <= (select last from page)
               and exists (select from concert_schedule where id = $1
                             and concert_at < clock_timestamp() - make_interval(secs => $4))
             returning 1)
           select (select count(*) from gone) as "rows!", last from page"#,
            $schedule.0,
            $after,
            $limit,
            $age
        )
        .fetch_one(tx.conn())
        .await?;
        tx.commit().await?;
        Ok((page.rows, page.last))
    }};
}

/// Counts the next `limit` queue entries of a schedule after a sequence. Returns the count, and the
/// last sequence if there may be more.
pub async fn count_entries(
    pg: &Pg,
    schedule: ScheduleId,
    after: i64,
    limit: i64,
) -> Result<(i64, Option<i64>), StoreError> {
    count_page!("queue", pg, schedule, after, limit)
}

/// Deletes the next `limit` queue entries of a schedule after a sequence, if the concert was more than
/// `age` seconds ago. Returns how many, and the last sequence of the page.
pub async fn delete_entries(
    pg: &Pg,
    schedule: ScheduleId,
    after: i64,
    age: f64,
    limit: i64,
) -> Result<(i64, Option<i64>), StoreError> {
    delete_page!("queue", "prune_entries", pg, schedule, after, age, limit)
}

/// As [`count_entries`], for the entrants of a draw.
pub async fn count_entrants(
    pg: &Pg,
    schedule: ScheduleId,
    after: i64,
    limit: i64,
) -> Result<(i64, Option<i64>), StoreError> {
    count_page!("draw_entrant", pg, schedule, after, limit)
}

/// As [`delete_entries`], for the entrants of a draw.
pub async fn delete_entrants(
    pg: &Pg,
    schedule: ScheduleId,
    after: i64,
    age: f64,
    limit: i64,
) -> Result<(i64, Option<i64>), StoreError> {
    delete_page!("draw_entrant", "prune_entrants", pg, schedule, after, age, limit)
}

/// Counts the rows of rejection counts of a schedule.
pub async fn count_rejections(pg: &Pg, schedule: ScheduleId) -> Result<i64, StoreError> {
    let rows = sqlx::query_scalar!(
        r#"select count(*) as "rows!" from rejection_count where concert_schedule_id = $1"#,
        schedule.0
    );
    Ok(rows.fetch_one(pg.pool()).await?)
}

/// Deletes `limit` rows of rejection counts of a schedule, if its concert was more than `age`
/// seconds ago; returns how many.
pub async fn delete_rejections(
    pg: &Pg,
    schedule: ScheduleId,
    age: f64,
    limit: i64,
) -> Result<i64, StoreError> {
    let mut tx = begin(pg, "prune_rejections").await?;
    let done = sqlx::query!(
        "delete from rejection_count where concert_schedule_id = $1
           and (wanted, reason, since) <= (
             select wanted, reason, since from (
               select wanted, reason, since from rejection_count where concert_schedule_id = $1
               order by wanted, reason, since limit $2) as page
             order by wanted desc, reason desc, since desc limit 1)
           and exists (select from concert_schedule where id = $1
                         and concert_at < clock_timestamp() - make_interval(secs => $3))",
        schedule.0,
        limit,
        age
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(done.rows_affected().cast_signed())
}

/// A page of the audit.
#[derive(Debug, Clone, Copy)]
pub struct AuditPage {
    /// Entries of the page that are old and about nothing that is still to come.
    pub rows: i64,
    /// The last id of the page, if it may be followed by more old entries.
    pub last: Option<i64>,
}

/// Takes the next `limit` entries of the audit after an id. Counts those that are older than `age`
/// seconds, or deletes them if `apply` is set. Entries about a concert or a schedule that is not
/// over for as long are kept.
pub async fn audit(
    pg: &Pg,
    after: i64,
    age: f64,
    limit: i64,
    apply: bool,
) -> Result<AuditPage, StoreError> {
    let mut tx = begin(pg, "prune_audit").await?;
    let page = sqlx::query!(
        r#"with page as materialized (
             select id, subject, created_at < clock_timestamp() - make_interval(secs => $2) as old
             from audit where id > $1 order by id limit $3),
           kept as materialized (
             select 'schedule ' || id as subject from concert_schedule
             where concert_at >= clock_timestamp() - make_interval(secs => $2)
             union select 'concert ' || concert_id from concert_schedule
             where concert_at >= clock_timestamp() - make_interval(secs => $2)),
           chosen as materialized (
             select id from page where old
               and not exists (select from kept where kept.subject = page.subject)),
           gone as (
             delete from audit where id in (select id from chosen) and $4 returning id)
           select (select count(*) from chosen) as "rows!", (select count(*) from gone) as "gone!",
                  max(id) as last, count(*) as "all!", coalesce(bool_and(old), false) as "old!"
           from page"#,
        after,
        age,
        limit,
        apply
    )
    .fetch_one(tx.conn())
    .await?;
    tx.commit().await?;
    let more = page.old && page.all == limit;
    let rows = if apply { page.gone } else { page.rows };
    Ok(AuditPage { rows, last: page.last.filter(|_| more) })
}

/// Counts the events that were parked more than `age` seconds ago and whose sale is over, or deletes
/// them if `apply` is set.
pub async fn parked(pg: &Pg, age: f64, apply: bool) -> Result<i64, StoreError> {
    let rows = sqlx::query_scalar!(
        r#"with chosen as materialized (
             select o.id from outbox o
             where o.parked_at < clock_timestamp() - make_interval(secs => $1)
               and exists (select from concert_schedule s
                           where o.payload -> 'schedule' = to_jsonb(s.id)
                             and s.concert_at < clock_timestamp() - make_interval(secs => $1))),
           gone as (delete from outbox where id in (select id from chosen) and $2 returning id)
           select (select count(*) from chosen) as "rows!" from (select count(*) from gone) as g"#,
        age,
        apply
    );
    Ok(rows.fetch_one(pg.writes()).await?)
}
