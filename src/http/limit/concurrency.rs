//! The concurrency limit: how many requests of a route may be in progress at a time.
//!
//! A process that accepts more requests than it can handle answers all of them late. So each route
//! has a limit, and a request beyond it is refused at once, which costs next to nothing. The limit
//! follows the route's latency:
//!
//! - A limit starts at 256. It grows by one with each answer, so it doubles in the time that an
//!   answer takes (slow start, RFC 5681). This phase ends with the first answer that takes more
//!   than a quarter of the target latency. It begins again when no request of the route is in
//!   progress.
//! - From then on it grows by a sixteenth in each window of 250 ms without too many late answers.
//! - If more than a tenth of the answers in a window were late, the limit falls to the number of
//!   requests that the route completes in a quarter of the target latency (Little's law), but not
//!   below 64. An answer is late if it takes more than half of the target latency: the requests
//!   behind it take longer still, and a longer queue does not empty faster.
//! - A limit of which less than half is used does not grow.
//!
//! Each route has its own limit: a store that is slow for one route must not block the others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

/// Lowest limit of a route, in requests: enough for the load outside of a rush.
const FLOOR: usize = 64;

/// First limit of a route, in requests.
const START: usize = 256;

/// How long answers are counted before the limit is computed again.
const WINDOW: Duration = Duration::from_millis(250);

/// One answer in this many may be late.
const LATE: usize = 10;

/// The concurrency limits of all routes.
#[derive(Debug)]
pub struct ConcurrencyLimits {
    rules: Rules,
    routes: ArcSwap<HashMap<(String, String), Arc<ConcurrencyLimit>>>,
}

#[derive(Debug, Clone, Copy)]
struct Rules {
    /// Highest limit of a route, in requests.
    max: usize,
    target: Duration,
}

/// The concurrency limit of one route.
#[derive(Debug)]
struct ConcurrencyLimit {
    rules: Rules,
    running: AtomicUsize,
    /// How many requests may be in progress now.
    current: AtomicUsize,
    window: Mutex<Window>,
}

/// What is counted until the limit is computed again.
#[derive(Debug, Clone, Copy)]
struct Window {
    begun: Instant,
    done: usize,
    late: usize,
    /// The highest number of requests in progress at a time.
    peak: usize,
    /// Slow start: every answer was quick since no request was in progress.
    starting: bool,
}

/// Counts one request as in progress until it is dropped.
#[derive(Debug)]
pub struct Permit {
    limit: Arc<ConcurrencyLimit>,
    begun: Instant,
}

impl ConcurrencyLimits {
    /// Allows at most `max` requests of a route at a time, and fewer if answers would take longer
    /// than `target`.
    #[must_use]
    pub fn new(max: usize, target: Duration) -> Self {
        Self { rules: Rules { max, target }, routes: ArcSwap::default() }
    }

    /// Permits a request of a route (its pattern and method); `None` if the route is at its limit.
    #[must_use]
    pub fn enter(&self, route: &str, method: &str) -> Option<Permit> {
        let routes = self.routes.load();
        // A map with owned keys cannot be searched for borrowed parts. There are few routes.
        let is_it = |key: &(String, String)| key.0 == route && key.1 == method;
        let found = routes.iter().find(|(key, _)| is_it(key)).map(|(_, limit)| Arc::clone(limit));
        let limit = found.unwrap_or_else(|| self.add(route, method));
        let before = limit.running.fetch_add(1, Ordering::AcqRel);
        if before >= limit.current.load(Ordering::Relaxed) {
            limit.running.fetch_sub(1, Ordering::AcqRel);
            return None;
        }
        Some(Permit { limit, begun: Instant::now() })
    }

    fn add(&self, route: &str, method: &str) -> Arc<ConcurrencyLimit> {
        let key = (route.to_owned(), method.to_owned());
        let new = Arc::new(ConcurrencyLimit::new(self.rules));
        self.routes.rcu(|routes| {
            let mut routes = HashMap::clone(routes);
            routes.entry(key.clone()).or_insert_with(|| Arc::clone(&new));
            routes
        });
        self.routes.load().get(&key).map_or(new, Arc::clone)
    }
}

impl ConcurrencyLimit {
    fn new(rules: Rules) -> Self {
        let window = Window::new(Instant::now(), true);
        Self {
            rules,
            running: AtomicUsize::new(0),
            current: AtomicUsize::new(START.min(rules.max)),
            window: Mutex::new(window),
        }
    }

