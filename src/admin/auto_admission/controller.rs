//! Checks the automatic rates, in one process at a time.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use onsale_model::auto_rate::{AutoFlow, AutoReading, AutoReason, AutoStep, MIN_ANSWERS};

use super::model::{self, Checked, Measured};
use super::pg;
use crate::admin::service::append_settings_changed;
use crate::admin::stats::answers::{self, Purchases, Window};
use crate::concert::model::{AdmissionMode, Schedule};
use crate::concert::service::{Catalogue, CatalogueError};
use crate::queue::keyspaces::Keyspaces;
use crate::store::id::ScheduleId;
use crate::store::pg::{Pg, clock};
use crate::store::{StoreError, process_figures};

/// Time between two looks of one process.
pub const EVERY: Duration = Duration::from_secs(2);
/// The rates are checked this long after the last time, by the process that comes first.
const LEASE: Duration = Duration::from_millis(1_800);
/// Longest wait until Redis has a new rate. Otherwise the relay brings it later.
const APPLY_TIMEOUT: Duration = Duration::from_secs(1);
/// Sales that are checked at the same time.
const AT_ONCE: usize = 4;

/// The loop of one process that checks the automatic rates; cheap to clone.
#[derive(Debug, Clone)]
pub struct RateController {
    pg: Pg,
    catalogue: Catalogue,
    keyspaces: Keyspaces,
}

/// What a check begins with.
#[derive(Debug, Clone, Copy)]
struct Turn {
    purchases: Purchases,
    now: DateTime<Utc>,
}

impl RateController {
    /// Puts the loop together.
    #[must_use]
    pub fn new(pg: Pg, catalogue: &Catalogue, keyspaces: Keyspaces) -> Self {
        Self { pg, catalogue: catalogue.with_drafts(), keyspaces }
    }

    /// Checks the rate of each sale with an automatic one, unless another process has just done so.
    /// Always returns false: the next check is due in two seconds.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if a store does not answer. The rates stay as they are.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let schedules = pg::schedules(&self.pg).await?;
        if !schedules.is_empty() && pg::take_turn(&self.pg, LEASE).await? {
            self.check_all(schedules).await?;
        }
        Ok(false)
    }

    async fn check_all(&self, schedules: Vec<ScheduleId>) -> Result<(), StoreError> {
        let windows: Vec<Window> = process_figures::list(self.keyspaces.redis()).await?;
        let purchases = answers::purchases(&windows);
        let turn = Turn { purchases, now: clock(self.pg.pool()).await? };
        let checks = schedules.into_iter().map(|schedule| self.check(schedule, turn));
        let results: Vec<_> = stream::iter(checks).buffer_unordered(AT_ONCE).collect().await;
        results.into_iter().collect()
    }

    /// Checks the rate of one sale, and puts a new one in force.
    async fn check(&self, schedule: ScheduleId, turn: Turn) -> Result<(), StoreError> {
        let schedule = match self.catalogue.schedule(schedule).await {
            Ok(schedule) => schedule,
            Err(CatalogueError::Store(error)) => return Err(error),
            // It was removed.
            Err(_) => return Ok(()),
        };
        if schedule.settings.admission_mode == AdmissionMode::Fixed {
            return Ok(());
        }
        let old = pg::checked(&self.pg, schedule.id).await?;
        let flow = model::flow(&pg::readings(&self.pg, schedule.id).await?, turn.now);
        let step = match &old {
            Some(old) => {
                let state = model::state(old, turn.now);
                schedule.settings.auto_rules().next(&state, &reading(turn.purchases, flow))
            }
            None => AutoStep { rate: schedule.admission_rate(), reason: AutoReason::Started },
        };
        let new = model::after(old.as_ref(), step, measured(turn.purchases, flow), turn.now);
        if new.rate == schedule.admission_rate() {
            return pg::write(self.pg.writes(), &schedule, &new, schedule.settings_version).await;
        }
        self.change(&schedule, &new).await
    }

    /// Puts a new rate in force as a change of settings: written with its outbox entry in one
    /// transaction, and then brought to Redis.
    async fn change(&self, schedule: &Schedule, new: &Checked) -> Result<(), StoreError> {
        let id = schedule.id;
        let mut tx = self.pg.begin("change_admission_rate").await?;
        let Some(version) = pg::raise_version(&mut tx, schedule).await? else {
            // An operator, or another process, was first. The next check decides anew.
            return Ok(());
        };
        pg::write(tx.conn(), schedule, new, version).await?;
        let entry = append_settings_changed(&mut tx, id).await?;
        tx.commit().await?;
        let (rate, before) = (new.rate, schedule.admission_rate());
        let reason = new.change_reason.as_str();
        tracing::info!(schedule = %id, rate, before, reason, "changed the automatic admission rate");
        self.catalogue.invalidate(id);
        let delivery = self.keyspaces.deliver_settings(&entry);
        if tokio::time::timeout(APPLY_TIMEOUT, delivery).await.is_err() {
            tracing::warn!(schedule = %id, "applying the admission rate in Redis timed out");
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of ten seconds are far below 2^52")]
fn reading(purchases: Purchases, flow: Option<AutoFlow>) -> AutoReading {
    AutoReading {
        answers: purchases.answers as f64,
        p99_ms: purchases.p99_ms.unwrap_or(0.0),
        errors: purchases.errors as f64,
        flow,
    }
}

/// What the row shows of a reading.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "figures for people need no more digits"
)]
fn measured(purchases: Purchases, flow: Option<AutoFlow>) -> Measured {
    let reading = reading(purchases, flow);
    let is_known = reading.answers >= MIN_ANSWERS;
    let percent = |part: f64, all: f64| (100.0 * part / all.max(1.0)) as f32;
    Measured {
        answers: reading.answers as f32,
        p99_ms: is_known.then_some(reading.p99_ms as f32),
        error_percent: is_known.then(|| percent(reading.errors, reading.answers)),
        slots_percent: flow.map(|flow| percent(flow.active as f64, flow.capacity as f64)),
    }
}
