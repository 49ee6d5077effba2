//! The load test `rush` in its size `load` (loadtest/rush.js), as input: its measurements are
//! compared with a simulation of it.

use super::input::{Arrivals, Crowd, Curve, SaleRules, SimulationInput, Takes};

/// Buyers.
pub const PEOPLE: u32 = 5_000;
/// Seats.
pub const SEATS: u32 = 1_000;
/// Time in which all buyers come (s).
pub const ARRIVE_SECONDS: f64 = 10.0;
/// From the first buyer to the opening (s).
pub const OPENS_AFTER_SECONDS: f64 = 5.0;
/// Admissions per second.
pub const ADMIT_PER_SECOND: f64 = 30.0;
/// From the opening to the last payment (s), as simulated. k6 measured only the whole run with its
/// preparation and its books: 82.5 s.
pub const SOLD_OUT_SECONDS: f64 = 51.0;
/// The presence window (s).
pub const PRESENCE_SECONDS: u64 = 90;
/// The claim window (s).
pub const CLAIM_SECONDS: u64 = 30;

/// The rush.
#[must_use]
pub fn input() -> SimulationInput {
    SimulationInput {
        people: PEOPLE.into(),
        seats: SEATS.into(),
        rules: SaleRules {
            capacity: 200,
            admit_per_second: 30,
            slot_seconds: 45.0,
            hold_seconds: 12.0,
            claim_seconds: 30.0,
            presence_seconds: 90.0,
            grace_seconds: 600.0,
            closes_after_seconds: 3_600.0,
            polls_ceiling: 30_000,
        },
        arrivals: Arrivals {
            early_share: OPENS_AFTER_SECONDS / ARRIVE_SECONDS,
            early_seconds: OPENS_AFTER_SECONDS,
            late_seconds: ARRIVE_SECONDS - OPENS_AFTER_SECONDS,
            curve: Curve::Even,
        },
        crowd: Crowd {
            patience_seconds: None,
            leaves_soon: 0.05,
            no_shows: 0.0,
            leaves_sale: 0.05,
            pays: 0.92,
            baskets: vec![1.0; 4],
            choose: Takes::Between(0.5, 2.0),
            pay: Takes::Between(0.5, 2.5),
            attempts: 4,
            retry: Takes::Between(0.75, 2.25),
        },
        most_simulated: PEOPLE.into(),
        auto: None,
    }
}
