//! Requests and answers of forecasts. The figures of answers are those of the model.

use garde::Validate;
use onsale_model::plan::PlanInput;
use onsale_model::simulation::{Arrivals, Curve, Recommendation, SimulationInput, Summary, Takes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::error::AdminError;
use crate::concert::model::{QueueSettings, Schedule};
use crate::store::id::ScheduleId;

/// Seats of one purchase, at most.
const LARGEST_BASKET: usize = 20;
/// People who are simulated one by one, unless the request says otherwise.
const SIMULATED: u64 = 4_000;
/// Runs, unless the request says otherwise.
const SEEDS: u64 = 5;

/// A sale to plan. Fields that are absent are those of the schedule, or the usual assumptions.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanRequest {
    /// The schedule whose seats and settings count.
    #[garde(skip)]
    #[schema(value_type = Option<i64>)]
    pub schedule_id: Option<ScheduleId>,
    /// People who will come.
    #[garde(range(min = 1, max = 1_000_000_000))]
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    pub people: u64,
    /// Seats on sale. Needed without a schedule.
    #[garde(range(min = 1, max = 100_000_000))]
    #[schema(minimum = 1, maximum = 100_000_000)]
    pub seats: Option<u64>,
    /// Minutes from the opening within which all seats are to be sold. Default: 60.
    #[garde(range(min = 0.1, max = 10_080.0))]
    #[schema(minimum = 0.1, maximum = 10_080)]
    pub minutes: Option<f64>,
    /// Minutes within which the people join. Default: 10.
    #[garde(range(min = 0.1, max = 10_080.0))]
    #[schema(minimum = 0.1, maximum = 10_080)]
    pub arrive_minutes: Option<f64>,
    /// Share of the people who join before the opening. Default: 0.5.
    #[garde(range(min = 0.0, max = 1.0))]
    #[schema(minimum = 0, maximum = 1)]
    pub early_share: Option<f64>,
    /// Seats of one purchase, on average. Default: 2.
    #[garde(range(min = 0.1, max = 100.0))]
    #[schema(minimum = 0.1, maximum = 100)]
    pub seats_per_buyer: Option<f64>,
    /// Share of the admitted who buy. Default: 0.8.
    #[garde(range(min = 0.01, max = 1.0))]
    #[schema(minimum = 0.01, maximum = 1)]
    pub share_that_pays: Option<f64>,
    /// Minutes from admission to payment, on average. Default: 3.
    #[garde(range(min = 0.01, max = 1_440.0))]
    #[schema(minimum = 0.01, maximum = 1_440)]
    pub buy_minutes: Option<f64>,
    /// Refused holds for each purchase. Default: 4.
    #[garde(range(min = 0.0, max = 1_000.0))]
    #[schema(minimum = 0, maximum = 1_000)]
    pub refusals_per_purchase: Option<f64>,
    /// Cores of the machine of a process. Default: 4.
    #[garde(range(min = 0.1, max = 1_024.0))]
    #[schema(minimum = 0.1, maximum = 1_024)]
    pub cores_per_process: Option<f64>,
}

