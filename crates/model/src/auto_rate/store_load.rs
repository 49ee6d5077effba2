//! An assumed store behind holds and payments: it answers a number of calls per second, and calls
//! beyond that wait. So latency rises once more calls come than it answers.

use serde::Serialize;

use crate::number::float_ms;

/// Calls that would wait longer fail (ms).
pub const LONGEST_MS: f64 = 5_000.0;

/// A time in which the store is slow.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SlowTime {
    /// Its begin (ms).
    pub from_ms: i64,
    /// Its end (ms).
    pub to_ms: i64,
    /// How many times as long everything takes.
    pub times: f64,
}

/// What the store can do.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StoreRules {
    /// Holds and payments per second that it answers without a wait.
    pub calls_per_second: f64,
    /// Time of an answer without a wait (ms).
    pub call_ms: f64,
    /// When it is slow.
    pub slow: Option<SlowTime>,
}

/// The store at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoreLoad {
    rules: StoreRules,
    /// Calls that wait at `at`.
    waiting: f64,
    at: i64,
}

impl StoreLoad {
    /// An idle store.
    #[must_use]
    pub fn new(rules: StoreRules) -> Self {
        Self { rules, waiting: 0.0, at: i64::MIN / 2 }
    }

    /// Takes a call at `now` (ms) that stands for `weight` calls. Returns its latency (ms); `Err` if
    /// it fails after [`LONGEST_MS`].
    ///
    /// # Errors
    /// [`LONGEST_MS`], if the call would take longer.
    pub fn call(&mut self, now: i64, weight: f64) -> Result<f64, f64> {
        let is_slow = self.rules.slow.filter(|slow| (slow.from_ms..slow.to_ms).contains(&now));
        let times = is_slow.map_or(1.0, |slow| slow.times);
        let per_ms = self.rules.calls_per_second / times / 1_000.0;
        let answered = float_ms((now - self.at).max(0)) * per_ms;
        (self.waiting, self.at) = ((self.waiting - answered).max(0.0), now);
        let latency = self.rules.call_ms * times + self.waiting / per_ms;
        if latency > LONGEST_MS {
            return Err(LONGEST_MS);
        }
        self.waiting += weight;
        Ok(latency)
    }
}
