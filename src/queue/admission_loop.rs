//! The admission loop: admits entries and sweeps lapsed seats, where there is something to do.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt, stream};

use super::live_schedules::LiveSchedules;
use super::presence_loop::{AT_ONCE, PresenceLoop};
use super::rest::{AFTER_FAILURE, LONGEST, Rest, Rests, Swept};
use crate::board::seats::SeatVersion;
use crate::queue::keyspaces::{Keyspaces, ScheduleScripts};
use crate::queue::model::Admitted;
use crate::queue::sale_figures::SaleFigures;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::script::ScriptError;
use crate::telemetry::Metrics;
use crate::telemetry::schedules::ScheduleFigures;

/// Maximum calls of `queue/admit` per schedule and round.
const CALLS: usize = 20;

/// Removes the lapsed seats of one schedule from the seat map. The seats feature provides it, since
/// this feature must not import it.
pub type SweepSeats =
    fn(ScheduleScripts) -> Pin<Box<dyn Future<Output = Result<Swept, ScriptError>> + Send>>;

/// The admission loop of one process.
#[derive(Debug, Clone)]
pub struct AdmissionLoop {
    keyspaces: Keyspaces,
    presence: PresenceLoop,
    live: LiveSchedules,
    sweep_seats: SweepSeats,
    metrics: Metrics,
    rests: Arc<Rests>,
    /// The error of the last round, if it failed for every schedule.
    failure: Arc<Mutex<Option<StoreError>>>,
}

impl AdmissionLoop {
    /// Puts the loop together.
    #[must_use]
    pub fn new(
        keyspaces: Keyspaces,
        presence: PresenceLoop,
        live: LiveSchedules,
        sweep_seats: SweepSeats,
        metrics: Metrics,
    ) -> Self {
        let (rests, failure) = Default::default();
        Self { keyspaces, presence, live, sweep_seats, metrics, rests, failure }
    }

    /// One round over every live schedule that does not rest.
    ///
    /// # Errors
    /// If admission failed for every schedule of the last round that had any: then nobody is
    /// admitted. Failing schedules rest too, so rounds without any come in between.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let live: HashSet<ScheduleId> = self.live.schedules().await.into_iter().collect();
        self.metrics.schedules().retain(live.len(), |id| live.contains(&ScheduleId(id)));
        let admit = |schedule| async move {
            let error = self.admit(schedule).await.err()?;
            tracing::warn!(%schedule, %error, "admission failed");
            Some(error)
        };
        let due = stream::iter(self.rests.end(&live)).map(admit).buffer_unordered(AT_ONCE);
        let outcomes: Vec<Option<StoreError>> = due.collect().await;
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if !outcomes.is_empty() || live.is_empty() {
            let is_failing = outcomes.iter().all(Option::is_some);
            *failure = outcomes.into_iter().flatten().next().filter(|_| is_failing);
        }
        failure.clone().map_or(Ok(false), Err)
    }

    /// Admits the entries of one schedule for which there are slots, and sweeps its lapsed seats. Then
    /// lets it rest until there is more to do.
    pub async fn admit(&self, schedule: ScheduleId) -> Result<Admitted, StoreError> {
        let activity = self.keyspaces.activity(schedule);
        let rest = Rest::begin(Arc::clone(&activity));
        let admitted = self.admit_and_sweep(schedule).await;
        let rest = if let Ok(admitted) = &admitted {
            activity.note_log(admitted.log_length);
            rest.lasting(admitted.rest)
        } else {
            if self.keyspaces.epoch(schedule) == 0 {
                self.metrics.schedules().set_recovering(schedule.0);
            }
            Rest::begin(activity).lasting(AFTER_FAILURE)
        };
        self.rests.insert(schedule, rest);
        admitted
    }

    async fn admit_and_sweep(&self, schedule: ScheduleId) -> Result<Admitted, StoreError> {
        let mut all = Admitted::default();
        for _ in 0..CALLS {
            let round = self
                .keyspaces
                .run(schedule, |scripts| async move { scripts.admit().await })
                .await?;
            self.metrics.admitted(schedule.0, round.admitted.into());
            all = Admitted {
                admitted: all.admitted + round.admitted,
                parked: all.parked + round.parked,
                expired: all.expired + round.expired,
                ..round
            };
            let catch_up = all.stopped_at.is_some_and(|at| self.presence.must_merge(schedule, at));
            if catch_up {
                self.presence.merge(schedule).await;
            } else if !round.more {
                break;
            }
        }
        let swept = self.sweep(schedule, all.seats).await;
        let held = swept.as_ref().map_or(0, |swept| swept.held);
        self.metrics.schedules().set(schedule.0, &figures(&all, held));
        Ok(Admitted { rest: all.rest.min(swept?.next.unwrap_or(LONGEST)), ..all })
    }

    /// Sweeps the lapsed seats of one schedule. Does nothing while no seat is claimed or held.
    async fn sweep(&self, schedule: ScheduleId, seats: SeatVersion) -> Result<Swept, StoreError> {
        while self.rests.may_be_held(schedule, seats) {
            let swept = self.keyspaces.run(schedule, self.sweep_seats).await?;
            self.rests.note_swept(schedule, swept);
            if !swept.more {
                return Ok(swept);
            }
        }
        Ok(Swept { more: false, seats, next: None, held: 0 })
    }
}

/// What the metrics show of a schedule after a round. `held` is the number of seats that are
/// claimed or held.
fn figures(round: &Admitted, held: u64) -> ScheduleFigures {
    let SaleFigures { capacity, paused, recovering, admits, seats, gone, blocked } = round.figures;
    ScheduleFigures {
        waiting: round.waiting,
        active: round.active,
        epoch: round.seats.epoch,
        capacity,
        seats,
        held,
        gone,
        blocked,
        paused,
        recovering,
        admits,
    }
}
