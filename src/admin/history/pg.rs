//! The SQL of the history.

pub mod changes;
pub mod read;

use std::time::Duration;

use serde_json::{Value, json};

use super::sample::{Sample, SoldSizes};
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;

/// Over how many seconds the rate of sales is measured.
const RATE_SECONDS: i32 = 300;
/// The shortest time over which it is measured.
const LEAST_RATE_SECONDS: f64 = 20.0;

/// Whether this process writes the next reading: none has taken a turn for `lease`.
pub async fn take_turn(pg: &Pg, lease: Duration) -> Result<bool, StoreError> {
    let taken = sqlx::query!(
        "update sale_sample_progress set done_until = clock_timestamp()
          where step = 1 and done_until < clock_timestamp() - make_interval(secs => $1)",
        lease.as_secs_f64()
    );
    Ok(taken.execute(pg.writes()).await?.rows_affected() == 1)
}

/// Writes readings, at PostgreSQL's clock.
pub async fn write<'a>(
    pg: &Pg,
    samples: impl Iterator<Item = (ScheduleId, &'a Sample)>,
) -> Result<(), StoreError> {
    let row = |(schedule, sample): (ScheduleId, &Sample)| -> Result<Value, serde_json::Error> {
        let mut row = serde_json::to_value(sample)?;
        row["concert_schedule_id"] = json!(schedule.0);
        Ok(row)
    };
    let rows: Result<Vec<Value>, serde_json::Error> = samples.map(row).collect();
    let rows = rows.map_err(|error| StoreError::Inconsistent(format!("a reading: {error}")))?;
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into sale_sample (concert_schedule_id, step, at, counted_at, stands, phase, recovering,
                drawing, epoch, waiting, active, parked, held, capacity, rate, joined, admitted, expired, sold,
                revenue, refused, failed, processes, join_ms, poll_ms, hold_ms, pay_ms, redis_ms,
                pool_ms, errors, limited)
         select concert_schedule_id, step, now, now, stands, phase, recovering, drawing, epoch,
                waiting, active, parked, held, capacity, rate, joined, admitted, expired, sold,
                revenue, refused, failed, processes, join_ms, poll_ms, hold_ms, pay_ms, redis_ms,
                pool_ms, errors, limited
           from jsonb_populate_recordset(null::sale_sample, $1) r,
                (select clock_timestamp() as now) c
          where exists (select from concert_schedule s where s.id = r.concert_schedule_id)
         on conflict do nothing",
        Value::Array(rows)
    )
    .execute(pg.writes())
    .await?;
    Ok(())
}

/// What PostgreSQL counts of a sale.
pub async fn sold(pg: &Pg, schedule: ScheduleId) -> Result<SoldSizes, StoreError> {
    let sold = sqlx::query_as!(
        SoldSizes,
        r#"select (select coalesce(sum(amount), 0)::bigint from reservation
                    where concert_schedule_id = $1 and status || '' = 'COMPLETE') as "revenue!",
                  coalesce(sum(times), 0)::bigint as "refused!",
                  coalesce(sum(times) filter (where reason in ('store_unavailable',
                    'internal_error', 'rate_limited')), 0)::bigint as "failed!"
             from rejection_count where concert_schedule_id = $1 and wanted <> 'pay'"#,
        schedule.0
    );
    Ok(sold.fetch_one(pg.pool()).await?)
}

/// Seats sold per second in the last five minutes, or since the first reading in that time, and over
/// how many seconds that was measured. `None` without readings of 20 s.
pub async fn sales_rate(pg: &Pg, schedule: ScheduleId) -> Result<Option<(f64, u64)>, StoreError> {
    let row = sqlx::query!(
        r#"with ends as materialized (
             (select at, sold from sale_sample
               where concert_schedule_id = $1 and step = 1 and phase = 'OPEN' and sold is not null
                 and at > clock_timestamp() - make_interval(secs => $2)
               order by at limit 1)
             union all
             (select at, sold from sale_sample
               where concert_schedule_id = $1 and step = 1 and sold is not null
                 and at > clock_timestamp() - interval '30 s'
               order by at desc limit 1))
           select (max(sold) - min(sold))::float8 as sold,
                  extract(epoch from max(at) - min(at))::float8 as seconds from ends"#,
        schedule.0,
        f64::from(RATE_SECONDS)
    )
    .fetch_one(pg.pool())
    .await?;
    let ends = row.sold.zip(row.seconds).filter(|(_, seconds)| *seconds >= LEAST_RATE_SECONDS);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "seconds are positive and few"
    )]
    Ok(ends.map(|(sold, seconds)| (sold / seconds, seconds.round() as u64)))
}

