//! What several runs of a sale have in common, and how far they differ.

use std::convert::Infallible;

use serde::Serialize;

use super::ends::Ends;
use super::input::SimulationInput;
use super::plot::Plot;
use super::range::Range;
use super::run::Run;
use crate::number::{ceiling, count, float};

/// Percentiles of times over the people of a run, each with its range over the runs (s).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Times {
    /// Half of the people took at most this long.
    pub half: Range,
    /// Nine of ten.
    pub nine_of_ten: Range,
    /// 99 of 100.
    pub most: Range,
}

impl Times {
    fn of(runs: &[Run], times: impl Fn(&Run) -> &[f64]) -> Self {
        let at = |share: f64| Range::of(runs.iter().map(|run| percentile(times(run), share)));
        Self { half: at(0.5), nine_of_ten: at(0.9), most: at(0.99) }
    }
}

/// The value that `share` of the sorted values do not exceed.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = ceiling(share * float(sorted.len() as u64)).saturating_sub(1);
    usize::try_from(rank).ok().and_then(|rank| sorted.get(rank)).copied().unwrap_or_default()
}

/// The runs of a sale. Counts are of the whole sale, not of the simulated part.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Summary {
    /// The sale.
    pub input: SimulationInput,
    /// People for whom one simulated person stands.
    pub scale: f64,
    /// Runs, each with another seed.
    pub runs: usize,
    /// Runs in which everything was sold.
    pub sold_out: usize,
    /// From the opening to the last payment (s), of these runs.
    pub sold_out_seconds: Range,
    /// Runs in which 99 of 100 seats were sold.
    pub nearly_sold: usize,
    /// From the opening until then (s), of these runs.
    pub nearly_sold_seconds: Range,
    /// Seats sold.
    pub sold: Range,
    /// From joining to the admission's notice (s).
    pub waits: Times,
    /// The same, from the opening for those who joined before it (s).
    pub waits_from_opening: Times,
    /// Time for which a slot was used (s), on average.
    pub slot_seconds: Range,
    /// Most slots in use at a time.
    pub peak_active: Range,
    /// Polls.
    pub polls: Range,
    /// Refused holds.
    pub refused_holds: Range,
    /// How people ended, in the first run.
    pub ends: Ends,
    /// The course of the sale.
    pub plots: Vec<Plot>,
}

impl Summary {
    /// Sums up runs of one sale.
    #[must_use]
    fn of(input: SimulationInput, runs: &[Run]) -> Self {
        let scale = input.scale();
        let counts =
            |field: fn(&Run) -> u64| Range::of(runs.iter().map(|run| float(field(run)) * scale));
        let mean = |run: &Run| run.slots.iter().sum::<f64>() / float(run.slots.len().max(1) as u64);
        Self {
            scale,
            runs: runs.len(),
            sold_out: runs.iter().filter(|run| run.sold_out_seconds.is_some()).count(),
            sold_out_seconds: Range::of(runs.iter().filter_map(|run| run.sold_out_seconds)),
            nearly_sold: runs.iter().filter(|run| run.nearly_sold_seconds.is_some()).count(),
            nearly_sold_seconds: Range::of(runs.iter().filter_map(|run| run.nearly_sold_seconds)),
            sold: counts(|run| run.sold),
            waits: Times::of(runs, |run| &run.waits),
            waits_from_opening: Times::of(runs, |run| &run.waits_from_opening),
            slot_seconds: Range::of(runs.iter().map(mean)),
            peak_active: counts(|run| run.peak_active),
            polls: counts(|run| run.polls),
            refused_holds: counts(|run| run.refused_holds),
            ends: runs.first().map(|run| run.ends).unwrap_or_default(),
            plots: Plot::all(runs, input.auto.is_some()),
            input,
        }
    }

    /// When 99 of 100 seats were sold in the slowest run (s); `None` if a run sold fewer.
    #[must_use]
    pub fn surely_nearly_sold(&self) -> Option<f64> {
        (self.nearly_sold == self.runs).then_some(self.nearly_sold_seconds.high)
    }

    /// A number of simulated people as people of the sale.
    #[must_use]
    pub(super) fn people(&self, simulated: u64) -> u64 {
        count(float(simulated) * self.scale)
    }
}

impl SimulationInput {
    /// Runs the sale with `seeds` seeds, from 1 on.
    #[must_use]
    pub fn summary(&self, seeds: u64) -> Summary {
        let Ok(summary) = self.summary_watched::<Infallible>(seeds, &mut || Ok(()));
        summary
    }

    /// As [`SimulationInput::summary`]. Calls `watch` again and again, which may end the runs.
    ///
    /// # Errors
    /// The error of `watch`.
    pub fn summary_watched<E>(
        &self,
        seeds: u64,
        watch: &mut impl FnMut() -> Result<(), E>,
    ) -> Result<Summary, E> {
        let runs = (1..=seeds.max(1)).map(|seed| self.run_watched(seed, watch));
        Ok(Summary::of(self.clone(), &runs.collect::<Result<Vec<Run>, E>>()?))
    }
}
