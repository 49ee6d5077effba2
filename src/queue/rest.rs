//! Which schedules rest: for a time, `queue/admit` and `seats/sweep` have nothing to do there.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::board::seats::SeatVersion;
use crate::store::activity::Activity;
use crate::store::id::ScheduleId;

/// Longest rest, which `queue/admit` allows only before the opening. A change by another process is
/// noticed after it at the latest.
pub const LONGEST: Duration = Duration::from_secs(2);
/// Rest after a call that failed.
pub const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// The result of one call of `seats/sweep`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// A bound of the script was reached: there may be more to sweep.
    pub more: bool,
    /// The seat map after the call.
    pub seats: SeatVersion,
    /// When the next seat lapses, from then; `None` if no seat is claimed or held.
    pub next: Option<Duration>,
    /// Seats that are claimed or held after the call.
    pub held: u64,
}

/// The rest of one schedule. It ends at a time, or when this process changes the queue.
#[derive(Debug)]
pub struct Rest {
    activity: Arc<Activity>,
    /// The schedule's changes when the rest began.
    changes: u64,
    until: Instant,
}

/// The rests of all schedules in one process.
#[derive(Debug, Default)]
pub struct Rests {
    resting: Mutex<HashMap<ScheduleId, Rest>>,
    /// The seat maps in which no seat was claimed or held.
    unheld: Mutex<HashMap<ScheduleId, SeatVersion>>,
}

impl Rest {
    /// A rest that begins now and ends at once. Begin it before the call of Redis that says how long
    /// it is: later changes then end it.
    #[must_use]
    pub fn begin(activity: Arc<Activity>) -> Self {
        Self { changes: activity.changes(), activity, until: Instant::now() }
    }

    /// This rest, `length` long.
    #[must_use]
    pub fn lasting(self, length: Duration) -> Self {
        Self { until: self.until + length.min(LONGEST), ..self }
    }

    fn is_over(&self, now: Instant) -> bool {
        now >= self.until || self.activity.changes() != self.changes
    }
}

impl Rests {
    /// The schedules of `live` that do not rest. Drops all schedules that are not in `live`.
    #[must_use]
    pub fn end(&self, live: &HashSet<ScheduleId>) -> Vec<ScheduleId> {
        let (now, mut resting) = (Instant::now(), lock(&self.resting));
        resting.retain(|schedule, rest| !rest.is_over(now) && live.contains(schedule));
        lock(&self.unheld).retain(|schedule, _| live.contains(schedule));
        live.iter().filter(|schedule| !resting.contains_key(schedule)).copied().collect()
    }

    /// Lets a schedule rest.
    pub fn insert(&self, schedule: ScheduleId, rest: Rest) {
        lock(&self.resting).insert(schedule, rest);
    }

    /// Whether a seat may be claimed or held in this version of the seat map.
    #[must_use]
    pub fn may_be_held(&self, schedule: ScheduleId, seats: SeatVersion) -> bool {
        lock(&self.unheld).get(&schedule) != Some(&seats)
    }

    /// Notes whether seats are claimed or held.
    pub fn note_swept(&self, schedule: ScheduleId, swept: Swept) {
        let mut unheld = lock(&self.unheld);
        match swept.next {
            None => _ = unheld.insert(schedule, swept.seats),
            Some(_) => _ = unheld.remove(&schedule),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALE: ScheduleId = ScheduleId(1);

    fn is_resting(rests: &Rests) -> bool {
        rests.end(&HashSet::from([SALE])).is_empty()
    }

    #[test]
    fn a_change_after_a_rest_began_ends_it() {
        let (rests, activity) = (Rests::default(), Arc::new(Activity::default()));
        activity.note_change();
        rests.insert(SALE, Rest::begin(Arc::clone(&activity)).lasting(LONGEST));
        assert!(is_resting(&rests));
        activity.note_change();
        assert!(!is_resting(&rests));
    }

    #[test]
    fn a_change_during_the_call_that_begins_a_rest_ends_it() {
        let (rests, activity) = (Rests::default(), Arc::new(Activity::default()));
        let rest = Rest::begin(Arc::clone(&activity));
        activity.note_change();
        rests.insert(SALE, rest.lasting(LONGEST));
        assert!(!is_resting(&rests));
    }

    #[test]
    fn a_schedule_rests_for_the_given_time_and_no_longer_than_the_longest_rest() {
        let (now, activity) = (Instant::now(), Arc::new(Activity::default()));
        let rest =
            |length| Rest { until: now, ..Rest::begin(Arc::clone(&activity)) }.lasting(length);
        assert!(rest(Duration::ZERO).is_over(now));
        let short = rest(Duration::from_millis(20));
        assert!(!short.is_over(now + Duration::from_millis(19)));
        assert!(short.is_over(now + Duration::from_millis(20)));
        assert!(rest(Duration::from_mins(1)).is_over(now + LONGEST));
    }

    #[test]
    fn seats_may_be_held_again_once_the_seat_map_has_changed() {
        let rests = Rests::default();
        let seats = SeatVersion { epoch: 1, number: 7 };
        assert!(rests.may_be_held(SALE, seats), "nothing was swept yet");
        rests.note_swept(SALE, Swept { more: false, seats, next: None, held: 0 });
        assert!(!rests.may_be_held(SALE, seats));
        assert!(rests.may_be_held(SALE, SeatVersion { number: 8, ..seats }));
        assert!(rests.may_be_held(SALE, SeatVersion { epoch: 2, ..seats }));
        rests.note_swept(SALE, Swept { more: false, seats, next: Some(LONGEST), held: 1 });
        assert!(rests.may_be_held(SALE, seats));
    }
}
