//! Latency and error rates over the last ten seconds, by kind of call: of this process, and of all
//! processes together.

use std::array::from_fn;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
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

/// Answers to one kind of call over the last ten seconds, for all schedules. All figures are null
/// until a process has two samples.
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

/// Counters of one kind of call since the process started, or in a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct CallCounts {
    all: Counts,
    errors: u64,
    limited: u64,
}

/// All counters at one time, or in a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct AllCounts {
    calls: [CallCounts; CALLS.len()],
    /// Latencies of calls to Redis.
    redis: Counts,
    /// Waits for a connection to PostgreSQL.
    pool: Counts,
}

/// What one process counted in the last ten seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Length of the window in ms, above 0.
    span_ms: u32,
    /// Several kB.
    counts: Box<AllCounts>,
}

/// Samples this process's counters when asked, at most once a second.
#[derive(Debug)]
pub struct Answers {
    metrics: Metrics,
    samples: Mutex<VecDeque<(Instant, AllCounts)>>,
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

    /// Takes a sample if one is due, and returns what was counted in the last ten seconds. `None`
    /// until there are two samples.
    pub fn recent(&self, now: Instant) -> Option<Window> {
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.back().is_none_or(|(at, _)| now.saturating_duration_since(*at) >= MIN_GAP) {
            samples.push_back((now, sample(&self.metrics)));
        }
        // After a long time without samples, the old counters say nothing about the last seconds.
        let old = |(at, _): &(Instant, _)| now.saturating_duration_since(*at) > WINDOW + MIN_GAP;
        while samples.front().is_some_and(old) {
            samples.pop_front();
        }
        let (first, last) = samples.front().zip(samples.back())?;
        let span = last.0.saturating_duration_since(first.0).as_millis();
        let span_ms = u32::try_from(span).ok().filter(|span| *span > 0)?;
        Some(Window { span_ms, counts: Box::new(last.1.since(&first.1)) })
    }
}

impl AllCounts {
    fn since(&self, before: &Self) -> Self {
        let calls = from_fn(|at| {
            let (now, before) = (&self.calls[at], &before.calls[at]);
            CallCounts {
                all: now.all.since(&before.all),
                errors: now.errors.saturating_sub(before.errors),
                limited: now.limited.saturating_sub(before.limited),
            }
        });
        Self { calls, redis: self.redis.since(&before.redis), pool: self.pool.since(&before.pool) }
    }
}

/// The figures of all these processes together, by kind of call.
#[must_use]
pub fn figures(windows: &[Window]) -> Vec<Answered> {
    let figures = |(at, call): (usize, &Call)| Answered {
        call: *call,
        per_second: rate(windows, |counts| counts.calls[at].all.total()),
        p99_ms: p99_ms(windows, |counts| &counts.calls[at].all),
        errors_per_second: rate(windows, |counts| counts.calls[at].errors),
        limited_per_second: rate(windows, |counts| counts.calls[at].limited),
    };
    CALLS.iter().enumerate().map(figures).collect()
}

/// Holds and payments in a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Purchases {
    /// Answers.
    pub answers: u64,
    /// Of these, the ones with status 500 or above.
    pub errors: u64,
    /// Their 99th percentile (ms). `None` without answers.
    pub p99_ms: Option<f64>,
}

/// Holds and payments of all these processes together.
#[must_use]
pub fn purchases(windows: &[Window]) -> Purchases {
    let (mut all, mut errors) = (Counts::default(), 0);
    for window in windows {
        for call in [Call::Hold, Call::Pay] {
            let counts = &window.counts.calls[call as usize];
            all.add(&counts.all);
            errors += counts.errors;
        }
    }
    let p99_ms = all.percentile(990).map(|took| took.as_secs_f64() * 1e3);
    Purchases { answers: all.total(), errors, p99_ms }
}