/// A sale to simulate. Fields that are absent are those of the schedule, or the usual assumptions.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulationRequest {
    /// The schedule whose seats and settings count.
    #[garde(skip)]
    #[schema(value_type = Option<i64>)]
    pub schedule_id: Option<ScheduleId>,
    /// People who will come.
    #[garde(range(min = 1, max = 1_000_000_000))]
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    pub people: u64,
    /// Seats on sale. Needed without a schedule.
    #[garde(range(min = 1, max = 100_000_000))]
    #[schema(minimum = 1, maximum = 100_000_000)]
    pub seats: Option<u64>,
    /// Limit of active slots.
    #[garde(range(min = 1, max = 1_000_000))]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub capacity: Option<u64>,
    /// Limit of admissions per second.
    #[garde(range(min = 1, max = 10_000))]
    #[schema(minimum = 1, maximum = 10_000)]
    pub admit_per_second: Option<u64>,
    /// Minutes within which 99 of 100 seats are to be sold: capacity and rate are recommended.
    #[garde(range(min = 0.1, max = 10_080.0))]
    #[schema(minimum = 0.1, maximum = 10_080)]
    pub within_minutes: Option<f64>,
    /// Share of the people who come before the opening. Default: 0.5.
    #[garde(range(min = 0.0, max = 1.0))]
    #[schema(minimum = 0, maximum = 1)]
    pub early_share: Option<f64>,
    /// Minutes before the opening within which these come. Default: 30.
    #[garde(range(min = 0.0, max = 10_080.0))]
    #[schema(minimum = 0, maximum = 10_080)]
    pub early_minutes: Option<f64>,
    /// Minutes after the opening within which nearly all others come. Default: 10.
    #[garde(range(min = 0.01, max = 10_080.0))]
    #[schema(minimum = 0.01, maximum = 10_080)]
    pub late_minutes: Option<f64>,
    /// Whether arrivals are spread evenly. Default: false, most come around the opening.
    #[serde(default)]
    #[garde(skip)]
    pub even: bool,
    /// Mean number of minutes after which a waiting person closes the page. Absent: nobody does.
    #[garde(range(min = 0.1, max = 10_080.0))]
    #[schema(minimum = 0.1, maximum = 10_080)]
    pub patience_minutes: Option<f64>,
    /// Share that is away when its turn comes. Default: 0.05.
    #[garde(range(min = 0.0, max = 1.0))]
    #[schema(minimum = 0, maximum = 1)]
    pub no_shows: Option<f64>,
    /// How likely a person wants one seat, two, and so on. Default: 30, 50, 10, 10.
    #[garde(length(min = 1, max = LARGEST_BASKET), inner(inner(range(min = 0.0, max = 1e6))))]
    #[schema(min_items = 1, max_items = 20)]
    pub baskets: Option<Vec<f64>>,
    /// Seconds from admission to the hold, at the median. Default: 60.
    #[garde(range(min = 0.1, max = 86_400.0))]
    #[schema(minimum = 0.1, maximum = 86_400)]
    pub choose_seconds: Option<f64>,
    /// Seconds from the hold to the payment, at the median. Default: 60.
    #[garde(range(min = 0.1, max = 86_400.0))]
    #[schema(minimum = 0.1, maximum = 86_400)]
    pub pay_seconds: Option<f64>,
    /// Share of the people with held seats who pay. Default: 0.85.
    #[garde(range(min = 0.0, max = 1.0))]
    #[schema(minimum = 0, maximum = 1)]
    pub pays: Option<f64>,
    /// Runs, each with another seed. Default: 5.
    #[garde(range(min = 1, max = 10))]
    #[schema(minimum = 1, maximum = 10)]
    pub seeds: Option<u64>,
    /// People who are simulated one by one; one stands for several if more come. Default: 4,000.
    #[garde(range(min = 100, max = 10_000))]
    #[schema(minimum = 100, maximum = 10_000)]
    pub most_simulated: Option<u64>,
}

/// How a sale goes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Simulation {
    /// The lowest capacity and rate that sell 99 of 100 seats in the wanted time, with which the
    /// sale was simulated. Null if none were asked for.
    pub recommended: Option<Recommended>,
    /// The course of the sale over all runs.
    pub summary: Summary,
}

/// Settings for a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Recommended {
    /// Limit of active slots.
    pub capacity: u64,
    /// Limit of admissions per second.
    pub admit_per_second: u64,
}

/// What a schedule gives to a forecast.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'s> {
    /// The schedule.
    pub schedule: &'s Schedule,
    /// Its seats that are for sale.
    pub seats: u64,
}

fn seats(given: Option<u64>, basis: Option<Basis<'_>>) -> Result<u64, AdminError> {
    let seats = given.or(basis.map(|basis| basis.seats));
    let seats =
        seats.ok_or_else(|| AdminError::invalid("/seats", "is needed without schedule_id"))?;
    if seats == 0 {
        return Err(AdminError::invalid("/schedule_id", "has no seats for sale"));
    }
    Ok(seats)
}

