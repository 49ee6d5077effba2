//! What is counted, in Prometheus' text format at `/metrics`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::text::encode;

use super::latency::Counts;
use super::registry::{All, Connections, Kind, Loop, Movement, Reason, Schedule, Status, What};
use super::rejections::Refusal;
use super::rounds::Round;

/// The process's counters; cheap to clone, and every clone counts into the same ones.
#[derive(Clone)]
pub struct Metrics {
    all: Arc<All>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics(..)")
    }
}

impl Metrics {
    /// A registry of its own, so that two apps in one test process do not share counts.
    #[must_use]
    pub fn new() -> Self {
        Self { all: Arc::new(All::new()) }
    }

    /// Everything counted so far, as `/metrics` answers it.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &self.all.registry) {
            tracing::error!(%error, "the metrics could not be rendered");
        }
        text
    }

    /// A request was answered. `route` is the pattern it matched, not its path.
    pub fn request(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        let known = self.all.answers.load();
        let answers = match known.get(route).and_then(|of| of.get(&(method, status))) {
            Some(answers) => answers,
            None => &self.all.answers_of(route, method, status),
        };
        answers.count.inc();
        answers.latency.observe(took.as_secs_f64());
        answers.spread.observe(took);
    }

    /// Tells of each kind of answer given so far its route, method and status, and how long they took.
    pub fn answered(&self, mut tell: impl FnMut(&str, &'static str, u16, &Counts)) {
        for (route, of) in self.all.answers.load().iter() {
            for ((method, status), answers) in of {
                tell(route, method, *status, &answers.spread.counts());
            }
        }
    }

    /// A request or a connection was not taken on.
    pub fn refused(&self, reason: &'static str) {
        self.all.refused.get_or_create(&Reason { reason }).inc();
    }

    /// How long a schedule's line is, and how many it has let in.
    pub fn line(&self, schedule: i64, waiting: u64, active: u64) {
        let schedule = Schedule { schedule };
        self.all.waiting.get_or_create(&schedule).set(gauge(waiting));
        self.all.active.get_or_create(&schedule).set(gauge(active));
    }

    /// Nobody watches this schedule any more: its line is no longer told.
    pub fn forget_line(&self, schedule: i64) {
        let schedule = Schedule { schedule };
        self.all.waiting.remove(&schedule);
        self.all.active.remove(&schedule);
    }

    /// Somebody got a place in line (not: was given the one they had).
    pub fn joined(&self) {
        self.all.joins.inc();
    }

    /// So many were let in.
    pub fn admitted(&self, buyers: u64) {
        self.all.admissions.inc_by(buyers);
    }

    /// A hold was taken and written.
    pub fn held(&self) {
        self.all.holds.inc();
    }

    /// A hold in a schedule was refused; `reason` is the problem's code.
    pub fn hold_refused(&self, schedule: i64, reason: &'static str) {
        self.all.holds_refused.get_or_create(&Reason { reason }).inc();
        self.all.turned_away.add(Refusal { schedule, wanted: "hold", reason }, 1);
    }

    /// Somebody was not given a place in a line; `reason` is the problem's code.
    pub fn join_refused(&self, schedule: i64, reason: &'static str) {
        self.all.joins_refused.get_or_create(&Reason { reason }).inc();
        self.all.turned_away.add(Refusal { schedule, wanted: "join", reason }, 1);
    }

    /// The refusals that were counted since they were last taken.
    #[must_use]
    pub fn take_turned_away(&self) -> Vec<(Refusal, u64)> {
        self.all.turned_away.take()
    }

    /// Puts refusals back that could not be written down.
    pub fn give_back(&self, refusals: impl IntoIterator<Item = (Refusal, u64)>) {
        for (refusal, times) in refusals {
            self.all.turned_away.add(refusal, times);
        }
    }

    /// So many reservations became `status` (`PAYMENT_WAITING`, `COMPLETE`, …).
    pub fn reservations(&self, status: &'static str, count: u64) {
        self.all.reservations.get_or_create(&Status { status }).inc_by(count);
    }

    /// A hold of so many seats was paid with so many points.
    pub fn paid(&self, seats: u64, points: u64) {
        self.all.payments.inc_by(seats);
        self.all.points.get_or_create(&Movement { kind: "PAYMENT" }).inc_by(points);
    }

    /// One payment was refunded, with so many points.
    pub fn refunded(&self, points: u64) {
        self.all.refunds.inc();
        self.all.points.get_or_create(&Movement { kind: "REFUND" }).inc_by(points);
    }

    /// So many points were charged.
    pub fn charged(&self, points: u64) {
        self.all.points.get_or_create(&Movement { kind: "CHARGE" }).inc_by(points);
    }

    /// Connections to PostgreSQL: all, and those nobody uses.
    pub fn pool(&self, size: u32, idle: usize) {
        let of = |state| self.all.pool.get_or_create_owned(&Connections { state });
        of("size").set(i64::from(size));
        of("idle").set(gauge(idle as u64));
    }

    /// The loop `name` ran, so much later than it should have.
    pub fn loop_ran(&self, name: &'static str, lag: Duration, round: Round) {
        let this = Loop { name };
        self.all.loop_lag.get_or_create(&this).set(lag.as_secs_f64());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.all.loop_last_run.get_or_create(&this).set(now.as_secs_f64());
        self.all.rounds.note(name, round);
    }

    /// The last round of each loop that has run.
    #[must_use]
    pub fn rounds(&self) -> BTreeMap<&'static str, Round> {
        self.all.rounds.all()
    }

    /// How many rows of the outbox Redis had not heard of, and how many were parked, when the relay
    /// last looked.
    #[must_use]
    pub fn outbox_seen(&self) -> (u64, u64) {
        let count = |gauge: i64| u64::try_from(gauge).unwrap_or(0);
        (count(self.all.outbox.get()), count(self.all.outbox_parked.get()))
    }

    /// A stream of a kind was opened.
    pub fn stream_opened(&self, kind: &'static str) {
        self.all.streams.get_or_create(&Kind { kind }).inc();
    }

    /// A stream of a kind is over.
    pub fn stream_closed(&self, kind: &'static str) {
        self.all.streams.get_or_create(&Kind { kind }).dec();
    }

    /// An event was sent on a stream.
    pub fn stream_event(&self, kind: &'static str) {
        self.all.stream_events.get_or_create(&Kind { kind }).inc();
    }

    /// A stream was closed since its client did not read.
    pub fn stream_dropped(&self, kind: &'static str) {
        self.all.streams_dropped.get_or_create(&Kind { kind }).inc();
    }

    /// How many rows of the outbox Redis has not heard of yet, and how many are parked.
    pub fn outbox(&self, waiting: u64, parked: u64) {
        self.all.outbox.set(gauge(waiting));
        self.all.outbox_parked.set(gauge(parked));
    }

    /// So many times the reconciler found Redis to contradict PostgreSQL about `what`, and mended it.
    pub fn repaired(&self, what: &'static str, times: u64) {
        self.all.repairs.get_or_create(&What { what }).inc_by(times);
    }

    /// A schedule was compared, which took so long.
    pub fn compared(&self, took: Duration) {
        self.all.compared.observe(took.as_secs_f64());
    }

    /// So many places could not be archived, since PostgreSQL does not know their users.
    pub fn queue_rows_skipped(&self, rows: u64) {
        self.all.queue_rows_skipped.inc_by(rows);
    }
}

fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_rendered_and_a_forgotten_line_is_not() {
        let metrics = Metrics::new();
        metrics.request("/v1/points", "GET", 200, Duration::from_millis(3));
        metrics.line(7, 1_000, 50);
        metrics.line(8, 1, 1);
        metrics.forget_line(8);
        metrics.paid(2, 300);
        metrics.hold_refused(7, "seat_taken");
        let text = metrics.render();
        for line in [
            r#"onsale_http_requests_total{route="/v1/points",method="GET",status="200"} 1"#,
            r#"onsale_http_request_duration_seconds_bucket{le="0.005",route="/v1/points",method="GET"} 1"#,
            r#"onsale_line_waiting{schedule="7"} 1000"#,
            r#"onsale_points_total{kind="PAYMENT"} 300"#,
            r#"onsale_holds_refused_total{reason="seat_taken"} 1"#,
        ] {
            assert!(text.lines().any(|told| told == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains(r#"schedule="8""#));
    }
}
