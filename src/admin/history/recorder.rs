//! Writes one reading of each sale per second, in one process at a time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use futures_util::{StreamExt, stream};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::pg;
use super::redis::{self, SaleSeen};
use super::sample::{IDLE_STANDS, LoadSizes, STANDS, SaleSizes, Sample};
use crate::admin::stats::answers::{self, Answers, Call, Window};
use crate::board::meta::{Drawn, Meta};
use crate::concert::model::{Phase, SaleState};
use crate::queue::keyspaces::Keyspaces;
use crate::queue::live_schedules::LiveSchedules;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;
use crate::store::{StoreError, process_figures};
use crate::telemetry::Metrics;

/// A reading is written this long after the last one, by whichever process comes first.
const LEASE: Duration = Duration::from_millis(900);
/// A sale in which nothing happens is written this seldom.
const IDLE_EVERY: Duration = Duration::from_secs(10);
/// What PostgreSQL counts is read again after this long.
const SOLD_EVERY: Duration = Duration::from_secs(5);
/// Recording begins this long before the opening, or with the first join, and ends this long after
/// the deadline (ms).
const BEFORE_OPENING_MS: i64 = 600_000;
const AFTER_DEADLINE_MS: i64 = 600_000;
/// Sales that are read at the same time.
const AT_ONCE: usize = 16;

/// The loop of one process that writes the history; cheap to clone.
#[derive(Debug, Clone)]
pub struct Recorder {
    pg: Pg,
    keyspaces: Keyspaces,
    live: LiveSchedules,
    answers: Arc<Answers>,
    /// Id of this process among the figures.
    process: Uuid,
    last: Arc<Mutex<HashMap<ScheduleId, Last>>>,
}

/// What this process wrote last of a sale. It only saves work: another process goes on without it.
#[derive(Debug, Clone)]
struct Last {
    sample: Sample,
    written: Instant,
    sold_read: Instant,
}

impl Recorder {
    /// Puts the loop together. `metrics` counts the answers of this process.
    #[must_use]
    pub fn new(pg: Pg, keyspaces: Keyspaces, live: LiveSchedules, metrics: Metrics) -> Self {
        let answers = Arc::new(Answers::new(metrics));
        Self { pg, keyspaces, live, answers, process: Uuid::now_v7(), last: Arc::default() }
    }

    /// Writes the figures of this process, and then a reading of each sale, unless another process
    /// has just done so. Always returns false: the next reading is due in a second.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let schedules = self.live.schedules().await;
        if schedules.is_empty() {
            return Ok(false);
        }
        if let Some(window) = self.answers.recent(Instant::now()) {
            process_figures::write(self.keyspaces.redis(), self.process, &window).await?;
        }
        if pg::take_turn(&self.pg, LEASE).await? {
            self.record(&schedules).await?;
        }
        Ok(false)
    }

    /// Writes a reading of each of these sales.
    pub async fn record(&self, schedules: &[ScheduleId]) -> Result<(), StoreError> {
        let windows: Vec<Window> = process_figures::list(self.keyspaces.redis()).await?;
        let load = load_sizes(&windows);
        let mut last = self.last.lock().await;
        last.retain(|schedule, _| schedules.contains(schedule));
        let tasks: Vec<_> =
            schedules.iter().map(|schedule| (*schedule, last.get(schedule).cloned())).collect();
        let read = |(schedule, before): (ScheduleId, Option<Last>)| async move {
            (schedule, self.read(schedule, load, before.as_ref()).await)
        };
        let found: Vec<_> = stream::iter(tasks).map(read).buffer_unordered(AT_ONCE).collect().await;
        let mut new = Vec::new();
        for (schedule, read) in found {
            match read {
                Ok(Some(reading)) => new.push((schedule, reading)),
                Ok(None) => {}
                Err(error) => tracing::debug!(%schedule, %error, "a sale was not recorded"),
            }
        }
        pg::write(&self.pg, new.iter().map(|(id, last)| (*id, &last.sample))).await?;
        last.extend(new);
        Ok(())
    }

    /// Reads a sale; `None` if there is nothing to write.
    async fn read(
        &self,
        schedule: ScheduleId,
        load: LoadSizes,
        before: Option<&Last>,
    ) -> Result<Option<Last>, StoreError> {
        let seen = redis::read_sale(self.keyspaces.redis(), schedule).await?;
        let Some(mut sample) = reading(&seen, before.map(|last| &last.sample), load) else {
            return Ok(None);
        };
        let now = Instant::now();
        let (sold_read, known) =
            before.map_or((now, None), |last| (last.sold_read, last.sample.sold));
        let is_same = before.is_some_and(|last| last.sample.sale == sample.sale);
        let every = if is_same { IDLE_EVERY } else { SOLD_EVERY };
        let is_due = known.is_none() || now.saturating_duration_since(sold_read) >= every;
        let sold_read = if is_due { now } else { sold_read };
        sample.sold = if is_due { Some(pg::sold(&self.pg, schedule).await?) } else { known };
        if let Some(last) = before.filter(|last| sample.is_idle_since(&last.sample)) {
            sample.stands = IDLE_STANDS;
            // The first reading of a quiet time says how long it stands.
            let is_first = last.sample.stands == STANDS;
            if !is_first && now.saturating_duration_since(last.written) < IDLE_EVERY {
                return Ok(None);
            }
        }
        Ok(Some(Last { sample, written: now, sold_read }))
    }
}

