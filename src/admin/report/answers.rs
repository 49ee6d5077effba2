//! How this process has answered of late, by the calls that a sale is made of.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use utoipa::ToSchema;

use crate::telemetry::Metrics;
use crate::telemetry::latency::Counts;

/// How far back is looked.
const WINDOW: Duration = Duration::from_secs(10);
/// Between two looks, at least.
const SPAN: Duration = Duration::from_secs(1);

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Call {
    /// Joining a line.
    Join,
    /// Asking what a ticket is worth.
    Poll,
    /// Seat maps.
    Seats,
    /// Holding seats.
    Hold,
    /// Paying.
    Pay,
    /// Everything else.
    Other,
}

const CALLS: [Call; 6] = [Call::Join, Call::Poll, Call::Seats, Call::Hold, Call::Pay, Call::Other];

/// How calls of one kind were answered over the last ten seconds, by the process that tells it, for
/// all schedules. All are null until it has looked twice.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Answered {
    /// Which.
    pub call: Call,
    /// Answers per second.
    pub per_second: Option<f64>,
    /// Ninety-nine of a hundred took at most so long until their head was there, to a quarter; null
    /// where there were none.
    pub p99_ms: Option<f64>,
    /// Answers of 500 and above per second.
    pub errors_per_second: Option<f64>,
    /// Answers of 429 per second.
    pub limited_per_second: Option<f64>,
}

/// What was counted of one kind.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    all: Counts,
    errors: u64,
    limited: u64,
}

/// Looks at a process's answers once a second at most, while anybody asks.
#[derive(Debug)]
pub struct Answers {
    metrics: Metrics,
    looks: Mutex<VecDeque<(Instant, [Seen; CALLS.len()])>>,
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
    /// Of what `metrics` counts.
    #[must_use]
    pub fn new(metrics: Metrics) -> Self {
        Self { metrics, looks: Mutex::default() }
    }

    /// How calls were answered over the last ten seconds.
    pub fn of_late(&self, now: Instant) -> Vec<Answered> {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        if looks.back().is_none_or(|(at, _)| now.saturating_duration_since(*at) >= SPAN) {
            looks.push_back((now, look(&self.metrics)));
        }
        // Nobody looked for long: what was counted meanwhile is not "of late".
        let old = |(at, _): &(Instant, _)| now.saturating_duration_since(*at) > WINDOW + SPAN;
        while looks.front().is_some_and(old) {
            looks.pop_front();
        }
        let ends = looks.front().zip(looks.back()).filter(|(first, last)| first.0 < last.0);
        let of = |(at, call): (usize, &Call)| {
            let known = ends.map(|(first, last)| {
                (last.0.saturating_duration_since(first.0), &first.1[at], &last.1[at])
            });
            answered(*call, known)
        };
        CALLS.iter().enumerate().map(of).collect()
    }
}

fn look(metrics: &Metrics) -> [Seen; CALLS.len()] {
    let mut seen = [Seen::default(); CALLS.len()];
    metrics.answered(|route, method, status, counts| {
        let of = &mut seen[Call::of(method, route) as usize];
        of.all.add(counts);
        if status >= 500 {
            of.errors += counts.total();
        } else if status == 429 {
            of.limited += counts.total();
        }
    });
    seen
}

fn answered(call: Call, known: Option<(Duration, &Seen, &Seen)>) -> Answered {
    let rate = |of: fn(&Seen) -> u64| {
        known.map(|(span, first, last)| {
            let more = u32::try_from(of(last).saturating_sub(of(first))).unwrap_or(u32::MAX);
            f64::from(more) / span.as_secs_f64()
        })
    };
    let took = known.and_then(|(_, first, last)| last.all.since(&first.all).percentile(990));
    Answered {
        call,
        per_second: rate(|seen| seen.all.total()),
        p99_ms: took.map(|took| took.as_secs_f64() * 1e3),
        errors_per_second: rate(|seen| seen.errors),
        limited_per_second: rate(|seen| seen.limited),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_late_are_those_between_the_oldest_look_and_the_last() {
        let (metrics, begun) = (Metrics::new(), Instant::now());
        let answers = Answers::new(metrics.clone());
        let count = |status: u16, ms: u64, times: usize| {
            for _ in 0..times {
                let route = "/v1/schedules/{id}/queue";
                metrics.request(route, "POST", status, Duration::from_millis(ms));
            }
        };
        count(201, 5000, 50);
        let first = answers.of_late(begun);
        assert!(first.iter().all(|of| of.per_second.is_none() && of.p99_ms.is_none()));
        count(201, 1, 90);
        count(503, 40, 6);
        count(429, 1, 4);
        let join = answers.of_late(begun + 2 * SPAN)[0];
        assert_eq!((join.call, join.per_second), (Call::Join, Some(50.0)));
        assert_eq!((join.errors_per_second, join.limited_per_second), (Some(3.0), Some(2.0)));
        assert!((40.0..=51.2).contains(&join.p99_ms.unwrap()), "{join:?}");
        let quiet = answers.of_late(begun + 2 * WINDOW)[0];
        assert_eq!(quiet.per_second, None, "nobody looked for longer than that");
    }
}