/// 99th percentiles in ms over all these processes: of calls to Redis, and of the waits for a
/// connection to PostgreSQL.
#[must_use]
pub fn store_figures(windows: &[Window]) -> [Option<f64>; 2] {
    [p99_ms(windows, |counts| &counts.redis), p99_ms(windows, |counts| &counts.pool)]
}

/// A count per second, summed over the processes.
fn rate(windows: &[Window], count: impl Fn(&AllCounts) -> u64) -> Option<f64> {
    let of = |window: &Window| {
        let count = u32::try_from(count(&window.counts)).unwrap_or(u32::MAX);
        f64::from(count) * 1000.0 / f64::from(window.span_ms.max(1))
    };
    (!windows.is_empty()).then(|| windows.iter().map(of).sum())
}

fn p99_ms<'a>(windows: &'a [Window], counts: impl Fn(&'a AllCounts) -> &'a Counts) -> Option<f64> {
    let mut all = Counts::default();
    for window in windows {
        all.add(counts(&window.counts));
    }
    all.percentile(990).map(|took| took.as_secs_f64() * 1e3)
}

fn sample(metrics: &Metrics) -> AllCounts {
    let [redis, pool] = metrics.stores().waits();
    let mut all = AllCounts { redis, pool, ..AllCounts::default() };
    metrics.answered(|route, method, status, counts| {
        let call = &mut all.calls[Call::of(method, route) as usize];
        call.all.add(counts);
        if status >= 500 {
            call.errors += counts.total();
        } else if status == 429 {
            call.limited += counts.total();
        }
    });
    all
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

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
        let first = figures(answers.recent(begun).as_slice());
        assert!(first.iter().all(|of| of.per_second.is_none() && of.p99_ms.is_none()));
        count(201, 1, 90);
        count(503, 40, 6);
        count(429, 1, 4);
        let join = figures(answers.recent(begun + 2 * MIN_GAP).as_slice())[0];
        assert_eq!((join.call, join.per_second), (Call::Join, Some(50.0)));
        assert_eq!((join.errors_per_second, join.limited_per_second), (Some(3.0), Some(2.0)));
        assert!((40.0..=51.2).contains(&join.p99_ms.unwrap()), "{join:?}");
        let quiet = figures(answers.recent(begun + 2 * WINDOW).as_slice())[0];
        assert_eq!(quiet.per_second, None, "the older samples are out of the window");
    }

    #[test]
    fn the_figures_of_all_processes_are_sums_and_one_percentile_over_all_calls() {
        let window = |ms: u64, calls: usize, span_ms: u32| {
            let (metrics, begun) = (Metrics::new(), Instant::now());
            let answers = Answers::new(metrics.clone());
            assert_eq!(answers.recent(begun), None);
            for _ in 0..calls {
                metrics.request("/v1/payments", "POST", 201, Duration::from_millis(ms));
            }
            metrics.stores().redis_calls().shared.observe(Duration::from_millis(ms));
            let window = answers.recent(begun + Duration::from_millis(span_ms.into())).unwrap();
            let json = serde_json::to_string(&window).unwrap();
            assert_eq!(serde_json::from_str::<Window>(&json).unwrap(), window, "{json}");
            window
        };
        let (quick, slow) = (window(1, 980, 10_000), window(300, 20, 5_000));
        let pay = |windows: &[Window]| figures(windows)[Call::Pay as usize];
        assert_eq!(
            pay(&[quick.clone(), slow.clone()]).per_second,
            Some(102.0),
            "98 and 4 a second"
        );
        assert!(pay(from_ref(&quick)).p99_ms.unwrap() < 2.0);
        let all = pay(&[quick.clone(), slow.clone()]).p99_ms.unwrap();
        assert!((300.0..=384.0).contains(&all), "2 % are slow: {all}");
        assert!(
            (300.0..=384.0).contains(&store_figures(&[quick.clone(), slow.clone()])[0].unwrap())
        );
        assert_eq!(store_figures(from_ref(&quick))[1], None, "no connection was waited for");
        assert_eq!((pay(&[]).per_second, pay(&[]).p99_ms), (None, None));
    }
}
