//! Defines the metrics: their names, labels and help texts.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::latency::LatencyHistogram;
use super::rejections::RejectionCounter;
use super::rounds::Rounds;

/// Upper bounds of the latency buckets, in seconds: from half a millisecond to the request timeout.
const LATENCY_BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// All metrics, and the registry that renders them.
pub(super) struct All {
    pub(super) registry: Registry,
    pub(super) requests: Family<Request, Counter>,
    pub(super) latency: Family<Route, Histogram, fn() -> Histogram>,
    /// The metrics of each route, method and status so far, to find them without new labels.
    pub(super) answers: ArcSwap<ByRoute>,
    pub(super) refused: Family<Reason, Counter>,
    pub(super) streams: Family<Kind, Gauge>,
    pub(super) stream_events: Family<Kind, Counter>,
    pub(super) streams_dropped: Family<Kind, Counter>,
    pub(super) waiting: Family<Schedule, Gauge>,
    pub(super) active: Family<Schedule, Gauge>,
    pub(super) joins: Counter,
    pub(super) admissions: Counter,
    pub(super) holds: Counter,
    pub(super) holds_refused: Family<Reason, Counter>,
    pub(super) joins_refused: Family<Reason, Counter>,
    pub(super) reservations: Family<Status, Counter>,
    pub(super) payments: Counter,
    pub(super) refunds: Counter,
    pub(super) points: Family<Movement, Counter>,
    pub(super) pool: Family<Connections, Gauge>,
    pub(super) bulk_pool: Family<Connections, Gauge>,
    pub(super) bulk_waiting: Gauge,
    pub(super) bulk_wait_timeouts: Counter,
    pub(super) loop_lag: Family<Loop, Gauge<f64, std::sync::atomic::AtomicU64>>,
    pub(super) loop_last_run: Family<Loop, Gauge<f64, std::sync::atomic::AtomicU64>>,
    pub(super) outbox: Gauge,
    pub(super) outbox_parked: Gauge,
    pub(super) repairs: Family<What, Counter>,
    pub(super) compared: Histogram,
    pub(super) queue_rows_skipped: Counter,
    /// Not rendered: a loop writes these counts to PostgreSQL.
    pub(super) rejections: RejectionCounter,
    /// Not rendered: two gauges per loop show the same.
    pub(super) rounds: Rounds,
}

