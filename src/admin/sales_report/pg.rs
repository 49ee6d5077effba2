//! The SQL of the sales report. All reads share one snapshot, so that the figures agree.

use chrono::{DateTime, Utc};

use super::model::{
    LineReport, PERCENTILES, Part, RejectionCount, SalesReport, SectionReport, Waits,
};
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::{Pg, Tx};
use crate::telemetry::rejections::Rejection;

/// Opens the snapshot. Its statements may take 15 s, because a large sale has a million queue
/// entries.
pub async fn snapshot(pg: &Pg) -> Result<Tx, StoreError> {
    let mut tx = pg.begin().await?;
    sqlx::query!("set transaction isolation level repeatable read, read only")
        .execute(tx.conn())
        .await?;
    sqlx::query!("set local statement_timeout = 15000").execute(tx.conn()).await?;
    Ok(tx)
}

/// Counts queue entries by outcome.
pub async fn line(tx: &mut Tx, schedule: ScheduleId) -> Result<LineReport, StoreError> {
    let line = sqlx::query_as!(
        LineReport,
        r#"select count(*) as "joined!", count(distinct user_id) as "people!",
                  count(entered_at) as "admitted!",
                  count(*) filter (where status = 'COMPLETED') as "completed!",
                  count(entered_at) filter (where status = 'EXPIRED') as "expired_inside!",
                  count(entered_at) filter (where status = 'LEFT') as "left_inside!",
                  count(*) filter (where status = 'EXPIRED' and entered_at is null)
                    as "expired_waiting!",
                  count(*) filter (where status = 'LEFT' and entered_at is null) as "left_waiting!",
                  count(*) filter (where status = 'WAITING') as "waiting!",
                  count(*) filter (where status = 'ACTIVE') as "inside!",
                  max(extract(epoch from coalesce(expired_at, now()) - created_at)::float8)
                    filter (where entered_at is null) as longest_in_vain_seconds
           from queue where concert_schedule_id = $1"#,
        schedule.0
    );
    Ok(line.fetch_one(tx.conn()).await?)
}

/// Measures waits from joining to the first admission. With `from`, the waits of entries that
/// joined earlier count from `from`.
pub async fn waits(
    tx: &mut Tx,
    schedule: ScheduleId,
    from: Option<DateTime<Utc>>,
) -> Result<Waits, StoreError> {
    let row = sqlx::query!(
        r#"select avg(wait) as mean, max(wait) as longest,
                  percentile_cont($3::float8[]) within group (order by wait) as percentiles
           from (select extract(epoch from greatest(interval '0',
                          entered_at - greatest(created_at, $2)))::float8 as wait
                 from queue where concert_schedule_id = $1 and entered_at is not null) as waits"#,
        schedule.0,
        from,
        &PERCENTILES[..]
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Waits::new(row.mean, row.longest, row.percentiles))
}

/// Counts seats and sums payments.
pub async fn sales(tx: &mut Tx, schedule: ScheduleId) -> Result<SalesReport, StoreError> {
    let sales = sqlx::query_as!(
        SalesReport,
        r#"select s.seats as "seats!", s.blocked as "blocked!", r.sold as "sold!",
                  r.revenue as "revenue!", r.buyers as "buyers!", r.refunded as "refunded!",
                  r.refunds as "refunds!", r.held as "held!", r.expired as "expired!",
                  r.cancelled as "cancelled!"
           from (select count(*) as seats, count(*) filter (where blocked) as blocked
                 from seat where concert_schedule_id = $1) as s,
                (select count(*) filter (where status = 'COMPLETE') as sold,
                        coalesce(sum(amount) filter (where status = 'COMPLETE'), 0)::bigint
                          as revenue,
                        count(distinct user_id) filter (where status = 'COMPLETE') as buyers,
                        count(*) filter (where status = 'REFUNDED') as refunded,
                        coalesce(sum(amount) filter (where status = 'REFUNDED'), 0)::bigint
                          as refunds,
                        count(*) filter (where status = 'PAYMENT_WAITING') as held,
                        count(*) filter (where status = 'EXPIRED') as expired,
                        count(*) filter (where status = 'CANCELLED') as cancelled
                 from reservation where concert_schedule_id = $1) as r"#,
        schedule.0
    );
    Ok(sales.fetch_one(tx.conn()).await?)
}

/// Counts seats and sums payments by section.
pub async fn sections(tx: &mut Tx, schedule: ScheduleId) -> Result<Vec<SectionReport>, StoreError> {
    let sections = sqlx::query_as!(
        SectionReport,
        r#"select s.section, count(*) as "seats!", count(*) filter (where s.blocked) as "blocked!",
                  count(r.id) as "sold!", coalesce(sum(r.amount), 0)::bigint as "revenue!"
           from seat s left join reservation r on r.seat_id = s.id and r.status = 'COMPLETE'
           where s.concert_schedule_id = $1 group by s.section order by min(s.seat_number)"#,
        schedule.0
    );
    Ok(sections.fetch_all(tx.conn()).await?)
}

