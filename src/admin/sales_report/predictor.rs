//! Simulates the sales whose reports want a prediction. One process at a time does so for a report.

use std::time::Duration;

use super::pg::stored::{Computed, find, replace_prediction};
use super::prediction::{NoPrediction, Predicted};
use super::question::Question;
use crate::admin::error::AdminError;
use crate::admin::forecast::error::ForecastError;
use crate::admin::forecast::worker::Worker;
use crate::admin::service::schedule_in;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;

/// Time limit of a simulation, which uses half a core. A sale that takes longer has no prediction.
const TIME_LIMIT: Duration = Duration::from_secs(20);
/// Runs, each with another seed.
const SEEDS: u64 = 3;

/// Simulates sales for reports; cheap to clone.
#[derive(Debug, Clone)]
pub struct Predictor {
    pg: Pg,
    worker: Worker,
}

impl Predictor {
    /// Creates the service.
    #[must_use]
    pub fn new(pg: Pg) -> Self {
        Self { pg, worker: Worker::with_limit(TIME_LIMIT) }
    }

    /// Simulates a sale and stores the prediction with its report, if the report wants one and no
    /// other process does so. Reads only the stored figures and the settings of the sale.
    ///
    /// # Errors
    /// [`AdminError`] if a store fails. The simulation is due again after a minute.
    pub async fn predict(&self, schedule: ScheduleId) -> Result<(), AdminError> {
        let mut tx = self.pg.begin_read("read_sales_report").await?;
        let stored = find(&mut tx, schedule).await?;
        let settings = schedule_in(&mut tx, schedule).await?;
        tx.commit().await?;
        let Some(Computed { figures, .. }) = stored.computed else { return Ok(()) };
        let Some(due) = figures.prediction.clone().filter(|it| it.is_due(stored.now)) else {
            return Ok(());
        };
        let running = Predicted::Running(stored.now);
        if !replace_prediction(&self.pg, schedule, &due, &running).await? {
            return Ok(());
        }
        let predicted = match Question::of(&figures, &settings, true) {
            Ok(question) => self.simulate(schedule, question).await,
            Err(reason) => Predicted::Missing(reason),
        };
        replace_prediction(&self.pg, schedule, &running, &predicted).await?;
        Ok(())
    }

    async fn simulate(&self, schedule: ScheduleId, question: Question) -> Predicted {
        let input = question.input.clone();
        let summary =
            self.worker.run(move |pace| input.summary_watched(SEEDS, &mut || pace.keep()));
        match summary.await {
            Ok(summary) => Predicted::Made(Box::new(question.answer(&summary))),
            // This process simulates another sale. The next one that looks at the report tries again.
            Err(ForecastError::Busy) => Predicted::Wanted,
            Err(ForecastError::TooLong) => Predicted::Missing(NoPrediction::TooLong),
            Err(error) => {
                tracing::warn!(%schedule, %error, "simulating a sale for its report failed");
                Predicted::Missing(NoPrediction::Failed)
            }
        }
    }
}
