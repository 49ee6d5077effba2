//! The controller in a closed loop, with an assumed store and its buyers.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::store_load::{SlowTime, StoreLoad, StoreRules};
use super::super::*;
use super::{rules, settled};

const WINDOW_MS: i64 = 10_000;

/// Buyers who are admitted at the rate, hold after a while, and pay after another.
struct Loop {
    rules: AutoRules,
    state: AutoState,
    store: StoreLoad,
    stay_seconds: f64,
    random: ChaCha8Rng,
    calls: BinaryHeap<Reverse<(i64, bool)>>,
    answers: VecDeque<(i64, Result<f64, f64>)>,
    admitted: VecDeque<i64>,
    active: u64,
    tokens: f64,
    /// Without the pause after a decrease.
    is_eager: bool,
}

impl Loop {
    fn new(rules: AutoRules, store: StoreRules, stay_seconds: f64, seed: u64) -> Self {
        Self {
            state: settled(rules.bounded(rules.start)),
            rules,
            store: StoreLoad::new(store),
            stay_seconds,
            random: ChaCha8Rng::seed_from_u64(seed),
            calls: BinaryHeap::new(),
            answers: VecDeque::new(),
            admitted: VecDeque::new(),
            active: 0,
            tokens: 0.0,
            is_eager: false,
        }
    }

    /// Log-normal, with this median.
    fn takes(&mut self) -> i64 {
        let sum: f64 = (0..4).map(|_| self.random.random::<f64>()).sum();
        let normal = (sum - 2.0) * 3.0_f64.sqrt();
        crate::number::millis(self.stay_seconds * 500.0 * (0.6 * normal).exp())
    }

    /// Runs for this time; returns the rate at each second.
    fn run(&mut self, seconds: i64) -> Vec<u32> {
        let mut rates = Vec::new();
        for now in (0..seconds * 1_000).step_by(100) {
            self.tokens += f64::from(self.state.rate) / 10.0;
            while self.tokens >= 1.0 {
                self.tokens -= 1.0;
                self.active += 1;
                self.admitted.push_back(now);
                let holds_at = now + self.takes();
                self.calls.push(Reverse((holds_at, false)));
            }
            self.call(now);
            if now % 2_000 == 0 {
                self.control(now);
            }
            if now % 1_000 == 0 {
                rates.push(self.state.rate);
            }
        }
        rates
    }

    fn call(&mut self, now: i64) {
        while let Some(Reverse((at, pays))) = self.next_call(now) {
            self.answers.push_back((at, self.store.call(at, 1.0)));
            if pays {
                self.active -= 1;
            } else {
                let pays_at = at + self.takes();
                self.calls.push(Reverse((pays_at, true)));
            }
        }
    }

    fn next_call(&mut self, now: i64) -> Option<Reverse<(i64, bool)>> {
        let is_due = self.calls.peek().is_some_and(|call| call.0.0 <= now);
        is_due.then(|| self.calls.pop()).flatten()
    }

    fn control(&mut self, now: i64) {
        self.answers.retain(|(at, _)| *at > now - WINDOW_MS);
        self.admitted.retain(|at| *at > now - WINDOW_MS);
        let mut times: Vec<f64> =
            self.answers.iter().map(|(_, it)| it.unwrap_or_else(|ms| ms)).collect();
        let errors = self.answers.iter().filter(|(_, it)| it.is_err()).count() as u64;
        let reading = AutoReading {
            answers: float(times.len() as u64),
            p99_ms: p99(&mut times),
            errors: float(errors),
            flow: Some(AutoFlow {
                admits: true,
                waiting: 1_000_000,
                active: self.active,
                capacity: 1_000_000,
                admitted_per_second: Some(float(self.admitted.len() as u64) / 10.0),
            }),
        };
        let next = self.rules.next(&self.state, &reading);
        self.state.changed_seconds += EVERY_SECONDS;
        self.state.lowered_seconds += EVERY_SECONDS;
        if next.rate != self.state.rate {
            self.state.changed_seconds = 0.0;
        }
        if next.rate < self.state.rate && !self.is_eager {
            self.state.lowered_seconds = 0.0;
        }
        self.state.rate = next.rate;
    }
}

/// A store for this many buyers per second, each with a hold and a payment.
fn store(buyers: u32, slow: Option<SlowTime>) -> StoreRules {
    StoreRules { calls_per_second: 2.0 * f64::from(buyers), call_ms: 20.0, slow }
}

/// The rates from this second on, as shares of what the store bears: the lowest and the highest.
fn band(rates: &[u32], from: usize, bears: u32) -> (f64, f64) {
    let of = |rate: Option<&u32>| f64::from(*rate.unwrap()) / f64::from(bears);
    (of(rates[from..].iter().min()), of(rates[from..].iter().max()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]

    /// The band that docs/OPERATIONS.md states.
    #[test]
    fn the_rate_stays_within_the_band_around_what_the_store_bears(
        (bears, start_percent) in (8u32..50, 25u32..=400),
        (stay_seconds, seed) in (2.0f64..120.0, 0u64..1_000),
    ) {
        let start = (bears * start_percent / 100).max(1);
        let rules = AutoRules { start, min: 1, max: 10_000, ..rules() };
        let rates = Loop::new(rules, store(bears, None), stay_seconds, seed).run(1_800);
        let (low, high) = band(&rates, 900, bears);
        prop_assert!(low >= 0.3 && high <= 1.6, "{low} to {high}");
        let mean = rates[900..].iter().map(|rate| f64::from(*rate)).sum::<f64>() / 900.0;
        prop_assert!(mean >= 0.6 * f64::from(bears), "it makes use of the store: {mean}");
    }

    #[test]
    fn the_rate_falls_while_the_store_is_slow_and_comes_back(
        (bears, stay_seconds, seed) in (20u32..50, 2.0f64..60.0, 0u64..1_000),
    ) {
        let slow = SlowTime { from_ms: 600_000, to_ms: 1_200_000, times: 10.0 };
        let rules = AutoRules { start: bears, min: 1, max: 10_000, ..rules() };
        let rates = Loop::new(rules, store(bears, Some(slow)), stay_seconds, seed).run(2_700);
        let lowest = *rates[600..1_200].iter().min().unwrap();
        prop_assert!(f64::from(lowest) <= 0.15 * f64::from(bears), "{lowest} of {bears}");
        let (low, high) = band(&rates, 2_200, bears);
        prop_assert!(low >= 0.3 && high <= 1.6, "{low} to {high}");
        let best = *rates[1_200..2_200].iter().max().unwrap();
        prop_assert!(f64::from(best) >= 0.7 * f64::from(bears), "{best} of {bears}");
    }
}

/// Each step would lower the rate again before its effect shows.
#[test]
fn without_the_pause_after_a_decrease_the_rate_would_leave_the_band() {
    let rules = AutoRules { start: 50, min: 1, max: 10_000, ..rules() };
    let mut eager = Loop::new(rules, store(50, None), 60.0, 1);
    eager.is_eager = true;
    let (low, _) = band(&eager.run(1_800), 900, 50);
    assert!(low < 0.3, "the lowest share is {low}");
}
