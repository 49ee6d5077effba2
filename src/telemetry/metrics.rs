//! What is counted, in Prometheus' text format at `/metrics`.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// From half a millisecond to the request timeout, in seconds.
const LATENCY_BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The process's counters; cheap to clone, and every clone counts into the same ones.
#[derive(Clone)]
pub struct Metrics {
    all: Arc<All>,
}

struct All {
    registry: Registry,
    requests: Family<Request, Counter>,
    latency: Family<Route, Histogram, fn() -> Histogram>,
    waiting: Family<Schedule, Gauge>,
    active: Family<Schedule, Gauge>,
    joins: Counter,
    admissions: Counter,
    holds: Counter,
    holds_refused: Family<Reason, Counter>,
    reservations: Family<Status, Counter>,
    payments: Counter,
    refunds: Counter,
    points: Family<Movement, Counter>,
    pool: Family<Connections, Gauge>,
    loop_lag: Family<Loop, Gauge<f64, std::sync::atomic::AtomicU64>>,
    loop_last_run: Family<Loop, Gauge<f64, std::sync::atomic::AtomicU64>>,
    outbox: Gauge,
    queue_rows_skipped: Counter,
}

macro_rules! labels {
    ($($name:ident { $($label:ident: $kind:ty),+ })+) => {$(
        #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
        struct $name { $($label: $kind),+ }
    )+};
}

labels! {
    Request { route: String, method: &'static str, status: u16 }
    Route { route: String, method: &'static str }
    Schedule { schedule: i64 }
    Reason { reason: &'static str }
    Status { status: &'static str }
    Movement { kind: &'static str }
    Connections { state: &'static str }
    Loop { name: &'static str }
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
        let mut all = All {
            registry: Registry::with_prefix("onsale"),
            requests: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(LATENCY_BUCKETS)),
            waiting: Family::default(),
            active: Family::default(),
            joins: Counter::default(),
            admissions: Counter::default(),
            holds: Counter::default(),
            holds_refused: Family::default(),
            reservations: Family::default(),
            payments: Counter::default(),
            refunds: Counter::default(),
            points: Family::default(),
            pool: Family::default(),
            loop_lag: Family::default(),
            loop_last_run: Family::default(),
            outbox: Gauge::default(),
            queue_rows_skipped: Counter::default(),
        };
        all.register();
        Self { all: Arc::new(all) }
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
        let request = Request { route: route.to_owned(), method, status };
        self.all.requests.get_or_create(&request).inc();
        let route = Route { route: request.route, method };
        self.all.latency.get_or_create(&route).observe(took.as_secs_f64());
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

    /// A hold was refused; `reason` is the problem's code.
    pub fn hold_refused(&self, reason: &'static str) {
        self.all.holds_refused.get_or_create(&Reason { reason }).inc();
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
    pub fn loop_ran(&self, name: &'static str, lag: Duration) {
        let this = Loop { name };
        self.all.loop_lag.get_or_create(&this).set(lag.as_secs_f64());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.all.loop_last_run.get_or_create(&this).set(now.as_secs_f64());
    }

    /// How many rows of the outbox Redis has not heard of.
    pub fn outbox_backlog(&self, rows: u64) {
        self.all.outbox.set(gauge(rows));
    }

    /// So many places could not be archived, since PostgreSQL does not know their users.
    pub fn queue_rows_skipped(&self, rows: u64) {
        self.all.queue_rows_skipped.inc_by(rows);
    }
}

fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl All {
    fn register(&mut self) {
        self.register_http();
        self.register_sale();
        self.register_upkeep();
    }

    fn register_http(&mut self) {
        let to = &mut self.registry;
        to.register("http_requests", "Requests answered", self.requests.clone());
        let help = "Time until the head of the answer";
        to.register("http_request_duration_seconds", help, self.latency.clone());
    }

    fn register_sale(&mut self) {
        let to = &mut self.registry;
        to.register("line_waiting", "Buyers waiting in a line", self.waiting.clone());
        to.register("line_active", "Buyers let in and not done", self.active.clone());
        to.register("joins", "Places in line given out", self.joins.clone());
        to.register("admissions", "Buyers let in", self.admissions.clone());
        to.register("holds", "Holds taken", self.holds.clone());
        to.register("holds_refused", "Holds refused, by code", self.holds_refused.clone());
        to.register("reservations", "Reservations that became …", self.reservations.clone());
        to.register("payments", "Seats paid", self.payments.clone());
        to.register("refunds", "Payments refunded", self.refunds.clone());
        to.register("points", "Points moved, by kind", self.points.clone());
    }

    fn register_upkeep(&mut self) {
        let to = &mut self.registry;
        to.register("postgres_connections", "Connections of the pool", self.pool.clone());
        to.register("loop_lag_seconds", "How late a loop ran last", self.loop_lag.clone());
        let help = "When a loop ran last, Unix time";
        to.register("loop_last_run_seconds", help, self.loop_last_run.clone());
        to.register("outbox_backlog", "Outbox rows not relayed", self.outbox.clone());
        let help = "Places not archived, their user unknown";
        to.register("queue_rows_skipped", help, self.queue_rows_skipped.clone());
    }
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
        metrics.hold_refused("seat_taken");
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
