//! The automatic rate of a sale: what the console shows, and what it follows from. Pure.

use chrono::{DateTime, Utc};
use onsale_model::auto_rate::{AutoFlow, AutoReason, AutoState, AutoStep, WINDOW_SECONDS};
use serde::Serialize;
use utoipa::ToSchema;

use crate::concert::model::{Phase, Schedule};

/// The automatic admission rate, and why it is what it is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AutoRate {
    /// Admissions per second.
    pub per_second: u32,
    /// Lowest rate.
    pub min_per_second: u32,
    /// Highest rate.
    pub max_per_second: u32,
    /// The rate of the mode FIXED: `admit_per_second`.
    pub fixed_per_second: u32,
    /// Why the rate was kept or changed when it was checked last.
    pub reason: AutoReason,
    /// Why the rate changed last.
    pub change_reason: AutoReason,
    /// When the rate changed last. Null before the first check.
    pub changed_at: Option<DateTime<Utc>>,
    /// When the rate was checked last. Null before the first check.
    pub checked_at: Option<DateTime<Utc>>,
    /// 99th percentile of holds and payments over ten seconds, in ms. Null with fewer than ten.
    pub p99_ms: Option<f32>,
    /// Its target.
    pub target_p99_ms: u32,
    /// Share of holds and payments that fail, in percent. Null with fewer than ten.
    pub error_percent: Option<f32>,
    /// Its target.
    pub target_error_percent: u32,
    /// Share of active slots in use, in percent. Null if unknown.
    pub slots_percent: Option<f32>,
    /// Its target. 100: none.
    pub target_slots_percent: u32,
}

/// The row of a sale's automatic rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Checked {
    /// Admissions per second.
    pub rate: u32,
    /// When the rate changed last.
    pub changed_at: DateTime<Utc>,
    /// Why.
    pub change_reason: AutoReason,
    /// When it was lowered last.
    pub lowered_at: Option<DateTime<Utc>>,
    /// When it was checked last.
    pub checked_at: DateTime<Utc>,
    /// What the last check found.
    pub reason: AutoReason,
    /// What was measured.
    pub measured: Measured,
}

/// What a check measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Holds and payments in the window.
    pub answers: f32,
    /// Their 99th percentile (ms). `None` with fewer than ten.
    pub p99_ms: Option<f32>,
    /// Share that failed (percent). `None` with fewer than ten.
    pub error_percent: Option<f32>,
    /// Share of active slots in use (percent).
    pub slots_percent: Option<f32>,
}

/// A reading of a sale, as the history has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// When it was written, by PostgreSQL's clock.
    pub at: DateTime<Utc>,
    /// When its counters were read.
    pub counted_at: DateTime<Utc>,
    /// Phase of the sale.
    pub phase: Phase,
    /// The keys are rebuilt, or admission pauses after a loss.
    pub recovering: bool,
    /// The draw has not finished.
    pub drawing: bool,
    /// Epoch, entries that wait, active slots, their limit, and admissions of the epoch. `None` while
    /// the keys are rebuilt.
    pub sizes: Option<Sizes>,
}

/// Sizes of a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the migration of the history describes each")]
pub struct Sizes {
    pub epoch: i64,
    pub waiting: u64,
    pub active: u64,
    pub capacity: u64,
    pub admitted: i64,
}

/// A reading that is older says nothing about the sale now (s).
const FRESH_SECONDS: f64 = 5.0;
/// Admissions are measured over at least this time (s).
const LEAST_SECONDS: f64 = 3.0;

/// How a sale flows, by its readings in order of time. `None` without a fresh one.
#[must_use]
pub fn flow(seen: &[Seen], now: DateTime<Utc>) -> Option<AutoFlow> {
    let last = seen.last().filter(|last| (now - last.at).as_seconds_f64() <= FRESH_SECONDS)?;
    let sizes = last.sizes?;
    let in_window = |seen: &&Seen| (now - seen.at).as_seconds_f64() <= WINDOW_SECONDS + 1.0;
    let is_before = |seen: &&Seen| seen.sizes.is_some_and(|it| it.epoch == sizes.epoch);
    let first = seen.iter().filter(in_window).find(is_before);
    let admitted_per_second = first.and_then(|first| {
        let seconds = (last.counted_at - first.counted_at).as_seconds_f64();
        let more = u32::try_from(sizes.admitted - first.sizes?.admitted).ok()?;
        (seconds >= LEAST_SECONDS).then(|| f64::from(more) / seconds)
    });
    Some(AutoFlow {
        admits: last.phase == Phase::Open && !last.recovering && !last.drawing,
        waiting: sizes.waiting,
        active: sizes.active,
        capacity: sizes.capacity,
        admitted_per_second,
    })
}

/// The state of a sale's rate at `now`, from its row.
#[must_use]
pub fn state(checked: &Checked, now: DateTime<Utc>) -> AutoState {
    let seconds = |at: DateTime<Utc>| (now - at).as_seconds_f64().max(0.0);
    AutoState {
        rate: checked.rate,
        changed_seconds: seconds(checked.changed_at),
        lowered_seconds: checked.lowered_at.map_or(f64::INFINITY, seconds),
    }
}

/// The row after a step at `now`. Without an old one, AUTO has just begun.
#[must_use]
pub fn after(
    old: Option<&Checked>,
    step: AutoStep,
    measured: Measured,
    now: DateTime<Utc>,
) -> Checked {
    let begun = Checked {
        rate: step.rate,
        changed_at: now,
        change_reason: AutoReason::Started,
        lowered_at: None,
        checked_at: now,
        reason: step.reason,
        measured,
    };
    let Some(old) = old else { return begun };
    let kept = Checked { checked_at: now, reason: step.reason, measured, ..*old };
    if step.rate == old.rate {
        return kept;
    }
    let lowered_at = if step.rate < old.rate { Some(now) } else { old.lowered_at };
    Checked { rate: step.rate, changed_at: now, change_reason: step.reason, lowered_at, ..kept }
}

impl AutoRate {
    /// The automatic rate of a schedule.
    #[must_use]
    pub fn of(schedule: &Schedule, checked: Option<&Checked>) -> Self {
        let settings = &schedule.settings;
        let rate = checked.map_or_else(|| schedule.admission_rate(), |checked| checked.rate);
        let measured = checked.map(|checked| checked.measured);
        Self {
            per_second: settings.auto_rules().bounded(rate),
            min_per_second: settings.auto_min_per_second,
            max_per_second: settings.auto_max_per_second,
            fixed_per_second: settings.admit_per_second,
            reason: checked.map_or(AutoReason::Started, |checked| checked.reason),
            change_reason: checked.map_or(AutoReason::Started, |checked| checked.change_reason),
            changed_at: checked.map(|checked| checked.changed_at),
            checked_at: checked.map(|checked| checked.checked_at),
            p99_ms: measured.and_then(|it| it.p99_ms),
            target_p99_ms: settings.auto_p99_ms,
            error_percent: measured.and_then(|it| it.error_percent),
            target_error_percent: settings.auto_error_percent,
            slots_percent: measured.and_then(|it| it.slots_percent),
            target_slots_percent: settings.auto_slots_percent,
        }
    }
}

#[cfg(test)]
mod tests;
