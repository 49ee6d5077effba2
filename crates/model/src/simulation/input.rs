//! A sale to simulate: its settings, and its people.

use serde::Serialize;

use crate::auto_rate::AutoRules;
use crate::auto_rate::store_load::StoreRules;
use crate::number::float;

/// The usual number of people that are simulated one by one at most.
pub const LARGEST: u64 = 10_000;

/// When people come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Arrivals {
    /// Share of the people who come before the opening.
    pub early_share: f64,
    /// Time before the opening within which these come (s).
    pub early_seconds: f64,
    /// Time after the opening within which nearly all others come (s).
    pub late_seconds: f64,
    /// How they are spread.
    pub curve: Curve,
}

/// How arrivals are spread over their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Curve {
    /// At the same rate all the time.
    Even,
    /// Ever more towards the opening, and ever fewer after it.
    Rush,
}

/// How long something takes a person (s).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Takes {
    /// Log-normal, with this median: half are faster, and one in 20 takes 2.7 times as long.
    About(f64),
    /// Any time between these two.
    Between(f64, f64),
}

/// How people behave.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Crowd {
    /// Mean time after which a waiting person closes the page (s); `None`: nobody does.
    pub patience_seconds: Option<f64>,
    /// Share that leaves the queue after two polls.
    pub leaves_soon: f64,
    /// Share that is away when its turn comes, with the page open.
    pub no_shows: f64,
    /// Share of the admitted that leaves without a seat.
    pub leaves_sale: f64,
    /// Share that pays for the seats it holds.
    pub pays: f64,
    /// How likely a person wants one seat, two, and so on.
    pub baskets: Vec<f64>,
    /// From admission to the hold.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub choose: Takes,
    /// From the hold to the payment.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub pay: Takes,
    /// Holds that a person tries, each for one seat less.
    pub attempts: u32,
    /// Between two of them.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub retry: Takes,
}

/// The settings of the sale and of the service.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SaleRules {
    /// Limit of active slots.
    pub capacity: u64,
    /// Limit of admissions per second.
    pub admit_per_second: u64,
    /// Duration of a slot (s).
    pub slot_seconds: f64,
    /// Time to pay for held seats (s).
    pub hold_seconds: f64,
    /// The claim window (s).
    pub claim_seconds: f64,
    /// The presence window (s).
    pub presence_seconds: f64,
    /// The grace of an entry that was passed over (s).
    pub grace_seconds: f64,
    /// End of the sale after its opening (s).
    pub closes_after_seconds: f64,
    /// `ONSALE_POLLS_PER_SECOND`.
    pub polls_ceiling: u32,
}

/// A sale to simulate.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SimulationInput {
    /// People who come.
    pub people: u64,
    /// Seats on sale.
    pub seats: u64,
    /// Settings.
    pub rules: SaleRules,
    /// When people come.
    pub arrivals: Arrivals,
    /// How they behave.
    pub crowd: Crowd,
    /// Most people that are simulated one by one.
    pub most_simulated: u64,
    /// Feedback admission, on an assumed store. `None`: the rate is fixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(ignore))]
    pub auto: Option<AutoSale>,
}

/// Feedback admission: its rules, and the store that it protects.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AutoSale {
    /// Bounds and targets.
    pub rules: AutoRules,
    /// What answers holds and payments.
    pub store: StoreRules,
}

impl SimulationInput {
    /// A sale with the default settings of a schedule and an assumed crowd.
    #[must_use]
    pub fn new(people: u64, seats: u64) -> Self {
        let rules = SaleRules {
            capacity: 500,
            admit_per_second: 50,
            slot_seconds: 600.0,
            hold_seconds: 300.0,
            claim_seconds: 60.0,
            presence_seconds: 90.0,
            grace_seconds: 600.0,
            closes_after_seconds: 86_400.0,
            polls_ceiling: 30_000,
        };
        let arrivals = Arrivals {
            early_share: 0.5,
            early_seconds: 1800.0,
            late_seconds: 600.0,
            curve: Curve::Rush,
        };
        let crowd = Crowd {
            patience_seconds: None,
            leaves_soon: 0.02,
            no_shows: 0.05,
            leaves_sale: 0.05,
            pays: 0.85,
            baskets: vec![0.3, 0.5, 0.1, 0.1],
            choose: Takes::About(60.0),
            pay: Takes::About(60.0),
            attempts: 4,
            retry: Takes::About(10.0),
        };
        Self { people, seats, rules, arrivals, crowd, most_simulated: LARGEST, auto: None }
    }

    /// People for whom one simulated person stands.
    #[must_use]
    pub fn scale(&self) -> f64 {
        (float(self.people) / float(self.most_simulated.max(1))).max(1.0)
    }
}