    /// Counts a request that ended, and adapts the limit.
    fn finish(&self, begun: Instant, now: Instant) {
        let remaining = self.running.fetch_sub(1, Ordering::AcqRel) - 1;
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let (took, target) = (now.saturating_duration_since(begun), self.rules.target);
        window.done += 1;
        window.late += usize::from(took > target / 2);
        window.peak = window.peak.max(remaining + 1);
        window.starting &= took <= target / 4;
        let limit = self.current.load(Ordering::Relaxed);
        if window.starting && 2 * (remaining + 1) >= limit {
            self.current.store((limit + 1).min(self.rules.max), Ordering::Relaxed);
        }
        let span = now.saturating_duration_since(window.begun);
        if remaining > 0 && span < WINDOW {
            return;
        }
        let too_late = window.is_too_late();
        if too_late || span >= WINDOW {
            let limit = self.current.load(Ordering::Relaxed);
            self.current.store(self.rules.next_limit(limit, &window, span), Ordering::Relaxed);
        }
        // With no request in progress, slow start begins again: the cause of the delay is over.
        *window = Window::new(now, remaining == 0 || (window.starting && !too_late));
    }
}

impl Window {
    fn new(begun: Instant, starting: bool) -> Self {
        Self { begun, done: 0, late: 0, peak: 0, starting }
    }

    /// Whether more than one in [`LATE`] answers were late.
    fn is_too_late(&self) -> bool {
        self.late * LATE > self.done
    }
}

impl Rules {
    /// The limit after a window of this length.
    fn next_limit(&self, limit: usize, window: &Window, span: Duration) -> usize {
        if !window.is_too_late() {
            let used = 2 * window.peak >= limit;
            return if used { (limit + limit / 16 + 1).min(self.max) } else { limit };
        }
        let in_time = window.done as u128 * (self.target.as_millis() / 4) / span.as_millis().max(1);
        let in_time = usize::try_from(in_time).unwrap_or(usize::MAX);
        in_time.max(FLOOR).min(limit)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limit.finish(self.begun, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { max: 4_096, target: Duration::from_millis(500) };

    fn after(limit: usize, done: usize, late: usize, millis: u64) -> usize {
        let window = Window { done, late, peak: limit, ..Window::new(Instant::now(), false) };
        RULES.next_limit(limit, &window, Duration::from_millis(millis))
    }

    #[test]
    fn a_late_window_lowers_the_limit_to_a_quarter_of_the_target_and_a_good_one_raises_it() {
        // 2,000 answers per second, times a quarter of the target: 125 ms.
        assert_eq!(after(4_096, 500, 51, 250), 250);
        assert_eq!(after(4_096, 500, 50, 250), 4_096);
        assert_eq!(after(800, 500, 0, 250), 851);
        assert_eq!(after(4_096, 10, 10, 1_000), FLOOR, "never below the floor");
        assert_eq!(after(200, 500, 500, 250), 200, "late answers never raise the limit");
    }

    /// Fills a route to its limit, then ends all its requests, each of which took `took`. Returns
    /// their number.
    fn fill_and_end(limits: &ConcurrencyLimits, took: Duration) -> usize {
        let mut permits: Vec<_> = std::iter::from_fn(|| limits.enter("/slow", "POST")).collect();
        let before =
            |at: Instant| at.checked_sub(took).expect("a machine that has run for a while");
        for permit in &mut permits {
            permit.begun = before(permit.begun);
        }
        let mut window = permits[0].limit.window.lock().expect("no panic with the lock");
        window.begun = before(window.begun);
        drop(window);
        permits.len()
    }

    #[test]
    fn a_limit_doubles_while_answers_are_quick_and_falls_when_they_are_late() {
        let limits = ConcurrencyLimits::new(4_096, Duration::from_millis(500));
        let quick = Duration::from_millis(1);
        assert_eq!(fill_and_end(&limits, quick), START);
        // It grows only until half of the limit is unused: under a steady load it would double.
        let grown = fill_and_end(&limits, quick);
        assert!((START + START / 4..=2 * START).contains(&grown), "{grown}");
        for _ in 0..12 {
            fill_and_end(&limits, quick);
        }
        assert_eq!(fill_and_end(&limits, quick), 4_096, "up to the maximum");
        fill_and_end(&limits, Duration::from_secs(2));
        assert!(fill_and_end(&limits, quick) < 4_096, "late answers lower the limit");
        assert!(limits.enter("/slow", "GET").is_some());
    }

    #[test]
    fn a_limit_that_is_little_used_does_not_grow() {
        let window = Window { done: 500, peak: 127, ..Window::new(Instant::now(), false) };
        assert_eq!(RULES.next_limit(256, &window, WINDOW), 256);
        let limits = ConcurrencyLimits::new(4_096, Duration::from_millis(500));
        for _ in 0..10_000 {
            drop(limits.enter("/slow", "POST"));
        }
        assert_eq!(fill_and_end(&limits, Duration::ZERO), START);
    }
}
