//! Computes sales reports: one process at a time for each schedule, in short statements that share
//! one snapshot, and from the start again if the process dies.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::model::Figures;
use super::pg;
use super::pg::stored::{Computed, SaleState};
use super::predictor::Predictor;
use super::question::predicted;
use super::tally::{Tally, WholeFigures};
use crate::concert::pg::schedule_in;
use crate::store::id::ScheduleId;
use crate::store::pg::{Pg, Tx};
use crate::store::{Store, StoreError};

/// How often each process looks for reports that another process left behind when it died.
const LOOK: Duration = Duration::from_secs(5);
/// Rows of the first page. Later pages are as long as fits into [`PAGE_TIME`].
const FIRST_PAGE: i64 = 10_000;
const LONGEST_PAGE: i64 = 100_000;
/// A statement may take 3 s.
const PAGE_TIME: Duration = Duration::from_millis(500);
/// Rejections are counted for some seconds before they are written, so the figures are not final
/// before this much time has passed since the sale closed.
const LATE_COUNTS: TimeDelta = TimeDelta::minutes(1);

/// Computes the reports that were asked for.
#[derive(Debug, Clone)]
pub struct ReportJob {
    pg: Pg,
    wanted: Arc<Notify>,
    predictor: Predictor,
}

/// The length of the next page.
#[derive(Debug, Clone, Copy)]
struct Pace {
    rows: i64,
    begun: Instant,
}

impl ReportJob {
    /// Puts the job together. `wanted` is notified when a report was asked for in this process.
    #[must_use]
    pub fn new(pg: Pg, wanted: Arc<Notify>) -> Self {
        Self { predictor: Predictor::new(pg.clone()), pg, wanted }
    }

    /// Computes reports as they are asked for, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut was_failing = false;
        let work = async {
            loop {
                let _ = tokio::time::timeout(LOOK, self.wanted.notified()).await;
                let result = self.step().await;
                if let (Err(error), false) = (&result, was_failing) {
                    tracing::warn!(%error, "looking for sales reports to compute failed");
                }
                was_failing = result.is_err();
            }
        };
        stop.run_until_cancelled(work).await;
    }

    /// Computes every report that is due, one after the other. A simulation does not delay the next
    /// report.
    pub async fn step(&self) -> Result<(), StoreError> {
        for schedule in pg::stored::due(&self.pg).await? {
            // An error of one report must not stop the others.
            match self.compute(schedule).await {
                Ok(true) => drop(tokio::spawn(self.clone().predict(schedule))),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%schedule, %error, "computing a sales report failed");
                }
            }
        }
        Ok(())
    }

    async fn predict(self, schedule: ScheduleId) {
        if let Err(error) = self.predictor.predict(schedule).await {
            tracing::warn!(%schedule, %error, "predicting a sale for its report failed");
        }
    }

    /// Simulates a sale whose report wants a prediction, and stores it.
    #[must_use]
    pub fn predictor(&self) -> &Predictor {
        &self.predictor
    }

    /// Computes and stores the report of a schedule, unless another process does so now, or the
    /// stored one still holds. Returns whether the stored figures are now as of this call or later.
    pub async fn compute(&self, schedule: ScheduleId) -> Result<bool, StoreError> {
        let begun = Instant::now();
        let mut tx = pg::snapshot(&self.pg, "compute_sales_report").await?;
        let Some(at) = pg::stored::try_lock(&mut tx, schedule).await? else {
            return Ok(false);
        };
        let Some(sale) = pg::stored::state(&mut tx, schedule).await? else {
            return Ok(false);
        };
        let stored = pg::stored::find(&mut tx, schedule).await?;
        if stored.is_final {
            pg::stored::withdraw_request(&self.pg, schedule).await?;
            return Ok(true);
        }
        let Some(settings) = schedule_in(&mut tx, schedule).await? else {
            return Ok(false);
        };
        let (mut computed, previous) = match stored.computed {
            Some(same) if same.state == sale.state => (Computed { at, ..same }, None),
            previous => {
                let figures = figures(&mut tx, schedule, &sale).await?;
                let took = begun.elapsed();
                (Computed { at, took, state: sale.state, figures }, previous)
            }
        };
        let is_closed = at >= sale.deadline + LATE_COUNTS;
        let previous = previous.as_ref().unwrap_or(&computed);
        computed.figures.prediction =
            Some(predicted(&computed.figures, &previous.figures, &settings, is_closed));
        let is_over = is_closed && computed.figures.is_closed();
        let final_for = sale.final_for.as_deref().filter(|_| is_over);
        pg::stored::store(&self.pg, schedule, &computed, final_for).await?;
        // Only now, because the snapshot holds the lock.
        tx.commit().await?;
        tracing::debug!(%schedule, took = ?begun.elapsed(), "computed a sales report");
        Ok(true)
    }
}

/// Reads the figures of a sale, page by page.
async fn figures(
    tx: &mut Tx,
    schedule: ScheduleId,
    sale: &SaleState,
) -> Result<Figures, StoreError> {
    let mut tally = Tally::new(sale.opening);
    let (mut after, mut pace) = (Some(-1), Pace::new());
    while let Some(last) = after {
        let page = pg::pages::entries(tx, schedule, sale.opening, last, pace.rows).await?;
        after = page.last;
        tally.add_entries(page);
        pace.adapt();
    }
    let (mut after, mut pace) = (Some(0), Pace::new());
    while let Some(last) = after {
        let page = pg::pages::reservations(tx, schedule, last, pace.rows).await?;
        after = page.last;
        tally.add_reservations(page);
        pace.adapt();
    }
    tally.add_rejections(pg::rejections_over_time(tx, schedule).await?);
    let (seats, blocked) = pg::seats(tx, schedule).await?;
    let settings_changed = match tally.span() {
        Some(span) => pg::settings_changed(tx, schedule, span).await?,
        None => false,
    };
    let whole = WholeFigures {
        seats,
        blocked,
        sections: pg::sections(tx, schedule).await?,
        rejections: pg::rejections(tx, schedule).await?,
        refused_payments: pg::refused_payments(tx, schedule).await?,
        settings_changed,
    };
    let add_up = move || tally.figures(whole);
    tokio::task::spawn_blocking(add_up).await.map_err(|error| StoreError::Defect {
        // No store failed here, but the error has to name one.
        store: Store::PostgreSql,
        reason: format!("adding up a report: {error}"),
    })
}

impl Pace {
    fn new() -> Self {
        Self { rows: FIRST_PAGE, begun: Instant::now() }
    }

    /// Makes the next page at most twice as long, and as long as suits the time that this one took.
    fn adapt(&mut self) {
        let took = self.begun.elapsed().max(Duration::from_millis(1));
        let factor = (PAGE_TIME.as_millis() / took.as_millis().max(1)).min(2);
        let rows = if factor == 0 { self.rows / 2 } else { self.rows.saturating_mul(2) };
        let fits = if factor == 1 { self.rows } else { rows };
        *self = Self { rows: fits.clamp(FIRST_PAGE / 10, LONGEST_PAGE), begun: Instant::now() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_grow_while_they_are_fast_and_shrink_when_they_are_slow() {
        let mut pace = Pace::new();
        pace.adapt();
        assert_eq!(pace.rows, 2 * FIRST_PAGE);
        for _ in 0..20 {
            pace.adapt();
        }
        assert_eq!(pace.rows, LONGEST_PAGE);
        pace.begun = Instant::now().checked_sub(2 * PAGE_TIME).expect("a time");
        pace.adapt();
        assert_eq!(pace.rows, LONGEST_PAGE / 2);
    }
}
