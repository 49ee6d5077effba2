//! The metrics of each live schedule.
//!
//! Each schedule has a dozen series. So at most [`MAX_SCHEDULES`] schedules have them, and only
//! while they are live: the admission loop removes the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::numbers::gauge;

/// Maximum number of schedules with series.
const MAX_SCHEDULES: usize = 1000;
/// A schedule that is not live yet keeps its series for this long: its first join comes before the
/// loops know it.
const NEW: Duration = Duration::from_mins(1);

/// A schedule as the last round of admission saw it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScheduleFigures {
    /// Entries that wait.
    pub waiting: u64,
    /// Active slots in use.
    pub active: u64,
    /// Maximum number of active slots.
    pub capacity: u64,
    /// Epoch of the keys.
    pub epoch: u64,
    /// Seats of every state.
    pub seats: u64,
    /// Seats that are claimed or held.
    pub held: u64,
    /// Seats that are sold or blocked.
    pub gone: u64,
    /// Seats that are blocked.
    pub blocked: u64,
    /// An administrator has paused admission.
    pub paused: bool,
    /// Admission pauses after a loss of Redis or a stall.
    pub recovering: bool,
    /// The sale is open, and its admission is not paused: entries are admitted as slots become
    /// free.
    pub admits: bool,
}

/// The metrics of the live schedules.
#[derive(Default)]
pub struct ScheduleMetrics {
    waiting: Family<Schedule, Gauge>,
    active: Family<Schedule, Gauge>,
    capacity: Family<Schedule, Gauge>,
    epoch: Family<Schedule, Gauge>,
    seats: Family<Seats, Gauge>,
    paused: Family<Schedule, Gauge>,
    recovering: Family<Schedule, Gauge>,
    admits: Family<Schedule, Gauge>,
    admissions: Family<Schedule, Counter>,
    holds: Family<Schedule, Counter>,
    live: Gauge,
    known: Arc<Mutex<HashMap<i64, Known>>>,
}

