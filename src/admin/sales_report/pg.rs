//! The SQL of the sales report. All reads share one snapshot, so that the figures agree.

pub mod pages;
pub mod stored;

use chrono::{DateTime, Utc};

use super::model::{PaymentRefusals, RejectionCount, SectionReport};
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::{Pg, Tx};
use crate::telemetry::rejections::Rejection;

/// Opens the snapshot; traces show it under `name`.
pub async fn snapshot(pg: &Pg, name: &'static str) -> Result<Tx, StoreError> {
    let mut tx = pg.begin_read(name).await?;
    sqlx::query!("set transaction isolation level repeatable read, read only")
        .execute(tx.conn())
        .await?;
    Ok(tx)
}

/// Counts the seats of a schedule, and those that are blocked.
pub async fn seats(tx: &mut Tx, schedule: ScheduleId) -> Result<(i64, i64), StoreError> {
    let row = sqlx::query!(
        r#"select count(*) as "seats!", count(*) filter (where blocked) as "blocked!"
           from seat where concert_schedule_id = $1"#,
        schedule.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.seats, row.blocked))
}

/// Counts seats and sums payments by section.
pub async fn sections(tx: &mut Tx, schedule: ScheduleId) -> Result<Vec<SectionReport>, StoreError> {
    let sections = sqlx::query_as!(
        SectionReport,
        r#"select s.section, count(*) as "seats!", count(*) filter (where s.blocked) as "blocked!",
                  count(r.id) filter (where not r.guest) as "sold!",
                  count(r.id) filter (where r.guest) as "guests!", coalesce(sum(r.amount), 0)::bigint as "revenue!"
           from seat s
           left join lateral (select id, amount, guest from reservation
                              where seat_id = s.id and status = 'COMPLETE' limit 1) r on true
           where s.concert_schedule_id = $1 group by s.section order by min(s.seat_number)"#,
        schedule.0
    );
    Ok(sections.fetch_all(tx.conn()).await?)
}

/// Counts rejected joins and holds by reason.
pub async fn rejections(
    tx: &mut Tx,
    schedule: ScheduleId,
) -> Result<Vec<RejectionCount>, StoreError> {
    let refusals = sqlx::query_as!(
        RejectionCount,
        r#"select wanted, reason, sum(times)::bigint as "times!" from rejection_count
           where concert_schedule_id = $1 and wanted <> 'pay' group by wanted, reason
           order by sum(times) desc, wanted, reason"#,
        schedule.0
    );
    Ok(refusals.fetch_all(tx.conn()).await?)
}

/// Counts refused payments by reason.
pub async fn refused_payments(
    tx: &mut Tx,
    schedule: ScheduleId,
) -> Result<Vec<PaymentRefusals>, StoreError> {
    let refusals = sqlx::query_as!(
        PaymentRefusals,
        r#"select reason, sum(times)::bigint as "times!" from rejection_count
           where concert_schedule_id = $1 and wanted = 'pay' group by reason
           order by sum(times) desc, reason"#,
        schedule.0
    );
    Ok(refusals.fetch_all(tx.conn()).await?)
}

/// Whether capacity or rate had different values in a time, by the history in minutes.
pub async fn settings_changed(
    tx: &mut Tx,
    schedule: ScheduleId,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<bool, StoreError> {
    let changed = sqlx::query_scalar!(
        r#"select coalesce(min(capacity) <> max(capacity) or min(rate) <> max(rate), false)
             as "changed!"
           from sale_sample where concert_schedule_id = $1 and step = 60 and at between $2 and $3"#,
        schedule.0,
        from,
        to
    );
    Ok(changed.fetch_one(tx.conn()).await?)
}

/// Counts rejected joins and holds per interval of ten seconds.
pub async fn rejections_over_time(
    tx: &mut Tx,
    schedule: ScheduleId,
) -> Result<Vec<(DateTime<Utc>, i64)>, StoreError> {
    let rows = sqlx::query!(
        r#"select since, sum(times)::bigint as "times!" from rejection_count
           where concert_schedule_id = $1 and wanted <> 'pay' group by since order by since"#,
        schedule.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.since, row.times)).collect())
}

/// Adds rejections to the counts of the current ten seconds. Unknown schedules are ignored.
///
/// # Errors
/// [`StoreError::OutcomeUnknown`] if they may be counted later.
pub async fn write_rejections(pg: &Pg, counted: &[(Rejection, u64)]) -> Result<(), StoreError> {
    // Two processes may write the same rows. Writing them in one order prevents a deadlock.
    let mut counted = counted.to_vec();
    counted.sort_unstable();
    let schedules: Vec<i64> = counted.iter().map(|(refusal, _)| refusal.schedule).collect();
    let wanted: Vec<String> = counted.iter().map(|(it, _)| it.wanted.to_owned()).collect();
    let reasons: Vec<String> = counted.iter().map(|(it, _)| it.reason.to_owned()).collect();
    let times: Vec<i64> = counted.iter().map(|(_, times)| times.cast_signed()).collect();
    let mut tx = pg.begin("write_rejections").await?;
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
    .execute(tx.conn())
    .await?;
    tx.commit().await
}
