//! The stream of a sale's figures. Each process reads them once a second per schedule, for all open
//! consoles together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{Stream, StreamExt, unfold};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::model::Stats;
use super::service::SaleFigures;
use crate::admin::error::AdminError;
use crate::http::api::problem::Problem;
use crate::http::stream::{Open, Streams};
use crate::store::id::ScheduleId;

/// Time between two readings of the figures.
const INTERVAL: Duration = Duration::from_secs(1);
/// Longest wait for the figures. After it, consoles get `stale`.
const STATS_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest life of one stream. Then the console has to authenticate again, because tokens expire
/// and roles are withdrawn.
const MAX_STREAM_AGE: Duration = Duration::from_mins(10);

/// All streams of figures in this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StatsStreams {
    figures: SaleFigures,
    streams: Streams,
    topics: Topics,
}

/// The last reading of each schedule that has open streams.
type Topics = Arc<Mutex<HashMap<ScheduleId, watch::Receiver<Reading>>>>;

/// What one reading sends to the consoles of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// The figures.
    Stats {
        /// When they were read, in ms since 1970.
        at_ms: i64,
        /// [`Stats`] as JSON.
        json: Arc<str>,
    },
    /// A store does not answer.
    Stale,
}

impl StatsStreams {
    /// Creates the service. No stream is open yet.
    #[must_use]
    pub fn new(figures: SaleFigures, streams: Streams) -> Self {
        Self { figures, streams, topics: Topics::default() }
    }

    /// Counts a stream as open. Fails with `503` if there are too many.
    pub(super) fn open(&self) -> Result<Open, Problem> {
        self.streams.open("stats")
    }

    /// Checks that the schedule exists.
    pub(super) async fn exists(&self, schedule: ScheduleId) -> Result<(), AdminError> {
        self.figures.catalogue.schedule(schedule).await?;
        Ok(())
    }

    /// The readings of a schedule, from the last one on. Ends after ten minutes, or when the process
    /// drains.
    pub(super) fn readings(&self, schedule: ScheduleId) -> impl Stream<Item = Reading> + use<> {
        follow(self.subscribe(schedule)).take_until(sleep(MAX_STREAM_AGE))
    }

    /// The receiver of a schedule's readings; starts the task that reads them if none runs.
    fn subscribe(&self, schedule: ScheduleId) -> watch::Receiver<Reading> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(topic) = topics.get(&schedule)
            && topic.has_changed().is_ok()
        {
            return topic.clone();
        }
        let (sender, topic) = watch::channel(Reading::Stale);
        topics.insert(schedule, topic.clone());
        let topics = Arc::clone(&self.topics);
        self.streams.spawn(read(self.figures.clone(), schedule, sender, topics));
        topic
    }
}

/// Every new reading, without repeats of `Stale`. Slow consoles skip readings. Ends with the task of
/// the topic.
fn follow(readings: watch::Receiver<Reading>) -> impl Stream<Item = Reading> {
    unfold((readings, false), |(mut readings, was_stale)| async move {
        loop {
            readings.changed().await.ok()?;
            let reading = readings.borrow_and_update().clone();
            let is_stale = matches!(reading, Reading::Stale);
            if !(was_stale && is_stale) {
                return Some((reading, (readings, is_stale)));
            }
        }
    })
}

/// Reads the figures for as long as a console follows them.
async fn read(
    figures: SaleFigures,
    schedule: ScheduleId,
    readings: watch::Sender<Reading>,
    topics: Topics,
) {
    let mut tick = interval(INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let stats = timeout(STATS_TIMEOUT, figures.stats(schedule)).await;
        let reading = match stats {
            Ok(Ok(stats)) => render(&stats),
            Ok(Err(error)) => {
                tracing::debug!(%schedule, %error, "reading the figures of a sale failed");
                Reading::Stale
            }
            Err(_) => Reading::Stale,
        };
        readings.send_replace(reading);
        // The lock keeps new consoles out between the check and the end.
        let mut topics = topics.lock().unwrap_or_else(PoisonError::into_inner);
        // The map of topics has one receiver.
        if readings.receiver_count() <= 1 {
            topics.remove(&schedule);
            return;
        }
    }
}

fn render(stats: &Stats) -> Reading {
    match serde_json::to_string(stats) {
        Ok(json) => {
            Reading::Stats { at_ms: stats.server_time.timestamp_millis(), json: json.into() }
        }
        Err(error) => {
            tracing::error!(%error, "the figures of a sale could not be written");
            Reading::Stale
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_console_gets_the_latest_reading_and_stale_once() {
        let (sender, receiver) = watch::channel(Reading::Stale);
        let mut events = pin!(follow(receiver));
        let mut next = || events.next().now_or_never();
        let stats = |at_ms| Reading::Stats { at_ms, json: "{}".into() };
        assert_eq!(next(), None, "there is no reading yet");
        for (sent, received) in [
            (&[stats(1)][..], Some(Some(stats(1)))),
            (&[stats(2), stats(3)], Some(Some(stats(3)))),
            (&[Reading::Stale], Some(Some(Reading::Stale))),
            (&[Reading::Stale], None),
            (&[stats(4)], Some(Some(stats(4)))),
            (&[Reading::Stale], Some(Some(Reading::Stale))),
        ] {
            for reading in sent {
                sender.send_replace(reading.clone());
            }
            assert_eq!(next(), received, "{sent:?}");
        }
        drop(sender);
        assert_eq!(next(), Some(None), "the topic has ended");
    }
}
