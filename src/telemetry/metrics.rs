//! The metrics of the process, for `/metrics`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::text::{encode_eof, encode_registry};

use super::latency::Counts;
use super::numbers::gauge;
use super::registry::{All, Kind, Loop, Movement, Reason, Status, What};
use super::rejections::Rejection;
use super::rounds::Round;
use super::schedules::ScheduleMetrics;
use super::stores::StoreMetrics;
use super::text_format::TextFormat;
use super::webhooks::WebhookMetrics;

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

    /// Writes all metrics as text.
    #[must_use]
    pub fn render(&self, format: TextFormat) -> String {
        let mut text = String::new();
        let written = encode_registry(&mut text, &self.all.registry)
            .and_then(|()| encode_registry(&mut text, &self.all.process))
            .and_then(|()| encode_eof(&mut text));
        if let Err(error) = written {
            tracing::error!(%error, "the metrics could not be rendered");
        }
        format.of_open_metrics(text)
    }

    /// The metrics of the two stores.
    #[must_use]
    pub fn stores(&self) -> &StoreMetrics {
        &self.all.stores
    }

    /// The metrics of each live schedule.
    #[must_use]
    pub fn schedules(&self) -> &ScheduleMetrics {
        &self.all.schedules
    }

    /// The metrics of webhooks.
    #[must_use]
    pub fn webhooks(&self) -> &WebhookMetrics {
        &self.all.webhooks
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
        if status == 500 {
            self.all.internal_errors.inc();
        }
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

    /// Sets the number of open connections, and its maximum.
    pub fn connections(&self, open: usize, most: usize) {
        self.all.connections.set(gauge(open as u64));
        self.all.max_connections.set(gauge(most as u64));
    }

    /// Counts a request whose forwarding header is not trusted.
    pub fn untrusted_forwarding(&self) {
        self.all.untrusted_forwarding.inc();
    }

    /// Counts a minute in which one address made most of the joins.
    pub fn one_address_minute(&self) {
        self.all.one_address_minutes.inc();
    }

    /// Counts a new queue entry. A repeated join of the same user does not count.
    pub fn joined(&self) {
        self.all.joins.inc();
    }

    /// Counts admitted buyers.
    pub fn admitted(&self, schedule: i64, buyers: u64) {
        self.all.admissions.inc_by(buyers);
        self.all.schedules.admitted(schedule, buyers);
    }

    /// Counts a hold that was created.
    pub fn held(&self, schedule: i64) {
        self.all.holds.inc();
        self.all.schedules.held(schedule);
    }

    /// Creates the counts of refused joins and holds with these problem codes.
    pub fn create_refusals(&self, joins: &[&'static str], holds: &[&'static str]) {
        for (family, reasons) in
            [(&self.all.joins_refused, joins), (&self.all.holds_refused, holds)]
        {
            for &reason in reasons {
                family.get_or_create_owned(&Reason { reason });
            }
        }
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

    /// Counts a refused payment for the report of its sale; `reason` is the problem's code.
    pub fn payment_refused(&self, schedule: i64, reason: &'static str) {
        self.all.rejections.add(Rejection { schedule, wanted: "pay", reason }, 1);
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
        self.refunded_many(1, points);
    }

    /// Counts refunded payments and the sum of their points.
    pub fn refunded_many(&self, payments: u64, points: u64) {
        self.all.refunds.inc_by(payments);
        self.all.points.get_or_create(&Movement { kind: "REFUND" }).inc_by(points);
    }

    /// Counts charged points.
    pub fn charged(&self, points: u64) {
        self.all.points.get_or_create(&Movement { kind: "CHARGE" }).inc_by(points);
    }

    /// Sets the number of log lines that were dropped so far.
    pub fn log_lines_dropped(&self, lines: u64) {
        self.all.log_lines_dropped.inner().store(lines, Ordering::Relaxed);
    }

    /// Creates the metrics of the loop `name`, which runs every `period`.
    pub fn loop_started(&self, name: &'static str, period: Duration) {
        let this = Loop { name };
        self.all.loop_period.get_or_create_owned(&this).set(period.as_secs_f64());
        for times in [&self.all.loop_lag, &self.all.loop_last_run, &self.all.loop_last_success] {
            times.get_or_create_owned(&this);
        }
        self.all.loop_failures.get_or_create_owned(&this);
    }

    /// Records a run of the loop `name`, which began `lag` later than it should have.
    pub fn loop_ran(&self, name: &'static str, lag: Duration, round: Round) {
        let this = Loop { name };
        self.all.loop_lag.get_or_create(&this).set(lag.as_secs_f64());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.all.loop_last_run.get_or_create(&this).set(now.as_secs_f64());
        if round.failed {
            self.all.loop_failures.get_or_create(&this).inc();
        } else {
            self.all.loop_last_success.get_or_create(&this).set(now.as_secs_f64());
        }
        self.all.rounds.note(name, round);
    }

    /// The last round of each loop.
    #[must_use]
    pub fn rounds(&self) -> BTreeMap<&'static str, Round> {
        self.all.rounds.all()
    }

    /// The numbers of outbox rows that wait and that are parked, as the relay last counted them.
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

#[cfg(test)]
mod tests;