/// Counts rejections by reason.
pub async fn rejections(
    tx: &mut Tx,
    schedule: ScheduleId,
) -> Result<Vec<RejectionCount>, StoreError> {
    let refusals = sqlx::query_as!(
        RejectionCount,
        r#"select wanted, reason, sum(times)::bigint as "times!" from rejection_count
           where concert_schedule_id = $1 group by wanted, reason
           order by sum(times) desc, wanted, reason"#,
        schedule.0
    );
    Ok(refusals.fetch_all(tx.conn()).await?)
}

/// Finds the times of the first and the last event of the sale; `None` if there was no event.
pub async fn span(
    tx: &mut Tx,
    schedule: ScheduleId,
) -> Result<Option<(DateTime<Utc>, DateTime<Utc>)>, StoreError> {
    let row = sqlx::query!(
        r#"select min(first) as first, max(last) as last from (
             select min(created_at) as first, max(greatest(created_at, entered_at)) as last
               from queue where concert_schedule_id = $1
             union all
             select min(payment_at), max(greatest(payment_at, refunded_at))
               from payment p join reservation r on r.id = p.reservation_id
               where r.concert_schedule_id = $1
             union all
             select min(since), max(since) from rejection_count where concert_schedule_id = $1) as all_"#,
        schedule.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(row.first.zip(row.last))
}

/// Counts events per interval. Intervals begin at multiples of `interval_seconds` since 1970.
pub async fn course(
    tx: &mut Tx,
    schedule: ScheduleId,
    interval_seconds: i64,
) -> Result<Vec<Part>, StoreError> {
    let parts = sqlx::query_as!(
        Part,
        r#"select date_bin(make_interval(secs => $2), at, 'epoch') as "since!",
                  sum(joined)::bigint as "joined!", sum(admitted)::bigint as "admitted!",
                  sum(sold)::bigint as "sold!", sum(paid)::bigint as "paid!",
                  sum(refunded)::bigint as "refunded!", sum(rejections)::bigint as "rejections!",
                  sum(rejections)::bigint as "turned_away!"
           from (
             select created_at as at, 1 as joined, 0 as admitted, 0 as sold, 0::bigint as paid,
                    0 as refunded, 0::bigint as rejections
               from queue where concert_schedule_id = $1
             union all
             select entered_at, 0, 1, 0, 0, 0, 0
               from queue where concert_schedule_id = $1 and entered_at is not null
             union all
             select payment_at, 0, 0, 1, p.amount, 0, 0
               from payment p join reservation r on r.id = p.reservation_id
               where r.concert_schedule_id = $1
             union all
             select refunded_at, 0, 0, 0, 0, 1, 0
               from payment p join reservation r on r.id = p.reservation_id
               where r.concert_schedule_id = $1 and refunded_at is not null
             union all
             select since, 0, 0, 0, 0, 0, times from rejection_count where concert_schedule_id = $1
           ) as happened group by 1 order by 1"#,
        schedule.0,
        f64::from(i32::try_from(interval_seconds).unwrap_or(i32::MAX))
    );
    Ok(parts.fetch_all(tx.conn()).await?)
}

/// Adds rejections to the counts of the current ten seconds. Unknown schedules are ignored.
pub async fn write_rejections(pg: &Pg, counted: &[(Rejection, u64)]) -> Result<(), StoreError> {
    // Two processes may write the same rows. Writing them in one order prevents a deadlock.
    let mut counted = counted.to_vec();
    counted.sort_unstable();
    let schedules: Vec<i64> = counted.iter().map(|(refusal, _)| refusal.schedule).collect();
    let wanted: Vec<String> = counted.iter().map(|(it, _)| it.wanted.to_owned()).collect();
    let reasons: Vec<String> = counted.iter().map(|(it, _)| it.reason.to_owned()).collect();
    let times: Vec<i64> = counted.iter().map(|(_, times)| times.cast_signed()).collect();
    sqlx::query!(
        "insert into rejection_count (concert_schedule_id, wanted, reason, since, times)
         select s.id, t.wanted, t.reason,
                date_bin('10 seconds', clock_timestamp(), 'epoch'), t.times
         from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[])
              with ordinality as t (schedule, wanted, reason, times, n)
         join concert_schedule s on s.id = t.schedule order by t.n
         on conflict (concert_schedule_id, wanted, reason, since)
         do update set times = rejection_count.times + excluded.times",
        &schedules,
        &wanted,
        &reasons,
        &times
    )
    .execute(pg.pool())
    .await?;
    Ok(())
}
