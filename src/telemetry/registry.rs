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
use super::numbers::{LATENCY_BUCKETS, Seconds};
use super::rejections::RejectionCounter;
use super::rounds::Rounds;
use super::schedules::ScheduleMetrics;
use super::stores::StoreMetrics;
use super::webhooks::WebhookMetrics;

/// All metrics, and the registry that renders them.
pub(super) struct All {
    pub(super) registry: Registry,
    /// The metrics of the operating-system process, whose names have no prefix.
    pub(super) process: Registry,
    pub(super) stores: StoreMetrics,
    pub(super) schedules: ScheduleMetrics,
    pub(super) requests: Family<Request, Counter>,
    pub(super) latency: Family<Route, Histogram, fn() -> Histogram>,
    /// The metrics of each route, method and status so far, to find them without new labels.
    pub(super) answers: ArcSwap<ByRoute>,
    pub(super) internal_errors: Counter,
    pub(super) refused: Family<Reason, Counter>,
    pub(super) connections: Gauge,
    pub(super) max_connections: Gauge,
    pub(super) untrusted_forwarding: Counter,
    pub(super) one_address_minutes: Counter,
    pub(super) streams: Family<Kind, Gauge>,
    pub(super) stream_events: Family<Kind, Counter>,
    pub(super) streams_dropped: Family<Kind, Counter>,
    pub(super) joins: Counter,
    pub(super) admissions: Counter,
    pub(super) holds: Counter,
    pub(super) holds_refused: Family<Reason, Counter>,
    pub(super) joins_refused: Family<Reason, Counter>,
    pub(super) reservations: Family<Status, Counter>,
    pub(super) payments: Counter,
    pub(super) refunds: Counter,
    pub(super) points: Family<Movement, Counter>,
    pub(super) log_lines_dropped: Counter,
    pub(super) build: Family<Build, Gauge>,
    pub(super) loop_period: Family<Loop, Seconds>,
    pub(super) loop_lag: Family<Loop, Seconds>,
    pub(super) loop_last_run: Family<Loop, Seconds>,
    pub(super) loop_last_success: Family<Loop, Seconds>,
    pub(super) loop_failures: Family<Loop, Counter>,
    pub(super) outbox: Gauge,
    pub(super) outbox_parked: Gauge,
    pub(super) repairs: Family<What, Counter>,
    pub(super) compared: Histogram,
    pub(super) queue_rows_skipped: Counter,
    pub(super) webhooks: WebhookMetrics,
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
    Reason { reason: &'static str }
    Status { status: &'static str }
    Movement { kind: &'static str }
    Kind { kind: &'static str }
    Loop { name: &'static str }
    What { what: &'static str }
    Build { version: &'static str }
}

impl All {
    /// Creates all metrics at zero, with the prefix `onsale`.
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("onsale");
        let stores = StoreMetrics::register(&mut registry);
        let schedules = ScheduleMetrics::register(&mut registry);
        let mut all = All {
            registry,
            process: Registry::with_prefix("process"),
            stores,
            schedules,
            requests: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(LATENCY_BUCKETS)),
            answers: ArcSwap::default(),
            internal_errors: Counter::default(),
            refused: Family::default(),
            connections: Gauge::default(),
            max_connections: Gauge::default(),
            untrusted_forwarding: Counter::default(),
            one_address_minutes: Counter::default(),
            streams: Family::default(),
            stream_events: Family::default(),
            streams_dropped: Family::default(),
            joins: Counter::default(),
            admissions: Counter::default(),
            holds: Counter::default(),
            holds_refused: Family::default(),
            joins_refused: Family::default(),
            reservations: Family::default(),
            payments: Counter::default(),
            refunds: Counter::default(),
            points: Family::default(),
            log_lines_dropped: Counter::default(),
            build: Family::default(),
            loop_period: Family::default(),
            loop_lag: Family::default(),
            loop_last_run: Family::default(),
            loop_last_success: Family::default(),
            loop_failures: Family::default(),
            outbox: Gauge::default(),
            outbox_parked: Gauge::default(),
            repairs: Family::default(),
            compared: Histogram::new(LATENCY_BUCKETS),
            queue_rows_skipped: Counter::default(),
            webhooks: WebhookMetrics::default(),
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
        #[cfg(target_os = "linux")]
        self.process.register_collector(Box::new(super::process::ProcessCollector));
        self.register_http();
        self.register_streams();
        self.register_sale();
        self.register_loops();
        self.register_upkeep();
        self.webhooks.register(&mut self.registry);
        self.create_series();
    }

    fn register_http(&mut self) {
        let to = &mut self.registry;
        to.register("http_requests", "Requests answered", self.requests.clone());
        let help = "Time until the head of the answer";
        to.register("http_request_duration_seconds", help, self.latency.clone());
        let help = "Requests answered with status 500, a defect";
        to.register("http_internal_errors", help, self.internal_errors.clone());
        let help = "Requests and connections refused, by reason";
        to.register("http_refused", help, self.refused.clone());
        to.register("http_connections", "Open connections", self.connections.clone());
        let help = "Maximum number of open connections";
        to.register("http_max_connections", help, self.max_connections.clone());
        let help = "Requests with a forwarding header from a peer that is no trusted proxy";
        to.register("http_untrusted_forwarding", help, self.untrusted_forwarding.clone());
        let help = "Minutes in which one address made most of the joins";
        to.register("one_address_warnings", help, self.one_address_minutes.clone());
    }

    fn register_streams(&mut self) {
        let to = &mut self.registry;
        to.register("streams", "Open streams, by kind", self.streams.clone());
        to.register("stream_events", "Events sent, by kind", self.stream_events.clone());
        let help = "Streams closed because their client did not read, by kind";
        to.register("streams_dropped", help, self.streams_dropped.clone());
    }

    fn register_sale(&mut self) {
        let to = &mut self.registry;
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

    fn register_loops(&mut self) {
        let to = &mut self.registry;
        let help = "Pause between two runs of a loop that has nothing to do";
        to.register("loop_period_seconds", help, self.loop_period.clone());
        to.register("loop_lag_seconds", "Delay of a loop's last run", self.loop_lag.clone());
        let help = "Unix time of a loop's last run; 0 before the first";
        to.register("loop_last_run_timestamp_seconds", help, self.loop_last_run.clone());
        let help = "Unix time of a loop's last run without an error; 0 before the first";
        to.register("loop_last_success_timestamp_seconds", help, self.loop_last_success.clone());
        let help = "Runs of a loop that failed";
        to.register("loop_failures", help, self.loop_failures.clone());
        let help = "Former name of onsale_loop_last_run_timestamp_seconds";
        to.register("loop_last_run_seconds", help, self.loop_last_run.clone());
        let help = "Former name of onsale_loop_last_success_timestamp_seconds";
        to.register("loop_last_success_seconds", help, self.loop_last_success.clone());
    }

    fn register_upkeep(&mut self) {
        let to = &mut self.registry;
        to.register("build_info", "Version of the program", self.build.clone());
        let help = "Log lines dropped because standard error did not take them";
        to.register("log_lines_dropped", help, self.log_lines_dropped.clone());
        super::traces::register(to);
        let help = "Outbox rows not yet applied to Redis";
        to.register("outbox_backlog", help, self.outbox.clone());
        let help = "Outbox rows that Redis refused too often, which the relay skips";
        to.register("outbox_parked", help, self.outbox_parked.clone());
        let help = "Differences between Redis and PostgreSQL repaired";
        to.register("reconciler_repairs", help, self.repairs.clone());
        let help = "Time to compare a schedule in both stores";
        to.register("reconciler_duration_seconds", help, self.compared.clone());
        let help = "Queue entries not archived, because their user is unknown";
        to.register("queue_rows_skipped", help, self.queue_rows_skipped.clone());
    }

    /// Creates the series whose labels are known, so that they are present from the start. Without
    /// an earlier value Prometheus does not see the first increase of a counter.
    fn create_series(&self) {
        let version = env!("CARGO_PKG_VERSION");
        self.build.get_or_create_owned(&Build { version }).set(1);
        let refused =
            ["address", "user", "body", "in_flight", "concurrency", "timeout", "connections"];
        for reason in refused {
            self.refused.get_or_create_owned(&Reason { reason });
        }
        for kind in ["ticket", "seats", "stats"] {
            self.streams.get_or_create_owned(&Kind { kind });
            self.stream_events.get_or_create_owned(&Kind { kind });
        }
        for kind in ["ticket", "seats"] {
            self.streams_dropped.get_or_create_owned(&Kind { kind });
        }
        for status in ["PAYMENT_WAITING", "COMPLETE", "EXPIRED", "CANCELLED", "REFUNDED"] {
            self.reservations.get_or_create_owned(&Status { status });
        }
        for kind in ["CHARGE", "PAYMENT", "REFUND"] {
            self.points.get_or_create_owned(&Movement { kind });
        }
        for what in ["seat", "count", "settings", "place"] {
            self.repairs.get_or_create_owned(&What { what });
        }
    }
}
