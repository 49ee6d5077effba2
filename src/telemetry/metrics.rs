//! The metrics of the process, in the `OpenMetrics` text format at `/metrics`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::text::encode;

use super::latency::Counts;
use super::registry::{All, Connections, Kind, Loop, Movement, Reason, Schedule, Status, What};
use super::rejections::Rejection;
use super::rounds::Round;

/// The metrics of the process; cheap to clone, and all clones share their counts.
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
    /// Creates a new registry, so that two apps in one test process do not share counts.
    #[must_use]
    pub fn new() -> Self {
        Self { all: Arc::new(All::new()) }
    }

    /// Writes all metrics as the text of `/metrics`.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &self.all.registry) {
            tracing::error!(%error, "the metrics could not be rendered");
        }
        text
    }

    /// Counts an answered request and its latency. `route` is the pattern that the request matched.
    pub fn request(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        let routes = self.all.answers.load();
        let by_status = routes.get(route);
        let answers = match by_status.and_then(|answers| answers.get(&(method, status))) {
            Some(answers) => answers,
            None => &self.all.answers_of(route, method, status),
        };
        answers.count.inc();
        answers.latency.observe(took.as_secs_f64());
        answers.spread.observe(took);
    }

    /// Calls `visit` with each route, method and status answered so far, and its latencies.
    pub fn answered(&self, mut visit: impl FnMut(&str, &'static str, u16, &Counts)) {
        for (route, by_status) in self.all.answers.load().iter() {
            for ((method, status), answers) in by_status {
                visit(route, method, *status, &answers.spread.counts());
            }
        }
    }

    /// Counts a refused request or connection.
    pub fn refused(&self, reason: &'static str) {
        self.all.refused.get_or_create(&Reason { reason }).inc();
    }

    /// Sets how many buyers of a schedule wait and how many have an active slot.
    pub fn line(&self, schedule: i64, waiting: u64, active: u64) {
        let schedule = Schedule { schedule };
        self.all.waiting.get_or_create(&schedule).set(gauge(waiting));
        self.all.active.get_or_create(&schedule).set(gauge(active));
    }

    /// Removes a schedule from the gauges, when this process no longer reads its queue.
    pub fn forget_line(&self, schedule: i64) {
        let schedule = Schedule { schedule };
        self.all.waiting.remove(&schedule);
        self.all.active.remove(&schedule);
    }

    /// Counts a new queue entry. A repeated join of the same user does not count.
    pub fn joined(&self) {
        self.all.joins.inc();
    }

    /// Counts admitted buyers.
    pub fn admitted(&self, buyers: u64) {
        self.all.admissions.inc_by(buyers);
    }

    /// Counts a hold that was created.
    pub fn held(&self) {
        self.all.holds.inc();
    }

    /// Counts a refused hold; `reason` is the problem's code.
    pub fn hold_refused(&self, schedule: i64, reason: &'static str) {
        self.all.holds_refused.get_or_create(&Reason { reason }).inc();
        self.all.rejections.add(Rejection { schedule, wanted: "hold", reason }, 1);
    }

    /// Counts a refused join; `reason` is the problem's code.
    pub fn join_refused(&self, schedule: i64, reason: &'static str) {
        self.all.joins_refused.get_or_create(&Reason { reason }).inc();
        self.all.rejections.add(Rejection { schedule, wanted: "join", reason }, 1);
    }

    /// Takes the rejections that were counted since the last call.
    #[must_use]
    pub fn take_rejections(&self) -> Vec<(Rejection, u64)> {
        self.all.rejections.take()
    }

    /// Adds rejections again that could not be written to PostgreSQL.
    pub fn give_back(&self, rejections: impl IntoIterator<Item = (Rejection, u64)>) {
        for (rejection, times) in rejections {
            self.all.rejections.add(rejection, times);
        }
    }

    /// Counts reservations that reached a status (`PAYMENT_WAITING`, `COMPLETE`, …).
    pub fn reservations(&self, status: &'static str, count: u64) {
        self.all.reservations.get_or_create(&Status { status }).inc_by(count);
    }

    /// Counts a paid hold: its seats and points.
    pub fn paid(&self, seats: u64, points: u64) {
        self.all.payments.inc_by(seats);
        self.all.points.get_or_create(&Movement { kind: "PAYMENT" }).inc_by(points);
    }

    /// Counts a refunded payment and its points.
    pub fn refunded(&self, points: u64) {
        self.all.refunds.inc();
        self.all.points.get_or_create(&Movement { kind: "REFUND" }).inc_by(points);
    }

    /// Counts charged points.
    pub fn charged(&self, points: u64) {
        self.all.points.get_or_create(&Movement { kind: "CHARGE" }).inc_by(points);
    }

    /// Sets the number of connections to PostgreSQL: all of them, and the idle ones.
    pub fn pool(&self, size: u32, idle: usize) {
        let of = |state| self.all.pool.get_or_create_owned(&Connections { state });
        of("size").set(i64::from(size));
        of("idle").set(gauge(idle as u64));
    }

    /// Sets the number of bulk connections to Redis: all of them, and those in use.
    pub fn bulk_connections(&self, size: usize, in_use: usize) {
        let of = |state| self.all.bulk_pool.get_or_create_owned(&Connections { state });
        of("size").set(gauge(size as u64));
        of("in_use").set(gauge(in_use as u64));
    }

    /// Sets the number of bulk calls that wait for a connection, and counts those that waited in
    /// vain since the last call.
    pub fn bulk_waits(&self, waiting: usize, timeouts: u64) {
        self.all.bulk_waiting.set(gauge(waiting as u64));
        self.all.bulk_wait_timeouts.inc_by(timeouts);
    }

    /// Records a run of the loop `name`, which began `lag` later than it should have.
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

    /// The numbers of outbox rows that wait for the relay and that are parked, when the relay last
    /// counted them.
    #[must_use]
    pub fn outbox_seen(&self) -> (u64, u64) {
        let count = |gauge: i64| u64::try_from(gauge).unwrap_or(0);
        (count(self.all.outbox.get()), count(self.all.outbox_parked.get()))
    }

    /// Counts a stream of this kind as open.
    pub fn stream_opened(&self, kind: &'static str) {
        self.all.streams.get_or_create(&Kind { kind }).inc();
    }

    /// Counts a stream of this kind as closed.
    pub fn stream_closed(&self, kind: &'static str) {
        self.all.streams.get_or_create(&Kind { kind }).dec();
    }

    /// Counts an event that was sent on a stream.
    pub fn stream_event(&self, kind: &'static str) {
        self.all.stream_events.get_or_create(&Kind { kind }).inc();
    }

    /// Counts a stream that was closed because its client did not read.
    pub fn stream_dropped(&self, kind: &'static str) {
        self.all.streams_dropped.get_or_create(&Kind { kind }).inc();
    }

    /// Sets the numbers of outbox rows that wait for the relay and that are parked.
    pub fn outbox(&self, waiting: u64, parked: u64) {
        self.all.outbox.set(gauge(waiting));
        self.all.outbox_parked.set(gauge(parked));
    }

    /// Counts differences in `what` between Redis and PostgreSQL that the reconciler repaired.
    pub fn repaired(&self, what: &'static str, times: u64) {
        self.all.repairs.get_or_create(&What { what }).inc_by(times);
    }

    /// Records how long the comparison of a schedule in both stores took.
    pub fn compared(&self, took: Duration) {
        self.all.compared.observe(took.as_secs_f64());
    }

    /// Counts queue entries that could not be archived because PostgreSQL has no such user.
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
    fn counts_are_rendered_and_the_gauges_of_a_removed_schedule_are_not() {
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
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains(r#"schedule="8""#));
    }
}
