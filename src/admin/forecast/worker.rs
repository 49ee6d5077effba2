//! Runs a simulation on a thread of its own, so that it never delays a sale: one at a time in each
//! process, with pauses, and with a time limit.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, oneshot};

use super::error::ForecastError;

/// Time limit of a simulation, below `ONSALE_REQUEST_TIMEOUT`.
const TIME_LIMIT: Duration = Duration::from_secs(8);
/// Longest piece of work between two pauses of the same length: the thread uses half a core.
const PIECE: Duration = Duration::from_millis(10);

/// Runs simulations; cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::admin) struct Worker {
    slot: Arc<Semaphore>,
    limit: Duration,
}

/// Paces a simulation, and ends it after its time.
#[derive(Debug)]
pub(in crate::admin) struct Pace {
    ends_at: Instant,
    piece_began: Instant,
}

impl Pace {
    /// Pauses if it is time to.
    ///
    /// # Errors
    /// [`ForecastError::TooLong`] after the time limit.
    pub(in crate::admin) fn keep(&mut self) -> Result<(), ForecastError> {
        let worked = self.piece_began.elapsed();
        if worked >= PIECE {
            thread::sleep(worked);
            self.piece_began = Instant::now();
        }
        if self.piece_began > self.ends_at { Err(ForecastError::TooLong) } else { Ok(()) }
    }
}

impl Default for Worker {
    fn default() -> Self {
        Self { slot: Arc::new(Semaphore::new(1)), limit: TIME_LIMIT }
    }
}

impl Worker {
    /// A worker whose simulations may take this long.
    pub(in crate::admin) fn with_limit(limit: Duration) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Runs `simulate` on a thread.
    ///
    /// # Errors
    /// [`ForecastError::Busy`] if another simulation runs.
    pub(in crate::admin) async fn run<R: Send + 'static>(
        &self,
        simulate: impl FnOnce(&mut Pace) -> Result<R, ForecastError> + Send + 'static,
    ) -> Result<R, ForecastError> {
        let slot = Arc::clone(&self.slot).try_acquire_owned().map_err(|_| ForecastError::Busy)?;
        let (send, receive) = oneshot::channel();
        let now = Instant::now();
        let mut pace = Pace { ends_at: now + self.limit, piece_began: now };
        let thread = thread::Builder::new().name("forecast".to_owned());
        let spawned = thread.spawn(move || {
            let result = simulate(&mut pace);
            drop(slot);
            // The caller may have left.
            drop(send.send(result));
        });
        spawned.map_err(|error| ForecastError::Failed(error.to_string()))?;
        let failed = |_| ForecastError::Failed("its thread has panicked".to_owned());
        receive.await.map_err(failed)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_simulation_runs_at_a_time_and_ends_after_its_time() {
        let worker = Worker { limit: Duration::from_millis(50), ..Worker::default() };
        let (begun, has_begun) = oneshot::channel();
        let endless = |begun: oneshot::Sender<()>| {
            move |pace: &mut Pace| {
                begun.send(()).expect("somebody waits");
                let mut pieces = 0_u64;
                loop {
                    pace.keep()?;
                    pieces += 1;
                    if pieces == u64::MAX {
                        return Ok(());
                    }
                }
            }
        };
        let first = tokio::spawn({
            let (worker, endless) = (worker.clone(), endless(begun));
            async move { worker.run(endless).await }
        });
        has_begun.await.unwrap();
        assert!(matches!(worker.run(|_| Ok(1)).await, Err(ForecastError::Busy)));
        assert!(matches!(first.await.unwrap(), Err(ForecastError::TooLong)));
        assert!(matches!(worker.run(|_| Ok(1)).await, Ok(1)), "the slot is free again");
    }

    #[tokio::test]
    async fn a_panic_frees_the_slot() {
        let worker = Worker::default();
        let failed = worker.run::<()>(|_| panic!("a defect of a test")).await;
        assert!(matches!(failed, Err(ForecastError::Failed(_))));
        assert!(matches!(worker.run(|_| Ok(1)).await, Ok(1)));
    }
}
