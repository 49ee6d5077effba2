//! Finds the one reason why admission goes as it goes. Pure.

use serde::Serialize;
use utoipa::ToSchema;

use super::seen::Seen;
use crate::concert::model::Phase;

/// Of the set rate, the share from which the rate counts as reached, in percent.
const REACHED_PERCENT: f64 = 90.0;
/// Of the capacity, the share of free slots up to which the capacity is the limit: a slot that
/// becomes free is in use again within a tenth of a second.
const FREE_PERCENT: u64 = 2;
/// For as long as nobody was admitted, in ms, admission counts as starting, and from then on as
/// standing still.
const STARTING_MS: i64 = 20_000;

/// Why admission goes as it goes. If several fit, the first in this order applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PaceReason {
    /// The queue is rebuilt after a loss of Redis, or waits until old tickets are shown again.
    Recovering,
    /// Redis does not answer: nobody joins and nobody is admitted. `since` is the last reading.
    RedisUnavailable,
    /// The concert is UNAVAILABLE.
    Withdrawn,
    /// The sale is over.
    Closed,
    /// The schedule has no seats.
    NoSeats,
    /// The sale has not opened.
    Upcoming,
    /// An administrator has paused admission: `by`, `since`.
    Paused,
    /// Every seat is sold or blocked.
    SoldOut,
    /// The draw has not finished.
    Draw,
    /// The capacity is 0.
    NoCapacity,
    /// Nobody waits. People who join are admitted at once, while slots are free.
    Empty,
    /// The set rate is reached.
    Rate,
    /// All active slots are in use, and the rate that is set is not reached.
    Capacity,
    /// The first entries are silent. Their clients were asked to poll, and have some seconds.
    Presence,
    /// Slots are free and entries wait, and too little time has passed to measure a rate.
    Starting,
    /// Slots are free and entries wait, and nobody was admitted for 20 s.
    Stalled,
    /// Slots are free and entries are admitted. The rate of the last 30 s is below the set one:
    /// admission rises, or fewer entries wait than the rate admits.
    Running,
}

/// Finds the reason why admission goes as it goes.
#[must_use]
pub fn reason(seen: &Seen) -> PaceReason {
    // While the keys are rebuilt, the last reading is old as well.
    if seen.recovering {
        return PaceReason::Recovering;
    }
    if seen.redis_lost_at.is_some() {
        return PaceReason::RedisUnavailable;
    }
    if !seen.available {
        return PaceReason::Withdrawn;
    }
    match seen.phase {
        Phase::Closed => PaceReason::Closed,
        Phase::Upcoming if seen.seats == 0 => PaceReason::NoSeats,
        Phase::Upcoming => PaceReason::Upcoming,
        Phase::Paused => PaceReason::Paused,
        Phase::SoldOut => PaceReason::SoldOut,
        Phase::Open if seen.drawing => PaceReason::Draw,
        Phase::Open if seen.capacity == 0 => PaceReason::NoCapacity,
        Phase::Open if seen.waiting == 0 => PaceReason::Empty,
        Phase::Open => flow(seen),
    }
}

/// The reason while the sale is open and entries wait.
fn flow(seen: &Seen) -> PaceReason {
    if reaches_rate(seen) {
        PaceReason::Rate
    } else if is_full(seen) {
        PaceReason::Capacity
    } else if seen.asking {
        PaceReason::Presence
    } else if seen.measured_per_second.is_some() {
        PaceReason::Running
    } else if seen.measured_ms < STARTING_MS {
        PaceReason::Starting
    } else {
        PaceReason::Stalled
    }
}

/// Whether the measured rate is the set one.
fn reaches_rate(seen: &Seen) -> bool {
    let reached = |measured| measured * 100.0 >= seen.set() * REACHED_PERCENT;
    seen.measured_per_second.is_some_and(reached)
}

/// Whether all slots are in use, or nearly all and entries are admitted.
fn is_full(seen: &Seen) -> bool {
    let free = seen.capacity.saturating_sub(seen.active);
    let few = (seen.capacity * FREE_PERCENT / 100).max(1).min(seen.capacity / 10);
    free == 0 || (free <= few && seen.measured_per_second.is_some())
}

#[cfg(test)]
mod tests;
