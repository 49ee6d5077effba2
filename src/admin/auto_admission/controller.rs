//! Checks the automatic rates, in one process at a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use onsale_model::auto_rate::{AutoFlow, AutoReading, AutoReason, AutoStep, MIN_ANSWERS};

use super::model::{self, Checked, Measured};
use super::pg;
use crate::admin::service::append_settings_changed;
use crate::admin::stats::answers::{self, Purchases, Window};
use crate::concert::model::{AdmissionMode, Schedule};
use crate::concert::service::{Catalogue, CatalogueError};
use crate::queue::keyspaces::Keyspaces;
use crate::store::id::ScheduleId;
use crate::store::pg::{Pg, Tx, clock};
use crate::store::{StoreError, process_figures};

/// Time between two looks of one process.
pub const EVERY: Duration = Duration::from_secs(2);
/// The rates are checked this long after the last time, by the process that comes first.
const LEASE: Duration = Duration::from_millis(1_800);
/// Longest wait until Redis has a new rate. Otherwise the relay brings it later.
const APPLY_TIMEOUT: Duration = Duration::from_secs(1);

/// The loop of one process that checks the automatic rates; cheap to clone.
#[derive(Debug, Clone)]
pub struct RateController {
    pg: Pg,
    catalogue: Catalogue,
    keyspaces: Keyspaces,
    /// The schedules with an automatic rate, when they were read last.
    last: Arc<Mutex<Vec<ScheduleId>>>,
}

impl RateController {
    /// Puts the loop together.
    #[must_use]
    pub fn new(pg: Pg, catalogue: &Catalogue, keyspaces: Keyspaces) -> Self {
        Self { pg, catalogue: catalogue.with_drafts(), keyspaces, last: Arc::default() }
    }

    /// Checks the rate of each sale with an automatic one, unless another process has just done so.
    /// Always returns false: the next check is due in two seconds.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if a store does not answer. The rates stay as they are.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let schedules = self.schedules().await?;
        if schedules.is_empty() || !pg::take_turn(&self.pg, LEASE).await? {
            return Ok(false);
        }
        let windows: Vec<Window> = process_figures::list(self.keyspaces.redis()).await?;
        let purchases = answers::purchases(&windows);
        let mut result = Ok(false);
        for schedule in schedules {
            if let Err(error) = self.check(schedule, purchases).await {
                result = Err(error);
            }
        }
        result
    }

    /// The schedules with an automatic rate. If PostgreSQL has no connection for this, those of the
    /// last time: their rates may be what loads it.
    async fn schedules(&self) -> Result<Vec<ScheduleId>, StoreError> {
        let found = pg::schedules(&self.pg).await;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match found {
            Ok(schedules) => last.clone_from(&schedules),
            Err(error) if last.is_empty() => return Err(error),
            Err(_) => {}
        }
        Ok(last.clone())
    }

    /// Checks the rate of one sale, and puts a new one in force. It uses one connection: while
    /// PostgreSQL is overloaded, each further one may not be had in time.
    async fn check(&self, schedule: ScheduleId, purchases: Purchases) -> Result<(), StoreError> {
        let schedule = match self.catalogue.schedule(schedule).await {
            Ok(schedule) => schedule,
            Err(CatalogueError::Store(error)) => return Err(error),
            // It was removed.
            Err(_) => return Ok(()),
        };
        if schedule.settings.admission_mode == AdmissionMode::Fixed {
            return Ok(());
        }
        let mut tx = self.pg.begin("check_admission_rate").await?;
        let now = clock(tx.conn()).await?;
        let old = pg::checked(tx.conn(), schedule.id).await?;
        let flow = model::flow(&pg::readings(tx.conn(), schedule.id).await?, now);
        let step = match &old {
            Some(old) => {
                let state = model::state(old, now);
                schedule.settings.auto_rules().next(&state, &reading(purchases, flow))
            }
            None => AutoStep { rate: schedule.admission_rate(), reason: AutoReason::Started },
        };
        let new = model::after(old.as_ref(), step, measured(purchases, flow), now);
        if new.rate == schedule.admission_rate() {
            pg::write(tx.conn(), &schedule, &new, schedule.settings_version).await?;
            return tx.commit().await;
        }
        self.change(tx, &schedule, &new).await
    }

    /// Puts a new rate in force as a change of settings: written with its outbox entry in one
    /// transaction, and then brought to Redis.
    async fn change(
        &self,
        mut tx: Tx,
        schedule: &Schedule,
        new: &Checked,
    ) -> Result<(), StoreError> {
        let id = schedule.id;
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
