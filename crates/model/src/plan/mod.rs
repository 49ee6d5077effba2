//! What a sale needs: settings, load at the peak, processes, cores, memory and bandwidth, by the
//! pacing of polls and the measured costs.
//!
//! Peaks that do not come at the same moment are added, so the plan is on the safe side there. Its
//! assumptions are part of it.

mod input;
mod load;
mod needs;
mod points;
#[cfg(test)]
mod tests;
mod text;

use serde::Serialize;

pub use input::{MAX_ADMIT_PER_SECOND, MAX_CAPACITY, PlanInput, Settings};
pub use load::Load;
pub use needs::Needs;
pub use points::Comparison;

use crate::costs::{Costs, Missing};
use crate::number::float;

/// What a sale needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Plan {
    /// What was asked and assumed.
    pub input: PlanInput,
    /// The settings of the schedule.
    pub settings: Settings,
    /// The load at the peak.
    pub load: Load,
    /// What serves this load.
    pub needs: Needs,
    /// What does not fit, and what to do.
    pub warnings: Vec<String>,
    /// The same calculation, compared with measurements.
    pub comparisons: Vec<Comparison>,
    /// Costs that were never measured.
    pub missing: Vec<Missing>,
}

impl Plan {
    /// Plans a sale.
    #[must_use]
    pub fn new(input: PlanInput, costs: &Costs) -> Self {
        let settings = input.settings();
        let load = Load::at_peak(&input, settings);
        let needs = Needs::of(&input, &load, &costs.figures);
        let warnings = warnings(&input, settings, &needs);
        let comparisons = points::compare(costs);
        Self { input, settings, load, needs, warnings, comparisons, missing: costs.missing.clone() }
    }
}

fn warnings(input: &PlanInput, settings: Settings, needs: &Needs) -> Vec<String> {
    let mut found = Vec::new();
    if needs.redis_cores > input.utilization {
        found.push(format!(
            "Redis would use {:.0} % of a core. All calls of one sale run on one thread of one \
             server, and at most {:.0} % are planned: open the queue earlier, so that people join \
             over a longer time (--arrive), or use fewer and larger processes (--cores)",
            needs.redis_cores * 100.0,
            input.utilization * 100.0,
        ));
    }
    let bounds = [
        ("admit_per_second", settings.admit_per_second, MAX_ADMIT_PER_SECOND),
        ("capacity", settings.capacity, MAX_CAPACITY),
    ];
    for (name, value, bound) in bounds.iter().filter(|(_, value, bound)| value > bound) {
        found.push(format!("{name} would be {value}, and {bound} is the limit: plan more minutes"));
    }
    if input.admitted() > float(input.people) {
        found.push(format!(
            "{} people are too few to buy all seats at {} seats for each buyer",
            input.people, input.seats_per_buyer
        ));
    }
    found
}