/// The reading of a sale; `None` outside of the time that is recorded.
fn reading(seen: &SaleSeen, before: Option<&Sample>, load: LoadSizes) -> Option<Sample> {
    let (meta, now) = (&seen.meta, seen.now_ms);
    let at = Utc::now();
    let sample = |phase, recovering, sale| Sample {
        at,
        counted_at: at,
        step: 1,
        stands: STANDS,
        phase,
        recovering,
        drawing: meta.draw == Drawn::Pending,
        sale,
        sold: None,
        load,
    };
    if meta.epoch == 0 || meta.loading {
        // The phase is known from before the loss.
        return before.map(|before| sample(before.phase, true, None));
    }
    let is_early = meta.joined == 0 && now < meta.opens_ms - BEFORE_OPENING_MS;
    if is_early || now > meta.deadline_ms + AFTER_DEADLINE_MS {
        return None;
    }
    Some(sample(phase(meta, now), meta.pause_until_ms > now, Some(sale_sizes(seen))))
}

fn phase(meta: &Meta, now_ms: i64) -> Phase {
    let Meta { opens_ms, deadline_ms, paused, gone, seats_total: seats, .. } = *meta;
    SaleState { opens_ms, deadline_ms, paused, gone, seats }.phase(now_ms)
}

fn sale_sizes(seen: &SaleSeen) -> SaleSizes {
    let (meta, small) = (&seen.meta, |size: u64| i32::try_from(size).unwrap_or(i32::MAX));
    SaleSizes {
        epoch: meta.epoch.cast_signed(),
        waiting: small(meta.waiting + meta.returned),
        active: small(meta.active),
        parked: small(meta.parked),
        held: small(seen.held),
        capacity: small(meta.capacity),
        rate: small(meta.rate),
        joined: meta.joined.cast_signed(),
        admitted: meta.admitted.cast_signed(),
        expired: meta.expired.cast_signed(),
        sold: small(meta.gone.saturating_sub(meta.blocked).into()),
    }
}

/// The figures of all processes together.
fn load_sizes(windows: &[Window]) -> LoadSizes {
    #[expect(clippy::cast_possible_truncation, reason = "a chart needs no more digits")]
    let short = |value: f64| value as f32;
    let answered = answers::figures(windows);
    let p99 = |call: Call| answered[call as usize].p99_ms.map(short);
    let sum = |rate: fn(&answers::Answered) -> Option<f64>| {
        let known: Vec<f64> = answered.iter().filter_map(rate).collect();
        (!known.is_empty()).then(|| short(known.iter().sum()))
    };
    let [redis, pool] = answers::store_figures(windows);
    LoadSizes {
        processes: i16::try_from(windows.len()).ok(),
        join_ms: p99(Call::Join),
        poll_ms: p99(Call::Poll),
        hold_ms: p99(Call::Hold),
        pay_ms: p99(Call::Pay),
        redis_ms: redis.map(short),
        pool_ms: pool.map(short),
        errors: sum(|answers| answers.errors_per_second),
        limited: sum(|answers| answers.limited_per_second),
    }
}