impl PlanRequest {
    /// What the model is asked.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] if there are no seats.
    pub fn input(
        &self,
        basis: Option<Basis<'_>>,
        polls_ceiling: u32,
    ) -> Result<PlanInput, AdminError> {
        let minutes = self.minutes.unwrap_or(60.0);
        let usual = PlanInput::new(self.people, seats(self.seats, basis)?, minutes);
        let settings = basis.map(|basis| &basis.schedule.settings);
        let of = |of_schedule: fn(&QueueSettings) -> u32| {
            settings.map(|settings| u64::from(of_schedule(settings)))
        };
        let slot = settings.map(|settings| f64::from(settings.active_ttl_seconds) / 60.0);
        Ok(PlanInput {
            arrive_minutes: self.arrive_minutes.unwrap_or(usual.arrive_minutes),
            early_share: self.early_share.unwrap_or(usual.early_share),
            seats_per_buyer: self.seats_per_buyer.unwrap_or(usual.seats_per_buyer),
            share_that_pays: self.share_that_pays.unwrap_or(usual.share_that_pays),
            buy_minutes: self.buy_minutes.unwrap_or(usual.buy_minutes),
            slot_minutes: slot.unwrap_or(usual.slot_minutes),
            refusals_per_purchase: (self.refusals_per_purchase)
                .unwrap_or(usual.refusals_per_purchase),
            presence_seconds: of(|it| it.presence_window_seconds).unwrap_or(usual.presence_seconds),
            claim_seconds: of(|it| it.claim_window_seconds).unwrap_or(usual.claim_seconds),
            cores_per_process: self.cores_per_process.unwrap_or(usual.cores_per_process),
            polls_ceiling,
            ..usual
        })
    }
}

impl SimulationRequest {
    /// Runs, each with another seed.
    #[must_use]
    pub fn seeds(&self) -> u64 {
        self.seeds.unwrap_or(SEEDS)
    }

    /// What the model is asked.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] if there are no seats.
    pub fn input(
        &self,
        basis: Option<Basis<'_>>,
        polls_ceiling: u32,
    ) -> Result<SimulationInput, AdminError> {
        let mut input = SimulationInput::new(self.people, seats(self.seats, basis)?);
        if let Some(Basis { schedule, .. }) = basis {
            set_rules(&mut input, schedule);
        }
        let rules = &mut input.rules;
        rules.polls_ceiling = polls_ceiling;
        rules.capacity = self.capacity.unwrap_or(rules.capacity);
        rules.admit_per_second = self.admit_per_second.unwrap_or(rules.admit_per_second);
        let (usual, minutes) = (input.arrivals, |minutes: f64| minutes * 60.0);
        input.arrivals = Arrivals {
            early_share: self.early_share.unwrap_or(usual.early_share),
            early_seconds: self.early_minutes.map_or(usual.early_seconds, minutes),
            late_seconds: self.late_minutes.map_or(usual.late_seconds, minutes),
            curve: if self.even { Curve::Even } else { Curve::Rush },
        };
        let crowd = &mut input.crowd;
        crowd.patience_seconds = self.patience_minutes.map(minutes);
        crowd.no_shows = self.no_shows.unwrap_or(crowd.no_shows);
        crowd.pays = self.pays.unwrap_or(crowd.pays);
        if let Some(baskets) = &self.baskets {
            crowd.baskets.clone_from(baskets);
        }
        crowd.choose = self.choose_seconds.map_or(crowd.choose, Takes::About);
        crowd.pay = self.pay_seconds.map_or(crowd.pay, Takes::About);
        input.most_simulated = self.most_simulated.unwrap_or(SIMULATED);
        Ok(input)
    }
}

/// Takes the settings of a schedule over.
pub fn set_rules(input: &mut SimulationInput, schedule: &Schedule) {
    let (rules, settings) = (&mut input.rules, &schedule.settings);
    rules.capacity = settings.capacity.into();
    rules.admit_per_second = settings.admit_per_second.into();
    rules.slot_seconds = settings.active_ttl_seconds.into();
    rules.hold_seconds = settings.hold_ttl_seconds.into();
    rules.claim_seconds = settings.claim_window_seconds.into();
    rules.presence_seconds = settings.presence_window_seconds.into();
    rules.grace_seconds = settings.return_grace_seconds.into();
    let window = schedule.deadline_at - schedule.reservation_available_at;
    rules.closes_after_seconds = window.as_seconds_f64();
    // Nobody wants more seats than they may have.
    let most = usize::try_from(settings.max_seats_per_user).unwrap_or(usize::MAX).max(1);
    input.crowd.baskets.truncate(most);
}

impl From<Recommendation> for Simulation {
    fn from(found: Recommendation) -> Self {
        let Recommendation { capacity, admit_per_second, summary, .. } = found;
        Self { recommended: Some(Recommended { capacity, admit_per_second }), summary }
    }
}
