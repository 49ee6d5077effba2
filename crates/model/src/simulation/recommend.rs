//! The lowest capacity and rate with which a sale is nearly sold out in a wanted time.
//!
//! 99 of 100 seats count, because the last ones wait for holds that lapse again and again, which no
//! setting changes.

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
    let search = SimulationInput { most_simulated: SEARCHED, ..input.clone() };
    let fastest = with_rate(&search, MAX_ADMIT_PER_SECOND, MAX_CAPACITY).summary(1);
    fastest.surely_nearly_sold().filter(|seconds| *seconds <= within_seconds)?;
    let slot_seconds = fastest.slot_seconds.median;
    let capacity = |rate: u64| ceiling(float(rate) * slot_seconds * SPARE).clamp(1, MAX_CAPACITY);
    // The lowest rate that is enough lies above `low` and not above `high`.
    let (mut low, mut high) = (0, MAX_ADMIT_PER_SECOND);
    for _ in 0..2 * TRIES {
        if high - low <= 1 || float(low) > CLOSE * float(high) {
            break;
        }
        let rate = low.midpoint(high);
        let summary = with_rate(&search, rate, capacity(rate)).summary(2);
        match summary.surely_nearly_sold() {
            Some(seconds) if seconds <= within_seconds => high = rate,
            _ => low = rate,
        }
    }
    (0..TRIES).find_map(|attempt| {
        let rate = ceiling(float(high) * 1.05_f64.powi(attempt.cast_signed()));
        let rate = rate.min(MAX_ADMIT_PER_SECOND);
        let summary = with_rate(input, rate, capacity(rate)).summary(seeds);
        let seconds = summary.surely_nearly_sold()?;
        (seconds <= within_seconds).then(|| Recommendation {
            capacity: capacity(rate),
            admit_per_second: rate,
            within_seconds,
            summary,
        })
    })
}

fn with_rate(input: &SimulationInput, rate: u64, capacity: u64) -> SimulationInput {
    let mut input = input.clone();
    (input.rules.admit_per_second, input.rules.capacity) = (rate, capacity);
    input
}
