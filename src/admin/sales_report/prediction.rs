//! How a sale should have gone by the simulation of `onsale simulate`. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use onsale_model::simulation::{Range, Times};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A simulation that has not ended after this time ended with its process.
const LOST_AFTER: TimeDelta = TimeDelta::minutes(1);

/// The prediction of a stored report, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Predicted {
    /// The sale is to be simulated, by any process.
    Wanted,
    /// A process simulates it since then.
    Running(DateTime<Utc>),
    /// There is none.
    Missing(NoPrediction),
    /// How the sale should have gone.
    Made(Box<Prediction>),
}

/// Why there is no prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoPrediction {
    /// The sale has not ended: seats are for sale, and the deadline has not passed.
    SaleRunning,
    /// Nobody joined.
    NoPeople,
    /// There were no seats for sale.
    NoSeats,
    /// Capacity or rate is 0 now, so that the settings of the sale are not known.
    NoAdmission,
    /// It is being simulated. A later answer has it.
    Simulating,
    /// The simulation takes too long for this sale.
    TooLong,
    /// The simulation has failed.
    Failed,
}

impl NoPrediction {
    /// The name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SaleRunning => "sale_running",
            Self::NoPeople => "no_people",
            Self::NoSeats => "no_seats",
            Self::NoAdmission => "no_admission",
            Self::Simulating => "simulating",
            Self::TooLong => "too_long",
            Self::Failed => "failed",
        }
    }
}

/// When people came, as measured. The simulation spreads them by these figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MeasuredArrivals {
    /// Share of the queue entries that were created before the opening.
    pub early_share: f64,
    /// From the first of these to the opening, in seconds.
    pub early_seconds: f64,
    /// Time after the opening within which 19 of 20 of the others were created, in seconds.
    pub late_seconds: f64,
}

/// What the simulation assumes about people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AssumedCrowd {
    /// Share that leaves the queue soon.
    pub leaves_soon: f64,
    /// Share that is away when its turn comes.
    pub no_shows: f64,
    /// Share of the admitted that leaves without a seat.
    pub leaves_sale: f64,
    /// Share of the people with held seats who pay.
    pub pays: f64,
    /// How likely a person wants one seat, two, and so on.
    pub baskets: Vec<f64>,
    /// Median time from admission to the hold, in seconds.
    pub choose_seconds: f64,
    /// Median time from the hold to the payment, in seconds.
    pub pay_seconds: f64,
}

/// The lowest, the median and the highest value of the runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictedRange {
    /// The lowest.
    pub low: f64,
    /// The median.
    pub median: f64,
    /// The highest.
    pub high: f64,
}

/// Predicted percentiles of waits, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictedWaits {
    /// Half of the admitted waited at most this long.
    pub p50: PredictedRange,
    /// Nine of ten.
    pub p90: PredictedRange,
    /// 99 of 100.
    pub p99: PredictedRange,
}

/// How the sale should have gone: a simulation of people with assumed habits, and no measurement.
/// People, seats, settings and arrivals are those of the sale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Prediction {
    /// Different users who joined.
    pub people: i64,
    /// Seats that were for sale: neither blocked nor given to guests.
    pub seats: i64,
    /// Limit of active slots, as it is set now.
    pub capacity: u64,
    /// Limit of admissions per second, as it is set now.
    pub admit_per_second: u64,
    /// Whether capacity or rate had other values during the sale. The simulation has one value.
    pub settings_changed: bool,
    /// Duration of a slot, in seconds.
    pub slot_seconds: f64,
    /// Time to pay for held seats, in seconds.
    pub hold_seconds: f64,
    /// When people came.
    pub arrivals: MeasuredArrivals,
    /// What is assumed about people.
    pub assumed: AssumedCrowd,
    /// Runs of the simulation.
    pub runs: u64,
    /// People for whom one simulated person stands.
    pub people_per_simulated: f64,
    /// Waits from joining until the notice of the admission.
    pub waits: PredictedWaits,
    /// The same from the opening, for people who joined before it.
    pub waits_from_opening: PredictedWaits,
    /// Seats sold.
    pub sold: PredictedRange,
    /// From the opening to the payment of the last seat, in seconds. Null if no run sold all.
    pub sold_out_seconds: Option<PredictedRange>,
}

impl Predicted {
    /// The prediction, if it is made, and otherwise why not.
    #[must_use]
    pub fn parts(self) -> (Option<Prediction>, Option<NoPrediction>) {
        match self {
            Self::Made(prediction) => (Some(*prediction), None),
            Self::Wanted | Self::Running(_) => (None, Some(NoPrediction::Simulating)),
            Self::Missing(reason) => (None, Some(reason)),
        }
    }

    /// Whether a process is to simulate: none has begun, or the one that did has died.
    #[must_use]
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        match self {
            Self::Wanted => true,
            Self::Running(since) => now - *since > LOST_AFTER,
            Self::Missing(_) | Self::Made(_) => false,
        }
    }

    /// Whether the prediction will follow.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        matches!(self, Self::Wanted | Self::Running(_))
    }
}

impl From<Range> for PredictedRange {
    fn from(range: Range) -> Self {
        Self { low: range.low, median: range.median, high: range.high }
    }
}

impl From<Times> for PredictedWaits {
    fn from(times: Times) -> Self {
        Self { p50: times.half.into(), p90: times.nine_of_ten.into(), p99: times.most.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulation_is_due_if_none_runs_or_its_process_has_died() {
        let now = DateTime::from_timestamp(1_000, 0).expect("a time");
        assert!(Predicted::Wanted.is_due(now));
        assert!(!Predicted::Running(now - TimeDelta::seconds(59)).is_due(now));
        assert!(Predicted::Running(now - TimeDelta::seconds(61)).is_due(now));
        assert!(!Predicted::Missing(NoPrediction::TooLong).is_due(now));
    }

    #[test]
    fn a_reason_has_one_name_in_json_and_csv() {
        for reason in [
            NoPrediction::SaleRunning,
            NoPrediction::NoPeople,
            NoPrediction::NoSeats,
            NoPrediction::NoAdmission,
            NoPrediction::Simulating,
            NoPrediction::TooLong,
            NoPrediction::Failed,
        ] {
            assert_eq!(serde_json::json!(reason), reason.as_str());
        }
    }
}
