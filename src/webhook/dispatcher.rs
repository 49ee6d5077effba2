//! The dispatcher: publishes events and delivers them. Every process runs one.
//!
//! A process takes due deliveries, sends each in a task of its own, and writes the results in
//! batches, so it never uses more than one connection to PostgreSQL. If it dies, other processes
//! send what it had taken again, with the same id, once the lease has ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio_util::task::TaskTracker;

use super::pg;
use super::pg::dispatch::{self, Outcome, Taken, Written};
use super::retry::RetryPolicy;
use super::sender::{Attempt, Sender};
use crate::store::StoreError;
use crate::store::id::WebhookId;
use crate::store::pg::Pg;
use crate::telemetry::Metrics;

/// Events that one step publishes.
const PUBLISH: i32 = 500;
/// Messages that a process sends to one endpoint at a time.
const PER_ENDPOINT: i64 = 16;
/// A lease outlives its attempt by this, for writing the result.
const LEASE_MARGIN: Duration = Duration::from_secs(5);
/// How long a step waits for the end of an attempt.
const WAIT: Duration = Duration::from_millis(200);
/// Results that one statement writes.
const BATCH: usize = 200;

/// The dispatcher of one process.
#[derive(Debug, Clone)]
pub struct Dispatcher {
    pg: Pg,
    sender: Sender,
    timeout: Duration,
    retry: RetryPolicy,
    metrics: Metrics,
    tasks: TaskTracker,
    ended: mpsc::UnboundedSender<Outcome>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    results: mpsc::UnboundedReceiver<Outcome>,
    /// Results that are not in PostgreSQL yet.
    unwritten: Vec<Outcome>,
    /// Messages that are being sent, by endpoint.
    busy: HashMap<WebhookId, i64>,
}

impl State {
    fn ended(&mut self, outcome: Outcome) {
        if let Some(count) = self.busy.get_mut(&outcome.endpoint) {
            *count -= 1;
        }
        self.busy.retain(|_, count| *count > 0);
        self.unwritten.push(outcome);
    }
}

impl Dispatcher {
    /// Creates the dispatcher. `timeout` limits an attempt; `tasks` tracks the attempts.
    #[must_use]
    pub fn new(
        pg: Pg,
        sender: Sender,
        timeout: Duration,
        retry: RetryPolicy,
        metrics: Metrics,
        tasks: TaskTracker,
    ) -> Self {
        // As many results as attempts: at most [`PER_ENDPOINT`] for each endpoint.
        let (ended, results) = mpsc::unbounded_channel();
        let state = State { results, unwritten: Vec::new(), busy: HashMap::new() };
        let state = Arc::new(Mutex::new(state));
        Self { pg, sender, timeout, retry, metrics, tasks, ended, state }
    }

    /// Writes results, publishes events, and starts to send what is due. True if there may be more
    /// to do soon.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let mut state = self.state.lock().await;
        self.write_results(&mut state).await?;
        let published = dispatch::publish(&self.pg, PUBLISH).await?;
        let lease = self.timeout + LEASE_MARGIN;
        for taken in dispatch::take(&self.pg, &state.busy, PER_ENDPOINT, lease).await? {
            *state.busy.entry(taken.endpoint).or_default() += 1;
            self.send(taken);
        }
        if state.busy.is_empty() {
            return Ok(published > 0);
        }
        if let Ok(Some(outcome)) = tokio::time::timeout(WAIT, state.results.recv()).await {
            state.ended(outcome);
        }
        Ok(true)
    }

    /// Writes the results of attempts that end while the process drains, so that their messages are
    /// not sent again. Returns when none is left, or after the timeout of an attempt.
    pub async fn finish(&self) {
        let finish = async {
            let mut state = self.state.lock().await;
            while !state.busy.is_empty() {
                let Some(outcome) = state.results.recv().await else { break };
                state.ended(outcome);
            }
            self.write_results(&mut state).await
        };
        match tokio::time::timeout(self.timeout, finish).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "results of webhooks were not written"),
            Err(_) => tracing::warn!("webhooks were still being sent when the process stopped"),
        }
    }

    fn send(&self, Taken { id, attempt, endpoint, message }: Taken) {
        let (sender, retry, ended) = (self.sender.clone(), self.retry, self.ended.clone());
        self.tasks.spawn(async move {
            let result = sender.send(&message).await;
            let retry_after = match &result {
                Attempt::Failed { retry_after, .. } => *retry_after,
                Attempt::Delivered(_) | Attempt::Gone => None,
            };
            let pause = retry.pause(attempt, retry_after);
            let outcome = Outcome { id, attempt, endpoint, url: message.url, result, pause };
            // Fails only when the process has stopped.
            let _ = ended.send(outcome);
        });
    }

    /// Writes all results that there are. What could not be written is kept for the next step.
    async fn write_results(&self, state: &mut State) -> Result<(), StoreError> {
        while let Ok(outcome) = state.results.try_recv() {
            state.ended(outcome);
        }
        while !state.unwritten.is_empty() {
            let batch = &state.unwritten[..state.unwritten.len().min(BATCH)];
            // First: after a crash in between, the upkeep gives the deliveries up.
            self.disable_gone(batch).await?;
            let written = dispatch::finish(&self.pg, batch, self.retry.give_up_after).await?;
            let done = batch.len();
            state.unwritten.drain(..done);
            let Written { delivered, failed, dead } = written;
            for (outcome, count) in [("delivered", delivered), ("failed", failed), ("dead", dead)] {
                self.metrics.webhooks().ended(outcome, count);
            }
        }
        Ok(())
    }

    /// Disables endpoints that answered 410.
    async fn disable_gone(&self, outcomes: &[Outcome]) -> Result<(), StoreError> {
        let is_gone = |outcome: &&Outcome| outcome.result == Attempt::Gone;
        let gone = outcomes.iter().filter(is_gone).map(|it| (it.endpoint, it.url.clone()));
        let gone: Vec<(WebhookId, String)> = gone.collect();
        if gone.is_empty() {
            return Ok(());
        }
        let mut tx = self.pg.begin("disable_gone_webhooks").await?;
        let feed = pg::lock_recording(&mut tx).await?.feed;
        let disabled = pg::disable_gone(&mut tx, &gone).await?;
        pg::adjust_recording(&mut tx, feed).await?;
        tx.commit().await?;
        for endpoint in disabled {
            tracing::warn!(%endpoint, "disabled a webhook endpoint that answered 410");
        }
        Ok(())
    }
}
