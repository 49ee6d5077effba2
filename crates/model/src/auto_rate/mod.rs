//! Feedback admission: the admission rate follows a target. Additive increase, multiplicative
//! decrease, between two bounds.
//!
//! [`AutoRules::next`] is one function of the rules, the state and a reading. The service keeps the
//! state in PostgreSQL, and [`crate::simulation`] in a run. docs/OPERATIONS.md says what operators
//! see, and docs/decisions/0076-the-rate-follows-a-target.md why.

pub mod store_load;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::number::{count, float};

/// Over how many seconds answers and admissions are measured.
pub const WINDOW_SECONDS: f64 = 10.0;
/// Time between two steps (s).
pub const EVERY_SECONDS: f64 = 2.0;
/// Fewest holds and payments in the window that say something about the stores.
pub const MIN_ANSWERS: f64 = 10.0;
/// From this share of the target on, the rate is not raised any more. Up to the target it stays.
const RAISE_BELOW: f64 = 0.7;
/// From this multiple of the target on, the decrease is [`SEVERE_FACTOR`].
const SEVERE: f64 = 2.0;
/// What a decrease leaves of the rate, in percent.
const FACTOR_PERCENT: u64 = 75;
const SEVERE_FACTOR_PERCENT: u64 = 50;
/// An increase is the start value divided by this, and at most the present rate divided by
/// [`SMALLEST_PARTS`].
const STEP_PARTS: u32 = 20;
const SMALLEST_PARTS: u32 = 8;
/// Increases while one change takes effect.
const RAISES_IN_A_SETTLING: f64 = 4.0;
/// Bounds of the time for which an admitted person is assumed to act (s), and its value while
/// unknown.
const SHORTEST_STAY: f64 = 5.0;
const LONGEST_STAY: f64 = 110.0;
const USUAL_STAY: f64 = 50.0;
/// Of the rate, the share of admissions from which the rate counts as what limits admission.
const LIMITING: f64 = 0.8;

/// What the operator set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AutoRules {
    /// The rate to start with: `admit_per_second`. The size of an increase follows from it.
    pub start: u32,
    /// Lowest rate.
    pub min: u32,
    /// Highest rate, at least `min`.
    pub max: u32,
    /// Target for the 99th percentile of holds and payments (ms).
    pub p99_ms: f64,
    /// Target for the share of holds and payments that fail (percent).
    pub error_percent: f64,
    /// Target for the share of active slots in use (percent). 100: no target.
    pub slots_percent: f64,
}

/// The rate and the time since it changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AutoState {
    /// Admissions per second.
    pub rate: u32,
    /// Time since the rate changed (s).
    pub changed_seconds: f64,
    /// Time since it was lowered (s). Infinite if it never was.
    pub lowered_seconds: f64,
}

/// What was measured lately.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AutoReading {
    /// Holds and payments that were answered in the window, by all processes.
    pub answers: f64,
    /// Their 99th percentile (ms).
    pub p99_ms: f64,
    /// Of these, the ones that failed (status 500 and above).
    pub errors: f64,
    /// The sale. `None` if there is no reading of the last seconds.
    pub flow: Option<AutoFlow>,
}

/// How a sale flows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AutoFlow {
    /// People are admitted: the sale is open, not paused, not recovering, and its draw is done.
    pub admits: bool,
    /// People who wait.
    pub waiting: u64,
    /// Active slots in use.
    pub active: u64,
    /// Limit of active slots.
    pub capacity: u64,
    /// Admissions per second over the window. `None` if unknown.
    pub admitted_per_second: Option<f64>,
}

/// Why the rate is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AutoReason {
    /// Automatic admission began, at `admit_per_second`.
    Started,
    /// Lowered: the 99th percentile of holds and payments is above its target.
    Slow,
    /// Lowered: the share of holds and payments that fail is above its target.
    Errors,
    /// Lowered: the share of slots in use is above its target.
    Slots,
    /// Raised: everything is well below its target.
    Raised,
    /// Kept: near the target, and not above it.
    OnTarget,
    /// Kept: the last change has not taken full effect.
    Settling,
    /// Kept: the rate is not what limits admission, so a higher one would change nothing.
    NotLimiting,
    /// Kept: fewer than ten holds and payments in ten seconds.
    FewAnswers,
    /// Kept: no reading of the sale in the last seconds.
    NoReading,
    /// Kept: nobody is admitted now, whatever the rate.
    NotAdmitting,
    /// Kept: above a target, and at the lowest rate.
    AtMin,
    /// Kept: below the targets, and at the highest rate.
    AtMax,
}

/// The next rate, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AutoStep {
    /// Admissions per second.
    pub rate: u32,
    /// Why.
    pub reason: AutoReason,
}

