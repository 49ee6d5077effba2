//! The lowest capacity and rate with which a sale is nearly sold out in a wanted time.
//!
//! 99 of 100 seats count, because the last ones wait for holds that lapse again and again, which no
//! setting changes.

use std::convert::Infallible;

use serde::Serialize;

use super::input::SimulationInput;
use super::summary::Summary;
use crate::number::{ceiling, float};
use crate::plan::{MAX_ADMIT_PER_SECOND, MAX_CAPACITY};

/// People that are simulated while searching.
const SEARCHED: u64 = 2_000;
/// Tries of the search, and of its check with all people.
const TRIES: u32 = 10;
/// Slots beyond those in use on average, so that the rate and not the capacity is the limit.
const SPARE: f64 = 1.25;
/// A sale that ends within this part of the wanted time is slow enough.
const CLOSE: f64 = 0.9;

/// Settings with which every run sold 99 of 100 seats in time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recommendation {
    /// Limit of active slots.
    pub capacity: u64,
    /// Limit of admissions per second.
    pub admit_per_second: u64,
    /// The wanted time (s).
    pub within_seconds: f64,
    /// The sale with these settings.
    pub summary: Summary,
}

/// Searches settings with which 99 of 100 seats are sold within `within_seconds` of the opening in
/// each of `seeds` runs. `None` if there are none: too few people buy, or they come too late.
#[must_use]
pub fn recommend(
    input: &SimulationInput,
    within_seconds: f64,
    seeds: u64,
) -> Option<Recommendation> {
    let Ok(found) = recommend_watched::<Infallible>(input, within_seconds, seeds, &mut || Ok(()));
    found
}

/// As [`recommend`]. Calls `watch` again and again, which may end the search.
///
/// # Errors
/// The error of `watch`.
pub fn recommend_watched<E>(
    input: &SimulationInput,
    within_seconds: f64,
    seeds: u64,
    watch: &mut impl FnMut() -> Result<(), E>,
) -> Result<Option<Recommendation>, E> {
    let search = SimulationInput { most_simulated: SEARCHED, ..input.clone() };
    let fastest = with_rate(&search, MAX_ADMIT_PER_SECOND, MAX_CAPACITY);
    let fastest = fastest.summary_watched(1, watch)?;
    let is_in_time = |summary: &Summary| {
        summary.surely_nearly_sold().is_some_and(|seconds| seconds <= within_seconds)
    };
    if !is_in_time(&fastest) {
        return Ok(None);
    }
    let slot_seconds = fastest.slot_seconds.median;
    let capacity = |rate: u64| ceiling(float(rate) * slot_seconds * SPARE).clamp(1, MAX_CAPACITY);
    // The lowest rate that is enough lies above `low` and not above `high`.
    let (mut low, mut high) = (0, MAX_ADMIT_PER_SECOND);
    for _ in 0..2 * TRIES {
        if high - low <= 1 || float(low) > CLOSE * float(high) {
            break;
        }
        let rate = low.midpoint(high);
        let summary = with_rate(&search, rate, capacity(rate)).summary_watched(2, watch)?;
        if is_in_time(&summary) { high = rate } else { low = rate }
    }
    for attempt in 0..TRIES {
        let rate = ceiling(float(high) * 1.05_f64.powi(attempt.cast_signed()));
        let rate = rate.min(MAX_ADMIT_PER_SECOND);
        let summary = with_rate(input, rate, capacity(rate)).summary_watched(seeds, watch)?;
        if is_in_time(&summary) {
            let capacity = capacity(rate);
            let found =
                Recommendation { capacity, admit_per_second: rate, within_seconds, summary };
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn with_rate(input: &SimulationInput, rate: u64, capacity: u64) -> SimulationInput {
    let mut input = input.clone();
    (input.rules.admit_per_second, input.rules.capacity) = (rate, capacity);
    input
}
