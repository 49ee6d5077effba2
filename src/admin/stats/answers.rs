//! Latency and error rates of this process over the last ten seconds, by kind of call.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use utoipa::ToSchema;

use crate::telemetry::Metrics;
use crate::telemetry::latency::Counts;

/// Length of the sliding window.
const WINDOW: Duration = Duration::from_secs(10);
/// Shortest time between two samples.
const MIN_GAP: Duration = Duration::from_secs(1);

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Call {
    /// Joining a queue.
    Join,
    /// Asking for the state of a ticket.
    Poll,
    /// Reading seat maps.
    Seats,
    /// Holding seats.
    Hold,
    /// Paying for holds.
    Pay,
    /// All other calls.
    Other,
}

const CALLS: [Call; 6] = [Call::Join, Call::Poll, Call::Seats, Call::Hold, Call::Pay, Call::Other];

/// Answers of this process to one kind of call over the last ten seconds, for all schedules. All
/// figures are null until the process has two samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Answered {
    /// The kind of call.
    pub call: Call,
    /// Answers per second.
    pub per_second: Option<f64>,
    /// 99th percentile of the time until the response head, in milliseconds, to a quarter of its
    /// value. Null if there were no calls.
    pub p99_ms: Option<f64>,
    /// Answers with status 500 or above per second.
    pub errors_per_second: Option<f64>,
    /// Answers with status 429 per second.
    pub limited_per_second: Option<f64>,
}

/// Counters of one kind of call since the process started.
#[derive(Debug, Clone, Copy, Default)]
struct CallCounts {
    all: Counts,
    errors: u64,
    limited: u64,
}

/// Samples this process's counters when asked, at most once a second.
#[derive(Debug)]
pub struct Answers {
    metrics: Metrics,
    samples: Mutex<VecDeque<(Instant, [CallCounts; CALLS.len()])>>,
}

impl Call {
    fn of(method: &str, route: &str) -> Self {
        match (method, route) {
            ("POST", "/v1/schedules/{id}/queue") => Self::Join,
            (_, "/v1/queue/ticket") => Self::Poll,
            (_, route) if route.starts_with("/v1/schedules/{id}/seats") => Self::Seats,
            ("POST", "/v1/schedules/{id}/reservations") => Self::Hold,
            ("POST", "/v1/payments") => Self::Pay,
            _ => Self::Other,
        }
    }
}

impl Answers {
    /// Reads the counters of `metrics`. There are no samples yet.
    #[must_use]
    pub fn new(metrics: Metrics) -> Self {
        Self { metrics, samples: Mutex::default() }
    }

    /// Takes a sample if one is due, and computes the figures of the last ten seconds.
    pub fn recent_figures(&self, now: Instant) -> Vec<Answered> {
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.back().is_none_or(|(at, _)| now.saturating_duration_since(*at) >= MIN_GAP) {
            samples.push_back((now, sample(&self.metrics)));
        }
        // After a long time without samples, the old counters say nothing about the last seconds.
        let old = |(at, _): &(Instant, _)| now.saturating_duration_since(*at) > WINDOW + MIN_GAP;
        while samples.front().is_some_and(old) {
            samples.pop_front();
        }
        let ends = samples.front().zip(samples.back()).filter(|(first, last)| first.0 < last.0);
        let of = |(at, call): (usize, &Call)| {
            let span = ends.map(|(first, last)| {
                (last.0.saturating_duration_since(first.0), &first.1[at], &last.1[at])
            });
            answered(*call, span)
        };
        CALLS.iter().enumerate().map(of).collect()
    }
}

fn sample(metrics: &Metrics) -> [CallCounts; CALLS.len()] {
    let mut calls = [CallCounts::default(); CALLS.len()];
    metrics.answered(|route, method, status, counts| {
        let call = &mut calls[Call::of(method, route) as usize];
        call.all.add(counts);
        if status >= 500 {
            call.errors += counts.total();
        } else if status == 429 {
            call.limited += counts.total();
        }
    });
    calls
}

fn answered(call: Call, span: Option<(Duration, &CallCounts, &CallCounts)>) -> Answered {
    let rate = |count: fn(&CallCounts) -> u64| {
        span.map(|(time, first, last)| {
            let more = count(last).saturating_sub(count(first));
            let more = u32::try_from(more).unwrap_or(u32::MAX);
            f64::from(more) / time.as_secs_f64()
        })
    };
    let took = span.and_then(|(_, first, last)| last.all.since(&first.all).percentile(990));
    Answered {
        call,
        per_second: rate(|calls| calls.all.total()),
        p99_ms: took.map(|took| took.as_secs_f64() * 1e3),
        errors_per_second: rate(|calls| calls.errors),
        limited_per_second: rate(|calls| calls.limited),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_cover_the_calls_between_the_oldest_and_the_last_sample() {
        let (metrics, begun) = (Metrics::new(), Instant::now());
        let answers = Answers::new(metrics.clone());
        let count = |status: u16, ms: u64, times: usize| {
            for _ in 0..times {
                let route = "/v1/schedules/{id}/queue";
                metrics.request(route, "POST", status, Duration::from_millis(ms));
            }
        };
        count(201, 5000, 50);
        let first = answers.recent_figures(begun);
        assert!(first.iter().all(|of| of.per_second.is_none() && of.p99_ms.is_none()));
        count(201, 1, 90);
        count(503, 40, 6);
        count(429, 1, 4);
        let join = answers.recent_figures(begun + 2 * MIN_GAP)[0];
        assert_eq!((join.call, join.per_second), (Call::Join, Some(50.0)));
        assert_eq!((join.errors_per_second, join.limited_per_second), (Some(3.0), Some(2.0)));
        assert!((40.0..=51.2).contains(&join.p99_ms.unwrap()), "{join:?}");
        let quiet = answers.recent_figures(begun + 2 * WINDOW)[0];
        assert_eq!(quiet.per_second, None, "the older samples are out of the window");
    }
}