/// Makes the buckets of `to` seconds that are complete from the samples of `from` seconds, at most
/// `most` per sale; true if there may be more. Which buckets are made is recorded with them, so each
/// is made once. A reading is committed seconds after its time at the latest.
pub async fn roll_up(pg: &Pg, from: i16, to: i16, most: f64) -> Result<bool, StoreError> {
    let done = sqlx::query_scalar!(
        r#"with taken as materialized (
             select p.done_until as since, least(
                      date_bin(make_interval(secs => $2::int2::float8),
                               least(clock_timestamp() - interval '15 s', s.done_until), 'epoch'),
                      p.done_until + make_interval(secs => $2::int2 * $3::float8)) as until
               from sale_sample_progress p, sale_sample_progress s
              where p.step = $2 and s.step = $1 and s.done_until > p.done_until
                for update of p skip locked),
           made as (
             insert into sale_sample (concert_schedule_id, step, at, counted_at, stands, phase,
                    recovering, drawing, epoch, waiting, active, parked, held, capacity, rate, joined, admitted,
                    expired, sold, revenue, refused, failed, processes, join_ms, poll_ms, hold_ms,
                    pay_ms, redis_ms, pool_ms, errors, limited)
             select concert_schedule_id, $2,
                    date_bin(make_interval(secs => $2::int2::float8), at, 'epoch') as bucket,
                    max(counted_at), $2, (array_agg(phase order by at desc))[1],
                    bool_or(recovering), bool_or(drawing), max(epoch),
                    avg(waiting), avg(active), avg(parked), avg(held),
                    (array_agg(capacity order by at desc) filter (where capacity is not null))[1],
                    (array_agg(rate order by at desc) filter (where rate is not null))[1],
                    max(joined),
                    (array_agg(admitted order by at desc) filter (where admitted is not null))[1],
                    (array_agg(expired order by at desc) filter (where expired is not null))[1],
                    (array_agg(sold order by at desc) filter (where sold is not null))[1],
                    (array_agg(revenue order by at desc) filter (where revenue is not null))[1],
                    max(refused), max(failed), max(processes), max(join_ms), max(poll_ms),
                    max(hold_ms), max(pay_ms), max(redis_ms), max(pool_ms), avg(errors), avg(limited)
               from taken t, lateral (
                    select * from sale_sample
                     where step = $1 and at >= t.since and at < t.until) s
              group by concert_schedule_id, bucket
             on conflict do nothing),
           noted as (
             update sale_sample_progress p set done_until = t.until from taken t
              where p.step = $2 and t.until > t.since
             returning t.until - t.since >= make_interval(secs => $2::int2 * $3::float8) as is_full)
           select is_full as "is_full!" from noted"#,
        from,
        to,
        most
    )
    .fetch_optional(pg.writes())
    .await?;
    Ok(done.unwrap_or(false))
}

/// Deletes up to `limit` samples of a step that are older than `age` and part of the buckets of
/// `next` seconds; true if there may be more.
pub async fn purge(
    pg: &Pg,
    step: i16,
    next: i16,
    age: Duration,
    limit: i64,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "delete from sale_sample where ctid = any (array(
           select ctid from sale_sample
            where step = $1 and at < (select least(done_until,
                                        clock_timestamp() - make_interval(secs => $3))
                                        from sale_sample_progress where step = $2)
            order by at limit $4))",
        step,
        next,
        age.as_secs_f64(),
        limit
    )
    .execute(pg.writes())
    .await?;
    Ok(done.rows_affected() == limit.unsigned_abs())
}