/// Metrics by route, then by method and status.
type ByRoute = HashMap<String, HashMap<(&'static str, u16), Answers>>;

/// The metrics of answers with the same route, method and status.
#[derive(Clone)]
pub(super) struct Answers {
    pub(super) count: Counter,
    pub(super) latency: Histogram,
    pub(super) spread: Arc<LatencyHistogram>,
}

macro_rules! labels {
    ($($name:ident { $($label:ident: $kind:ty),+ })+) => {$(
        #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
        pub(super) struct $name { $(pub(super) $label: $kind),+ }
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
    Kind { kind: &'static str }
    Loop { name: &'static str }
    What { what: &'static str }
}

impl All {
    /// Creates all metrics at zero, with the prefix `onsale`.
    pub(super) fn new() -> Self {
        let mut all = All {
            registry: Registry::with_prefix("onsale"),
            requests: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(LATENCY_BUCKETS)),
            answers: ArcSwap::default(),
            refused: Family::default(),
            streams: Family::default(),
            stream_events: Family::default(),
            streams_dropped: Family::default(),
            waiting: Family::default(),
            active: Family::default(),
            joins: Counter::default(),
            admissions: Counter::default(),
            holds: Counter::default(),
            holds_refused: Family::default(),
            joins_refused: Family::default(),
            reservations: Family::default(),
            payments: Counter::default(),
            refunds: Counter::default(),
            points: Family::default(),
            pool: Family::default(),
            bulk_pool: Family::default(),
            bulk_waiting: Gauge::default(),
            bulk_wait_timeouts: Counter::default(),
            loop_lag: Family::default(),
            loop_last_run: Family::default(),
            outbox: Gauge::default(),
            outbox_parked: Gauge::default(),
            repairs: Family::default(),
            compared: Histogram::new(LATENCY_BUCKETS),
            queue_rows_skipped: Counter::default(),
            rejections: RejectionCounter::default(),
            rounds: Rounds::default(),
        };
        all.register();
        all
    }

    /// Creates the metrics for a new combination of route, method and status.
    pub(super) fn answers_of(&self, route: &str, method: &'static str, status: u16) -> Answers {
        let request = Request { route: route.to_owned(), method, status };
        let count = self.requests.get_or_create_owned(&request);
        let latency = self.latency.get_or_create_owned(&Route { route: request.route, method });
        let answers = Answers { count, latency, spread: Arc::default() };
        self.answers.rcu(|routes| {
            let mut routes = HashMap::clone(routes);
            let by_status = routes.entry(route.to_owned()).or_default();
            by_status.entry((method, status)).or_insert_with(|| answers.clone());
            routes
        });
        answers
    }

    fn register(&mut self) {
        self.register_http();
        self.register_sale();
        self.register_stores();
        self.register_upkeep();
    }

    fn register_http(&mut self) {
        let to = &mut self.registry;
        to.register("http_requests", "Requests answered", self.requests.clone());
        let help = "Time until the head of the answer";
        to.register("http_request_duration_seconds", help, self.latency.clone());
        let help = "Requests and connections refused, by reason";
        to.register("http_refused", help, self.refused.clone());
        to.register("streams", "Open streams, by kind", self.streams.clone());
        to.register("stream_events", "Events sent, by kind", self.stream_events.clone());
        let help = "Streams closed because their client did not read, by kind";
        to.register("streams_dropped", help, self.streams_dropped.clone());
    }

    fn register_sale(&mut self) {
        let to = &mut self.registry;
        to.register("line_waiting", "Buyers waiting in a queue", self.waiting.clone());
        to.register("line_active", "Buyers with an active slot", self.active.clone());
        to.register("joins", "Queue entries created", self.joins.clone());
        to.register("joins_refused", "Joins refused, by code", self.joins_refused.clone());
        to.register("admissions", "Buyers admitted", self.admissions.clone());
        to.register("holds", "Holds created", self.holds.clone());
        to.register("holds_refused", "Holds refused, by code", self.holds_refused.clone());
        to.register(
            "reservations",
            "Reservations that reached a status",
            self.reservations.clone(),
        );
        to.register("payments", "Seats paid", self.payments.clone());
        to.register("refunds", "Payments refunded", self.refunds.clone());
        to.register("points", "Points moved, by kind", self.points.clone());
    }

    fn register_stores(&mut self) {
        let to = &mut self.registry;
        let help = "Connections of the PostgreSQL pool, in all and idle";
        to.register("postgres_connections", help, self.pool.clone());
        let help = "Redis connections for bulk calls, in all and in use";
        to.register("redis_bulk_connections", help, self.bulk_pool.clone());
        let help = "Bulk calls that wait for a connection to Redis";
        to.register("redis_bulk_waiting", help, self.bulk_waiting.clone());
        let help = "Bulk calls that failed because no connection to Redis became free in time";
        to.register("redis_bulk_wait_timeouts", help, self.bulk_wait_timeouts.clone());
    }

    fn register_upkeep(&mut self) {
        let to = &mut self.registry;
        to.register("loop_lag_seconds", "Delay of a loop's last run", self.loop_lag.clone());
        let help = "Unix time of a loop's last run";
        to.register("loop_last_run_seconds", help, self.loop_last_run.clone());
        let help = "Outbox rows not yet applied to Redis";
        to.register("outbox_backlog", help, self.outbox.clone());
        let help = "Outbox rows that Redis refused too often, which the relay skips";
        to.register("outbox_parked", help, self.outbox_parked.clone());
        let help = "Differences between Redis and PostgreSQL repaired";
        to.register("reconciler_repairs", help, self.repairs.clone());
        for what in ["seat", "count", "settings", "place"] {
            // Present from the start, so that an alert can compare them with 0.
            self.repairs.get_or_create(&What { what }).inc_by(0);
        }
        let help = "Time to compare a schedule in both stores";
        to.register("reconciler_duration_seconds", help, self.compared.clone());
        let help = "Queue entries not archived, because their user is unknown";
        to.register("queue_rows_skipped", help, self.queue_rows_skipped.clone());
    }
}
