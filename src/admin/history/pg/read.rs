//! The SQL that reads the history.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::admin::history::sample::{LoadSizes, SaleSizes, Sample, SoldSizes};
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::{Pg, Tx};

/// How far the history is rolled up.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// End of the last bucket of 10 s.
    pub tens: DateTime<Utc>,
    /// End of the last bucket of a minute.
    pub minutes: DateTime<Utc>,
    /// PostgreSQL's clock.
    pub now: DateTime<Utc>,
}

/// A row of `sale_sample`.
struct Row {
    concert_schedule_id: i64,
    step: i16,
    at: DateTime<Utc>,
    counted_at: DateTime<Utc>,
    stands: i16,
    phase: String,
    recovering: bool,
    drawing: bool,
    epoch: Option<i64>,
    waiting: Option<i32>,
    active: Option<i32>,
    parked: Option<i32>,
    held: Option<i32>,
    capacity: Option<i32>,
    rate: Option<i32>,
    joined: Option<i64>,
    admitted: Option<i64>,
    expired: Option<i64>,
    sold: Option<i32>,
    revenue: Option<i64>,
    refused: Option<i64>,
    failed: Option<i64>,
    processes: Option<i16>,
    join_ms: Option<f32>,
    poll_ms: Option<f32>,
    hold_ms: Option<f32>,
    pay_ms: Option<f32>,
    redis_ms: Option<f32>,
    pool_ms: Option<f32>,
    errors: Option<f32>,
    limited: Option<f32>,
}

/// Reads how far the history is rolled up.
pub async fn progress(pg: &Pg) -> Result<Progress, StoreError> {
    let progress = sqlx::query_as!(
        Progress,
        r#"select (select done_until from sale_sample_progress where step = 10) as "tens!",
                  (select done_until from sale_sample_progress where step = 60) as "minutes!",
                  clock_timestamp() as "now!""#
    );
    Ok(progress.fetch_one(pg.pool()).await?)
}

/// The samples of one step of a sale in a time, in order.
pub async fn samples(
    pg: &Pg,
    schedule: ScheduleId,
    step: i16,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<Sample>, StoreError> {
    if from >= until {
        return Ok(Vec::new());
    }
    let rows = sqlx::query_as!(
        Row,
        "select concert_schedule_id, step, at, counted_at, stands, phase, recovering, drawing, epoch,
                waiting, active, parked, held, capacity, rate, joined, admitted, expired, sold, revenue,
                refused, failed, processes, join_ms, poll_ms, hold_ms, pay_ms, redis_ms, pool_ms,
                errors, limited
           from sale_sample
          where concert_schedule_id = $1 and step = $2 and at >= $3 and at < $4 order by at",
        schedule.0,
        step,
        from,
        until
    );
    rows.fetch_all(pg.pool()).await?.into_iter().map(Sample::try_from).collect()
}

/// The readings of all sales in the last `seconds`, by sale and time.
pub async fn recent(tx: &mut Tx, seconds: f64) -> Result<Vec<(ScheduleId, Sample)>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "select concert_schedule_id, step, at, counted_at, stands, phase, recovering, drawing, epoch,
                waiting, active, parked, held, capacity, rate, joined, admitted, expired, sold, revenue,
                refused, failed, processes, join_ms, poll_ms, hold_ms, pay_ms, redis_ms, pool_ms,
                errors, limited
           from sale_sample
          where step = 1 and at > (select clock_timestamp() - make_interval(secs => $1))
          order by concert_schedule_id, at",
        seconds
    );
    let sample = |row: Row| -> Result<(ScheduleId, Sample), StoreError> {
        Ok((ScheduleId(row.concert_schedule_id), Sample::try_from(row)?))
    };
    rows.fetch_all(tx.conn()).await?.into_iter().map(sample).collect()
}

impl TryFrom<Row> for Sample {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let unknown = |error| StoreError::Inconsistent(format!("the phase of a reading: {error}"));
        Ok(Self {
            at: row.at,
            counted_at: row.counted_at,
            step: row.step,
            stands: row.stands,
            phase: serde_json::from_value(Value::String(row.phase.clone())).map_err(unknown)?,
            recovering: row.recovering,
            drawing: row.drawing,
            sale: row.sale(),
            sold: row.sold_sizes(),
            load: LoadSizes {
                processes: row.processes,
                join_ms: row.join_ms,
                poll_ms: row.poll_ms,
                hold_ms: row.hold_ms,
                pay_ms: row.pay_ms,
                redis_ms: row.redis_ms,
                pool_ms: row.pool_ms,
                errors: row.errors,
                limited: row.limited,
            },
        })
    }
}

impl Row {
    fn sale(&self) -> Option<SaleSizes> {
        Some(SaleSizes {
            epoch: self.epoch?,
            waiting: self.waiting?,
            active: self.active?,
            parked: self.parked?,
            held: self.held?,
            capacity: self.capacity?,
            rate: self.rate?,
            joined: self.joined?,
            admitted: self.admitted?,
            expired: self.expired?,
            sold: self.sold?,
        })
    }

    fn sold_sizes(&self) -> Option<SoldSizes> {
        Some(SoldSizes { revenue: self.revenue?, refused: self.refused?, failed: self.failed? })
    }
}