/// A schedule with series.
struct Known {
    since: Instant,
    was_live: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Schedule {
    schedule: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Seats {
    schedule: i64,
    state: &'static str,
}

impl ScheduleMetrics {
    /// Creates the metrics, and registers them.
    pub(super) fn register(to: &mut Registry) -> Self {
        let all = Self::default();
        let help = "Entries that wait in a queue";
        to.register("schedule_waiting_entries", help, all.waiting.clone());
        let help = "Active slots in use";
        to.register("schedule_active_slots", help, all.active.clone());
        let help = "Maximum number of active slots";
        to.register("schedule_capacity_slots", help, all.capacity.clone());
        let help = "Epoch of a schedule's keys in Redis: it rises with each rebuild";
        to.register("schedule_epoch", help, all.epoch.clone());
        to.register("schedule_seats", "Seats, by state", all.seats.clone());
        let help = "Whether an administrator has paused admission";
        to.register("schedule_paused", help, all.paused.clone());
        let help = "Whether keys are missing or rebuilt, or admission pauses after a loss";
        to.register("schedule_recovering", help, all.recovering.clone());
        let help = "Whether entries are admitted as slots become free";
        to.register("schedule_admits", help, all.admits.clone());
        let help = "Buyers of a schedule admitted by this process";
        to.register("schedule_admissions", help, all.admissions.clone());
        let help = "Holds of a schedule created by this process";
        to.register("schedule_holds", help, all.holds.clone());
        to.register("live_schedules", "Schedules that the loops work on", all.live.clone());
        let help = "Former name of onsale_schedule_waiting_entries";
        to.register("line_waiting", help, all.waiting.clone());
        let help = "Former name of onsale_schedule_active_slots";
        to.register("line_active", help, all.active.clone());
        all
    }

    /// Sets the figures of a live schedule.
    pub fn set(&self, schedule: i64, figures: &ScheduleFigures) {
        if !self.has_series(schedule) {
            return;
        }
        let label = Schedule { schedule };
        let set = |family: &Family<Schedule, Gauge>, value: u64| {
            family.get_or_create_owned(&label).set(gauge(value));
        };
        set(&self.waiting, figures.waiting);
        set(&self.active, figures.active);
        set(&self.capacity, figures.capacity);
        set(&self.epoch, figures.epoch);
        set(&self.paused, figures.paused.into());
        set(&self.recovering, figures.recovering.into());
        set(&self.admits, figures.admits.into());
        let ScheduleFigures { seats, held, gone, blocked, .. } = *figures;
        for (state, count) in [
            ("available", seats.saturating_sub(gone).saturating_sub(held)),
            ("held", held),
            ("sold", gone.saturating_sub(blocked)),
            ("blocked", blocked),
        ] {
            self.seats.get_or_create_owned(&Seats { schedule, state }).set(gauge(count));
        }
    }

    /// Notes that a schedule's keys were not found, or are rebuilt.
    pub fn set_recovering(&self, schedule: i64) {
        if self.has_series(schedule) {
            self.recovering.get_or_create_owned(&Schedule { schedule }).set(1);
        }
    }

    /// Counts admitted buyers.
    pub(super) fn admitted(&self, schedule: i64, buyers: u64) {
        if self.has_series(schedule) {
            self.admissions.get_or_create_owned(&Schedule { schedule }).inc_by(buyers);
        }
    }

    /// Counts a hold that was created.
    pub(super) fn held(&self, schedule: i64) {
        if self.has_series(schedule) {
            self.holds.get_or_create_owned(&Schedule { schedule }).inc();
        }
    }

    /// Removes the series of schedules that are no longer live. `live` is their number.
    pub fn retain(&self, live: usize, is_live: impl Fn(i64) -> bool) {
        self.live.set(gauge(live as u64));
        let mut known = self.known();
        known.retain(|schedule, known| {
            let is_live = is_live(*schedule);
            known.was_live |= is_live;
            let stays = is_live || !known.was_live && known.since.elapsed() < NEW;
            if !stays {
                self.remove(*schedule);
            }
            stays
        });
    }

    fn remove(&self, schedule: i64) {
        let label = Schedule { schedule };
        for family in [
            &self.waiting,
            &self.active,
            &self.capacity,
            &self.epoch,
            &self.paused,
            &self.recovering,
            &self.admits,
        ] {
            family.remove(&label);
        }
        self.admissions.remove(&label);
        self.holds.remove(&label);
        for state in ["available", "held", "sold", "blocked"] {
            self.seats.remove(&Seats { schedule, state });
        }
    }

    /// Whether a schedule has series; creates them at zero if there is room.
    fn has_series(&self, schedule: i64) -> bool {
        {
            let mut known = self.known();
            if known.contains_key(&schedule) {
                return true;
            }
            if known.len() >= MAX_SCHEDULES {
                return false;
            }
            known.insert(schedule, Known { since: Instant::now(), was_live: false });
            if known.len() == MAX_SCHEDULES {
                tracing::warn!(
                    limit = MAX_SCHEDULES,
                    "further schedules have no metrics of their own"
                );
            }
        }
        self.admissions.get_or_create_owned(&Schedule { schedule });
        self.holds.get_or_create_owned(&Schedule { schedule });
        self.set(schedule, &ScheduleFigures::default());
        true
    }

    fn known(&self) -> MutexGuard<'_, HashMap<i64, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    fn registered() -> (Registry, ScheduleMetrics) {
        let mut registry = Registry::default();
        let metrics = ScheduleMetrics::register(&mut registry);
        (registry, metrics)
    }

    fn render(registry: &Registry) -> String {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        text
    }

    #[test]
    fn a_schedule_has_series_while_it_is_live_or_new() {
        let (registry, metrics) = registered();
        let of_8 = |registry: &Registry| render(registry).matches(r#"schedule="8""#).count();
        metrics.admitted(8, 2);
        assert_eq!(of_8(&registry), 15, "all of them");
        metrics.retain(0, |_| false);
        assert_eq!(of_8(&registry), 15, "it is new");
        metrics.retain(1, |schedule| schedule == 8);
        let figures =
            ScheduleFigures { seats: 10, held: 2, gone: 5, blocked: 1, ..Default::default() };
        metrics.set(8, &figures);
        let text = render(&registry);
        for (state, count) in [("available", 3), ("held", 2), ("sold", 4), ("blocked", 1)] {
            let line = format!(r#"schedule_seats{{schedule="8",state="{state}"}} {count}"#);
            assert!(text.contains(&line), "{line} is not in\n{text}");
        }
        assert!(text.contains(r#"schedule_admissions_total{schedule="8"} 2"#), "{text}");
        metrics.retain(0, |_| false);
        assert_eq!(of_8(&registry), 0, "it was live");
    }

    #[test]
    fn the_number_of_schedules_with_series_is_limited() {
        let (registry, metrics) = registered();
        for schedule in 0..i64::try_from(MAX_SCHEDULES).unwrap() + 10 {
            metrics.held(schedule);
        }
        let text = render(&registry);
        let series = text.lines().filter(|line| line.starts_with("schedule_holds_total{"));
        assert_eq!(series.count(), MAX_SCHEDULES);
    }
}
