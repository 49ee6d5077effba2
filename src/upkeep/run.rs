//! Running a step again and again until the process drains.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::store::StoreError;
use crate::telemetry::Metrics;
use crate::telemetry::rounds::Round;

/// Where loops run, and what ends them.
#[derive(Debug, Clone)]
pub struct Loops {
    /// Counts what still runs.
    pub tasks: TaskTracker,
    /// Ends all.
    pub stop: CancellationToken,
    /// Is told of lags.
    pub metrics: Metrics,
}

impl Loops {
    /// Runs `step` of `part` every `period`; at once again while it says that there is more to do. A
    /// failure is logged and tried again a period later.
    pub fn every<P, S, F>(&self, name: &'static str, period: Duration, part: P, step: S)
    where
        P: Clone + Send + 'static,
        S: Fn(P) -> F + Send + 'static,
        F: Future<Output = Result<bool, StoreError>> + Send,
    {
        let Self { stop, metrics, .. } = self.clone();
        self.tasks.spawn(async move {
            let mut due = Instant::now();
            loop {
                let begun = Instant::now();
                let done = step(part.clone()).await;
                if let Err(error) = &done {
                    tracing::warn!(name, %error, "a loop's step failed");
                }
                let round = Round::ended(period, begun.elapsed(), done.is_err());
                metrics.loop_ran(name, due.elapsed().saturating_sub(period), round);
                let pause = if done.unwrap_or(false) { Duration::ZERO } else { period };
                due = Instant::now();
                if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                    return;
                }
            }
        });
    }
}
