//! What is asked of a plan, and what it assumes.

use serde::Serialize;

use crate::number::{ceiling, float};

/// The largest values of the settings (`src/concert/sale_settings.rs`; a test compares them).
pub const MAX_ADMIT_PER_SECOND: u64 = 10_000;
/// See [`MAX_ADMIT_PER_SECOND`].
pub const MAX_CAPACITY: u64 = 1_000_000;

/// A sale to plan, and what is assumed about its buyers and machines.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PlanInput {
    /// People who will come.
    pub people: u64,
    /// Seats on sale.
    pub seats: u64,
    /// Minutes from the opening within which all seats are to be sold.
    pub minutes: f64,
    /// Minutes within which the people join.
    pub arrive_minutes: f64,
    /// Share of the people who join before the opening.
    pub early_share: f64,
    /// Seats of one purchase, on average.
    pub seats_per_buyer: f64,
    /// Share of the admitted who buy. The others hold a slot until it ends.
    pub share_that_pays: f64,
    /// Minutes from admission to payment, on average.
    pub buy_minutes: f64,
    /// Duration of a slot, in minutes (`active_ttl_seconds`).
    pub slot_minutes: f64,
    /// Holds that are refused, for each purchase.
    pub refusals_per_purchase: f64,
    /// The presence window, in seconds.
    pub presence_seconds: u64,
    /// The claim window, in seconds.
    pub claim_seconds: u64,
    /// `ONSALE_POLLS_PER_SECOND`: polls of one queue above which their intervals grow.
    pub polls_ceiling: u32,
    /// Cores of the machine of a process.
    pub cores_per_process: f64,
    /// Share of each core that may be used at the peak.
    pub utilization: f64,
}

impl PlanInput {
    /// A sale with the usual assumptions.
    #[must_use]
    pub fn new(people: u64, seats: u64, minutes: f64) -> Self {
        Self {
            people,
            seats,
            minutes,
            arrive_minutes: 10.0,
            early_share: 0.5,
            seats_per_buyer: 2.0,
            share_that_pays: 0.8,
            buy_minutes: 3.0,
            slot_minutes: 10.0,
            refusals_per_purchase: 4.0,
            presence_seconds: 90,
            claim_seconds: 60,
            polls_ceiling: 30_000,
            cores_per_process: 4.0,
            utilization: 0.6,
        }
    }

    /// Admitted people who are needed to sell all seats.
    pub(super) fn admitted(&self) -> f64 {
        let buyers = float(self.seats) / self.seats_per_buyer;
        buyers / self.share_that_pays
    }

    /// Admissions per second.
    pub(super) fn rate(&self) -> f64 {
        self.admitted() / (self.minutes * 60.0)
    }

    /// Purchases per second.
    pub(super) fn purchases(&self) -> f64 {
        self.rate() * self.share_that_pays
    }

    /// The settings of the schedule that sell all seats in time.
    pub(super) fn settings(&self) -> Settings {
        let (pays, rate) = (self.share_that_pays, self.rate());
        let kept_minutes = pays * self.buy_minutes + (1.0 - pays) * self.slot_minutes;
        Settings {
            admit_per_second: ceiling(rate).max(1),
            capacity: ceiling(rate * kept_minutes * 60.0).max(1),
        }
    }
}

/// The settings of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = PlannedSettings))]
pub struct Settings {
    /// Limit of admissions per second.
    pub admit_per_second: u64,
    /// Limit of active slots.
    pub capacity: u64,
}
