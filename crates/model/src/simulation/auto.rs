//! What the service's controller of the rate sees of a run, and does.

use std::collections::VecDeque;

use super::input::AutoSale;
use crate::auto_rate::store_load::StoreLoad;
use crate::auto_rate::{AutoFlow, AutoReading, AutoState, WINDOW_SECONDS, p99};
use crate::number::{float, float_ms, millis};

/// The controller of a run, and the store behind holds and payments.
#[derive(Debug)]
pub(super) struct Auto {
    sale: AutoSale,
    store: StoreLoad,
    pub(super) rate: u32,
    changed_at: i64,
    lowered_at: Option<i64>,
    pub(super) next_at: i64,
    /// Answers in the window: when, how long they took (ms), and whether they failed.
    answers: VecDeque<(i64, f64, bool)>,
    /// Admissions of the epoch at earlier steps in the window.
    admitted: VecDeque<(i64, u64)>,
    pub(super) p99_ms: f64,
}

impl Auto {
    pub(super) fn new(sale: AutoSale, now: i64) -> Self {
        Self {
            store: StoreLoad::new(sale.store),
            rate: sale.rules.bounded(sale.rules.start),
            sale,
            changed_at: now,
            lowered_at: None,
            next_at: now,
            answers: VecDeque::new(),
            admitted: VecDeque::new(),
            p99_ms: 0.0,
        }
    }

    pub(super) fn call(&mut self, now: i64, weight: f64) -> bool {
        let answer = self.store.call(now, weight);
        let took = answer.unwrap_or_else(|took| took);
        self.answers.push_back((now, took, answer.is_err()));
        answer.is_ok()
    }

    /// Takes a step at `now`, by what the queue shows.
    pub(super) fn step(&mut self, now: i64, mut flow: AutoFlow, admitted: u64, scale: f64) {
        let begin = now - millis(WINDOW_SECONDS * 1_000.0);
        self.answers.retain(|(at, ..)| *at > begin);
        self.admitted.retain(|(at, _)| *at >= begin);
        flow.admitted_per_second = self.admitted.front().map(|(at, before)| {
            float(admitted.saturating_sub(*before)) * scale / float_ms(now - at) * 1_000.0
        });
        self.admitted.push_back((now, admitted));
        let mut times: Vec<f64> = self.answers.iter().map(|(_, took, _)| *took).collect();
        let errors = self.answers.iter().filter(|(.., failed)| *failed).count() as u64;
        self.p99_ms = p99(&mut times);
        let reading = AutoReading {
            answers: float(times.len() as u64) * scale,
            p99_ms: self.p99_ms,
            errors: float(errors) * scale,
            flow: Some(flow),
        };
        let seconds = |at: i64| float_ms(now - at) / 1_000.0;
        let state = AutoState {
            rate: self.rate,
            changed_seconds: seconds(self.changed_at),
            lowered_seconds: self.lowered_at.map_or(f64::INFINITY, seconds),
        };
        let next = self.sale.rules.next(&state, &reading).rate;
        if next < self.rate {
            self.lowered_at = Some(now);
        }
        if next != self.rate {
            (self.rate, self.changed_at) = (next, now);
        }
    }
}