impl AutoReason {
    /// Returns the name in PostgreSQL and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::Slow => "SLOW",
            Self::Errors => "ERRORS",
            Self::Slots => "SLOTS",
            Self::Raised => "RAISED",
            Self::OnTarget => "ON_TARGET",
            Self::Settling => "SETTLING",
            Self::NotLimiting => "NOT_LIMITING",
            Self::FewAnswers => "FEW_ANSWERS",
            Self::NoReading => "NO_READING",
            Self::NotAdmitting => "NOT_ADMITTING",
            Self::AtMin => "AT_MIN",
            Self::AtMax => "AT_MAX",
        }
    }
}

impl AutoRules {
    /// A rate within the bounds.
    #[must_use]
    pub fn bounded(&self, rate: u32) -> u32 {
        rate.min(self.max).max(self.min)
    }

    /// The next rate. It is within the bounds, is lowered only while something is above its target,
    /// and is raised only by measurements that allow it: missing ones keep it.
    #[must_use]
    pub fn next(&self, state: &AutoState, reading: &AutoReading) -> AutoStep {
        let rate = self.bounded(state.rate);
        let step = |rate, reason| AutoStep { rate, reason };
        if reading.flow.is_some_and(|flow| !flow.admits) {
            return step(rate, AutoReason::NotAdmitting);
        }
        let settling = settling_seconds(reading.flow);
        let is_settled = state.lowered_seconds >= settling;
        let (strain, cause) = self.strain(reading);
        if strain > 1.0 {
            return if rate <= self.min {
                step(rate, AutoReason::AtMin)
            } else if is_settled {
                step(self.lowered(rate, strain), cause)
            } else {
                step(rate, AutoReason::Settling)
            };
        }
        let Some(flow) = reading.flow else { return step(rate, AutoReason::NoReading) };
        let pause = (settling / RAISES_IN_A_SETTLING).max(SHORTEST_STAY);
        let reason = if reading.answers < MIN_ANSWERS {
            AutoReason::FewAnswers
        } else if strain >= RAISE_BELOW {
            AutoReason::OnTarget
        } else if rate >= self.max {
            AutoReason::AtMax
        } else if !flow.is_limited_by(rate) {
            AutoReason::NotLimiting
        } else if !is_settled || state.changed_seconds < pause {
            AutoReason::Settling
        } else {
            let most = (rate / SMALLEST_PARTS).max(1);
            let more = self.start.div_ceil(STEP_PARTS).clamp(1, most);
            return step(self.bounded(rate.saturating_add(more)), AutoReason::Raised);
        };
        step(rate, reason)
    }

    /// The highest multiple of a target, and the cause that a decrease by it has.
    fn strain(&self, reading: &AutoReading) -> (f64, AutoReason) {
        let (mut worst, mut cause) = (0.0, AutoReason::Slow);
        let mut note = |strain: f64, reason| {
            if strain > worst {
                (worst, cause) = (strain, reason);
            }
        };
        if reading.answers >= MIN_ANSWERS {
            note(reading.p99_ms / self.p99_ms, AutoReason::Slow);
            let percent = 100.0 * reading.errors / reading.answers;
            note(percent / self.error_percent, AutoReason::Errors);
        }
        if let Some(flow) = reading.flow.filter(|_| self.slots_percent < 100.0) {
            let percent = 100.0 * float(flow.active) / float(flow.capacity.max(1));
            note(percent / self.slots_percent, AutoReason::Slots);
        }
        (worst, cause)
    }

    fn lowered(&self, rate: u32, strain: f64) -> u32 {
        let percent = if strain > SEVERE { SEVERE_FACTOR_PERCENT } else { FACTOR_PERCENT };
        let lower = u32::try_from(u64::from(rate) * percent / 100).unwrap_or(rate);
        self.bounded(lower)
    }
}

impl AutoFlow {
    /// Whether people wait, and about as many are admitted as the rate allows.
    fn is_limited_by(&self, rate: u32) -> bool {
        let reached = |measured| measured >= LIMITING * f64::from(rate);
        self.waiting > 0 && self.admitted_per_second.is_some_and(reached)
    }
}

/// Time until a change of the rate has taken effect, and is measured (s): an admitted person first
/// chooses, then holds, then pays. How long that takes follows from the slots in use.
#[must_use]
pub fn settling_seconds(flow: Option<AutoFlow>) -> f64 {
    let stay = flow.and_then(|flow| {
        let admitted = flow.admitted_per_second.filter(|rate| *rate > 0.0)?;
        Some(float(flow.active) / admitted)
    });
    WINDOW_SECONDS + stay.unwrap_or(USUAL_STAY).clamp(SHORTEST_STAY, LONGEST_STAY)
}

/// The 99th percentile of these times; 0 without any.
#[must_use]
pub fn p99(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    let rank = count((0.99 * float(times.len() as u64)).ceil()).saturating_sub(1);
    usize::try_from(rank).ok().and_then(|rank| times.get(rank)).copied().unwrap_or_default()
}
