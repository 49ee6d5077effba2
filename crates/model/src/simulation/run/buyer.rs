//! What a person does in a run.

use rand::Rng;

use super::super::crowd::{Person, takes};
use super::{EPOCH, NEARLY, Sale, Step};
use crate::number::{count, float, float_ms, millis};
use crate::pacing::shorten;
use crate::queue::{At, COMPLETED, Entry, LEFT};

/// Time after its end for which a hold keeps its seats from others (ms).
const KEPT_MS: i64 = 5_500;
/// Polls after which some people leave.
const FEW_POLLS: u32 = 2;

impl Sale<'_> {
    fn sequence(&self, person: usize) -> u64 {
        (EPOCH << 40) + self.known[person].number
    }

    fn leave(&mut self, person: usize, now: i64) {
        let sequence = self.sequence(person);
        self.queue.finish(person as u64, sequence, LEFT);
        self.follow_log(now);
    }

    pub(super) fn join(&mut self, person: usize, now: i64) {
        if self.seats.is_sold_out() || self.is_closed(now) {
            self.run.ends.sold_out += 1;
            return;
        }
        let entered = self.queue.enter(person as u64, false, now);
        self.follow_log(now);
        self.known[person].joined_at = now;
        if let Some((entry, _)) = entered {
            self.go_on(person, &entry, now);
        }
    }

    /// After an answer about a person's entry.
    fn go_on(&mut self, person: usize, entry: &Entry, now: i64) {
        if let At::Active { .. } = entry.at {
            return self.begin_to_buy(person, now);
        }
        let ahead = match entry.at {
            At::Waiting => {
                self.ranks.ahead(usize::try_from(self.known[person].number).unwrap_or(0))
            }
            _ => 0,
        };
        let ahead = count(float(ahead) * self.scale);
        let pause = self.pacing(now).pause_ms(ahead);
        let pause = shorten(pause, self.random.random::<u64>());
        self.plan(now + i64::try_from(pause).unwrap_or(i64::MAX / 4), person, Step::Poll);
    }

    pub(super) fn poll(&mut self, person: usize, now: i64) {
        let known = self.known[person];
        if now - known.joined_at >= self.people[person].patience_ms {
            self.run.ends.gave_up += 1;
            return;
        }
        self.run.polls += 1;
        self.known[person].polls += 1;
        let sequence = self.sequence(person);
        let found = self.queue.resolve(person as u64, sequence, 0, now);
        self.follow_log(now);
        let Ok(entry) = found else {
            self.run.ends.late += 1;
            return;
        };
        let waits = !matches!(entry.at, At::Active { .. });
        if waits && (self.seats.is_sold_out() || self.is_closed(now)) {
            self.leave(person, now);
            self.run.ends.sold_out += 1;
        } else if waits && self.people[person].leaves_soon && known.polls + 1 >= FEW_POLLS {
            self.leave(person, now);
            self.run.ends.left += 1;
        } else {
            self.go_on(person, &entry, now);
        }
    }

    fn begin_to_buy(&mut self, person: usize, now: i64) {
        let joined_at = self.known[person].joined_at;
        self.run.waits.push(float_ms(now - joined_at) / 1000.0);
        self.run.waits_from_opening.push(float_ms(now - joined_at.max(0)) / 1000.0);
        if self.people[person].is_away {
            // The page goes on polling, so the slot lasts to its end.
            self.run.ends.away += 1;
        } else {
            self.plan(now + self.people[person].choose_ms, person, Step::Hold(1));
        }
    }

    pub(super) fn hold(&mut self, person: usize, attempt: u32, now: i64) {
        let entry = self.queue.entries.get(person as u64);
        let is_active =
            entry.is_some_and(|entry| matches!(entry.at, At::Active { until, .. } if until > now));
        if !is_active {
            self.run.ends.late += 1;
            return;
        }
        if self.people[person].leaves_sale {
            self.leave(person, now);
            self.run.ends.left += 1;
            return;
        }
        if !self.is_answered(now) {
            let pause = takes(self.input.crowd.retry, &mut self.random);
            return self.plan(now + pause, person, Step::Hold(attempt));
        }
        let fewer = u64::from(attempt - 1);
        let wanted = self.people[person].basket.saturating_sub(fewer).max(1);
        if self.seats.hold(wanted) {
            return self.hesitate(person, wanted, now);
        }
        self.run.refused_holds += 1;
        if attempt >= self.input.crowd.attempts {
            self.leave(person, now);
            self.run.ends.found_no_seats += 1;
        } else {
            let pause = takes(self.input.crowd.retry, &mut self.random);
            self.plan(now + pause, person, Step::Hold(attempt + 1));
        }
    }

    /// Holds seats: pays in time, or lets them lapse.
    fn hesitate(&mut self, person: usize, seats: u64, now: i64) {
        let hold_ms = millis(self.input.rules.hold_seconds * 1000.0);
        let Person { pays, pay_ms, .. } = self.people[person];
        if pays && pay_ms < hold_ms {
            self.plan(now + pay_ms, person, Step::Pay(seats));
        } else {
            self.run.ends.never_paid += 1;
            self.plan(now + hold_ms + KEPT_MS, person, Step::Lapse(seats));
        }
    }

    pub(super) fn pay(&mut self, person: usize, seats: u64, now: i64) {
        if !self.is_answered(now) {
            let pause = takes(self.input.crowd.retry, &mut self.random);
            return self.plan(now + pause, person, Step::Pay(seats));
        }
        self.seats.sell(seats);
        self.run.ends.bought += 1;
        let sequence = self.sequence(person);
        self.queue.finish(person as u64, sequence, COMPLETED);
        let seconds = Some(float_ms(now) / 1000.0);
        if float(self.seats.sold) >= NEARLY * float(self.seats.total()) {
            self.run.nearly_sold_seconds = self.run.nearly_sold_seconds.or(seconds);
        }
        if self.seats.is_sold_out() {
            self.run.sold_out_seconds = seconds;
        }
    }
}
