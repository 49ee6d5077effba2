//! Feedback admission in a run.

use super::Sale;
use crate::auto_rate::{AutoFlow, EVERY_SECONDS};
use crate::number::{count, float, millis};

impl Sale<'_> {
    /// Lets the store answer a hold or a payment. False if it fails: the person tries again.
    pub(super) fn is_answered(&mut self, now: i64) -> bool {
        let scale = self.scale;
        self.auto.as_mut().is_none_or(|auto| auto.call(now, scale))
    }

    /// Adjusts the rate, if feedback admission is on and a step is due.
    pub(super) fn control_rate(&mut self, now: i64) {
        let active = float(self.queue.entries.active_count() as u64);
        let flow = AutoFlow {
            admits: self.queue.open,
            waiting: count(float(self.ranks.waiting()) * self.scale),
            active: count(active * self.scale),
            capacity: self.input.rules.capacity,
            admitted_per_second: None,
        };
        let Some(auto) = self.auto.as_mut().filter(|auto| auto.next_at <= now) else { return };
        auto.next_at = now + millis(EVERY_SECONDS * 1_000.0);
        auto.step(now, flow, self.queue.admitted, self.scale);
        self.queue.rules.rate = f64::from(auto.rate) / self.scale;
    }

    /// The limit of admissions per second, and the latency that the controller sees (ms).
    pub(super) fn rate_and_p99(&self) -> (f64, f64) {
        let fixed = float(self.input.rules.admit_per_second);
        self.auto.as_ref().map_or((fixed, 0.0), |auto| (f64::from(auto.rate), auto.p99_ms))
    }
}
