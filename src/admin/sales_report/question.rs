//! What the simulation is asked about a sale, and its answer. Pure.

use onsale_model::simulation::{Arrivals, Curve, SimulationInput, Summary, Takes};

use super::model::Figures;
use super::prediction::{AssumedCrowd, MeasuredArrivals, NoPrediction, Predicted, Prediction};
use crate::admin::forecast::model::set_rules;
use crate::concert::model::Schedule;

/// People who are simulated one by one; one stands for several if more came.
const SIMULATED: u64 = 2_000;

/// The question to the simulation.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The sale.
    pub input: SimulationInput,
    arrivals: MeasuredArrivals,
    settings_changed: bool,
}

/// What a report with these figures has as its prediction. `previous` are the stored figures, whose
/// prediction stays while it answers the same question.
#[must_use]
pub fn predicted(
    figures: &Figures,
    previous: &Figures,
    schedule: &Schedule,
    is_over: bool,
) -> Predicted {
    let question = match Question::of(figures, schedule, is_over) {
        Ok(question) => question,
        Err(reason) => return Predicted::Missing(reason),
    };
    match &previous.prediction {
        Some(Predicted::Made(made)) if question.is_answered_by(made) => {
            Predicted::Made(made.clone())
        }
        Some(
            earlier @ (Predicted::Running(_)
            | Predicted::Missing(NoPrediction::TooLong | NoPrediction::Failed)),
        ) if same_sale(previous, figures) => earlier.clone(),
        _ => Predicted::Wanted,
    }
}

/// Whether the simulation has the same people and seats by both figures.
fn same_sale(one: &Figures, other: &Figures) -> bool {
    let of = |it: &Figures| (it.line.people, seats_for_sale(it), it.arrivals, it.settings_changed);
    of(one) == of(other)
}

/// Seats that are neither blocked nor given to guests.
fn seats_for_sale(figures: &Figures) -> u64 {
    let sales = &figures.sales;
    u64::try_from(sales.seats - sales.blocked - sales.guests).unwrap_or(0)
}

impl Question {
    /// What to simulate for a sale with these figures.
    ///
    /// # Errors
    /// Why the sale cannot be simulated.
    pub fn of(figures: &Figures, schedule: &Schedule, is_over: bool) -> Result<Self, NoPrediction> {
        let people = u64::try_from(figures.line.people).unwrap_or(0);
        let Some(arrivals) = figures.arrivals.filter(|_| people > 0) else {
            return Err(NoPrediction::NoPeople);
        };
        let seats = seats_for_sale(figures);
        if seats == 0 {
            return Err(NoPrediction::NoSeats);
        }
        if !is_over && figures.sales.sold.unsigned_abs() < seats {
            return Err(NoPrediction::SaleRunning);
        }
        let mut input = SimulationInput::new(people, seats);
        set_rules(&mut input, schedule);
        if input.rules.capacity == 0 || input.rules.admit_per_second == 0 {
            return Err(NoPrediction::NoAdmission);
        }
        input.arrivals = Arrivals {
            early_share: arrivals.early_share,
            early_seconds: arrivals.early_seconds,
            late_seconds: arrivals.late_seconds,
            curve: Curve::Rush,
        };
        input.most_simulated = SIMULATED;
        Ok(Self { input, arrivals, settings_changed: figures.settings_changed })
    }

    /// The prediction by the runs of the simulation.
    #[must_use]
    pub fn answer(&self, summary: &Summary) -> Prediction {
        Prediction {
            runs: summary.runs as u64,
            people_per_simulated: summary.scale,
            waits: summary.waits.into(),
            waits_from_opening: summary.waits_from_opening.into(),
            sold: summary.sold.into(),
            sold_out_seconds: (summary.sold_out > 0).then(|| summary.sold_out_seconds.into()),
            people: self.input.people.cast_signed(),
            seats: self.input.seats.cast_signed(),
            capacity: self.input.rules.capacity,
            admit_per_second: self.input.rules.admit_per_second,
            settings_changed: self.settings_changed,
            slot_seconds: self.input.rules.slot_seconds,
            hold_seconds: self.input.rules.hold_seconds,
            arrivals: self.arrivals,
            assumed: assumed(&self.input),
        }
    }

    /// Whether a prediction was made for the same people, seats and settings.
    fn is_answered_by(&self, made: &Prediction) -> bool {
        let (input, rules) = (&self.input, &self.input.rules);
        let times = |slot: f64, hold: f64| (slot.to_bits(), hold.to_bits());
        made.people == input.people.cast_signed()
            && made.seats == input.seats.cast_signed()
            && (made.capacity, made.admit_per_second) == (rules.capacity, rules.admit_per_second)
            && times(made.slot_seconds, made.hold_seconds)
                == times(rules.slot_seconds, rules.hold_seconds)
            && made.settings_changed == self.settings_changed
            && made.arrivals == self.arrivals
            && made.assumed == assumed(input)
    }
}

/// What the simulation assumes about people.
fn assumed(input: &SimulationInput) -> AssumedCrowd {
    let crowd = &input.crowd;
    let median = |takes: Takes| match takes {
        Takes::About(median) => median,
        Takes::Between(least, most) => f64::midpoint(least, most),
    };
    AssumedCrowd {
        leaves_soon: crowd.leaves_soon,
        no_shows: crowd.no_shows,
        leaves_sale: crowd.leaves_sale,
        pays: crowd.pays,
        baskets: crowd.baskets.clone(),
        choose_seconds: median(crowd.choose),
        pay_seconds: median(crowd.pay),
    }
}
