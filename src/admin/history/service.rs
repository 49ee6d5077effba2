//! Reads the history of a sale.

use chrono::{DateTime, TimeDelta, Utc};

use super::grid::Grid;
use super::markers;
use super::model::{History, HistoryQuery, MAX_VALUES, STEPS};
use super::pg::changes::{self, MAX_CHANGES};
use super::pg::read::{self, Progress};
use super::sample::Sample;
use crate::admin::error::AdminError;
use crate::concert::service::Catalogue;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;

/// The time that is read if none is asked for.
const USUAL: TimeDelta = TimeDelta::hours(1);
/// Without a step, the shortest one with at most this many values.
const USUAL_VALUES: i64 = 3_600;
/// How long readings and buckets of 10 s are there for certain.
const SECONDS_KEPT: TimeDelta = TimeDelta::hours(1);
const TENS_KEPT: TimeDelta = TimeDelta::hours(24);
/// Samples from this long before the time are read too: they may still stand, and rates need two.
const MARGIN: TimeDelta = TimeDelta::seconds(130);

/// Reads the history of sales; cheap to clone.
#[derive(Debug, Clone)]
pub struct SaleHistory {
    pg: Pg,
    catalogue: Catalogue,
}

impl SaleHistory {
    /// Creates the service.
    #[must_use]
    pub fn new(pg: Pg, catalogue: Catalogue) -> Self {
        Self { pg, catalogue }
    }

    /// Reads the history of a sale.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] if the time is empty, or has more values than one answer.
    pub async fn history(
        &self,
        id: ScheduleId,
        query: &HistoryQuery,
    ) -> Result<History, AdminError> {
        let schedule = self.catalogue.schedule(id).await?;
        let progress = read::progress(&self.pg).await?;
        let grid = grid(query, progress.now)?;
        let (from, until) = (grid.from, grid.until());
        let samples = self.samples(id, &grid, &progress).await?;
        let sale = (id, schedule.concert_id);
        let changed = changes::of_sale(&self.pg, sale, from, until).await?;
        let mut markers = changes::repairs(&self.pg, id, from, until).await?;
        markers.extend(changed.iter().flat_map(markers::of_change));
        let in_time = |at: DateTime<Utc>| at >= from && at < until;
        markers.extend(markers::of_samples(&samples).into_iter().filter(|it| in_time(it.at)));
        markers.sort_by_key(|marker| (marker.at, marker.kind));
        let most = usize::try_from(MAX_CHANGES).unwrap_or(usize::MAX);
        markers.drain(..markers.len().saturating_sub(most));
        let recorded_until = samples.last().map(|sample| sample.at).filter(|at| in_time(*at));
        Ok(History {
            from,
            until,
            step: grid.step,
            series: grid.series(&samples, progress.now),
            markers,
            recorded_until,
            server_time: progress.now,
        })
    }

    /// The samples for a grid, in order of time: those of its step, longer ones where these are
    /// deleted, and shorter ones where these are not made yet.
    async fn samples(
        &self,
        id: ScheduleId,
        grid: &Grid,
        progress: &Progress,
    ) -> Result<Vec<Sample>, StoreError> {
        let (from, until) = (grid.from - MARGIN, grid.until());
        let begins = |at: DateTime<Utc>| {
            let seconds = at.timestamp().div_euclid(60) * 60;
            DateTime::from_timestamp(seconds, 0).unwrap_or(at)
        };
        // Buckets end where the next shorter samples begin.
        let tens = begins(progress.now - TENS_KEPT).min(progress.minutes);
        let (tens, seconds) = match grid.step {
            1 => (tens, begins(progress.now - SECONDS_KEPT).min(progress.tens)),
            10 => (tens, progress.tens),
            _ => (progress.minutes, progress.tens),
        };
        let mut all = read::samples(&self.pg, id, 60, from, until.min(tens)).await?;
        all.extend(read::samples(&self.pg, id, 10, from.max(tens), until.min(seconds)).await?);
        all.extend(read::samples(&self.pg, id, 1, from.max(seconds), until).await?);
        Ok(all)
    }
}

/// The grid of a query.
fn grid(query: &HistoryQuery, now: DateTime<Utc>) -> Result<Grid, AdminError> {
    let until = query.until.unwrap_or(now);
    let from = query.from.unwrap_or(until - USUAL);
    if from >= until {
        return Err(AdminError::invalid("/from", "it must be before `until`"));
    }
    if query.step.is_some_and(|step| !STEPS.contains(&step)) {
        return Err(AdminError::invalid("/step", "it must be 1, 10 or 60"));
    }
    let fits = |step: &u32| (until - from).num_seconds() / i64::from(*step) <= USUAL_VALUES;
    let step = query.step.or_else(|| STEPS.into_iter().find(fits)).unwrap_or(STEPS[2]);
    let grid = Grid::over(from, until, step);
    if grid.count > MAX_VALUES {
        let detail = "the time has more than 10,080 values: ask for less, or for a longer `step`";
        return Err(AdminError::invalid("/from", detail));
    }
    Ok(grid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_the_shortest_step_that_fits_unless_it_names_one() {
        let now = DateTime::from_timestamp(1_796_000_040, 0).unwrap();
        let ago = |hours| Some(now - TimeDelta::hours(hours));
        let found = |from, step| {
            let query = HistoryQuery { from, until: None, step };
            grid(&query, now).map(|grid| (grid.step, grid.count)).ok()
        };
        assert_eq!(found(None, None), Some((1, 3600)));
        assert_eq!(found(ago(2), None), Some((10, 720)));
        assert_eq!(found(ago(24), None).map(|it| it.0), Some(60));
        assert_eq!(found(ago(24), Some(10)), Some((10, 8640)));
        assert_eq!(found(ago(24), Some(1)), None, "too many values");
        assert_eq!(found(Some(now), None), None, "an empty time");
    }
}
