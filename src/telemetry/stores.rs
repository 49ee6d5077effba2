//! The metrics of PostgreSQL and Redis: whether they serve, their errors, the latency of their
//! calls, the pools of connections, and the memory of Redis.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::latency::{Counts, LatencyHistogram};
use super::numbers::{LATENCY_BUCKETS, gauge};

/// Values of the label `part` of `onsale_ready`. `process` is not ready while it drains.
pub const PARTS: [&str; 4] = ["redis", "postgresql", "migrations", "process"];
/// Values of the label `store`.
pub const STORES: [&str; 2] = ["redis", "postgresql"];
/// Upper bounds of the buckets of calls to Redis, in seconds: a script takes less than a
/// millisecond.
const REDIS_BUCKETS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

/// Measures how long calls take or wait; clones share their counts.
#[derive(Clone)]
pub struct CallTimes {
    histogram: Histogram,
    /// The same, for percentiles that the process computes itself.
    spread: Arc<LatencyHistogram>,
}

/// Measures the calls to Redis; clones share their counts. The default is not rendered.
#[derive(Debug, Clone, Default)]
pub struct RedisCalls {
    /// Calls on the shared connections.
    pub shared: CallTimes,
    /// Calls on the bulk connections, with their wait for one.
    pub bulk: CallTimes,
}

/// The memory of a Redis server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisMemory {
    /// Address of the server.
    pub server: String,
    /// Bytes in use.
    pub used: u64,
    /// `maxmemory` in bytes; 0: no limit.
    pub limit: u64,
}

/// The metrics of both stores.
pub struct StoreMetrics {
    ready: Family<Part, Gauge>,
    errors: Family<StoreLabel, Counter>,
    redis_calls: Family<Connection, Histogram, fn() -> Histogram>,
    /// The latencies of calls on shared connections, for percentiles.
    redis_spread: Arc<LatencyHistogram>,
    pool_wait: CallTimes,
    pool: Family<State, Gauge>,
    pool_limit: Gauge,
    /// The former metric, with all and idle connections.
    pool_before: Family<State, Gauge>,
    bulk: Family<State, Gauge>,
    bulk_waiting: Gauge,
    bulk_wait_timeouts: Counter,
    memory_used: Family<Server, Gauge>,
    memory_limit: Family<Server, Gauge>,
    /// The servers that have series.
    servers: Arc<Mutex<HashSet<String>>>,
}

macro_rules! labels {
    ($($name:ident { $label:ident: $kind:ty })+) => {$(
        #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
        struct $name { $label: $kind }
    )+};
}

labels! {
    Part { part: &'static str }
    StoreLabel { store: &'static str }
    Connection { connection: &'static str }
    State { state: &'static str }
    Server { server: String }
}

impl CallTimes {
    /// Records a call.
    pub fn observe(&self, took: Duration) {
        self.histogram.observe(took.as_secs_f64());
        self.spread.observe(took);
    }
}

impl CallTimes {
    fn of(histogram: Histogram) -> Self {
        Self { histogram, spread: Arc::default() }
    }
}

impl Default for CallTimes {
    fn default() -> Self {
        Self::of(redis_histogram())
    }
}

impl fmt::Debug for CallTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallTimes(..)")
    }
}

fn redis_histogram() -> Histogram {
    Histogram::new(REDIS_BUCKETS)
}

impl StoreMetrics {
    fn new() -> Self {
        let (pool, pool_limit, pool_before) = Default::default();
        let (bulk, bulk_waiting, bulk_wait_timeouts) = Default::default();
        let (memory_used, memory_limit, servers) = Default::default();
        Self {
            ready: Family::default(),
            errors: Family::default(),
            redis_calls: Family::new_with_constructor(redis_histogram),
            redis_spread: Arc::default(),
            pool_wait: CallTimes::of(Histogram::new(LATENCY_BUCKETS)),
            pool,
            pool_limit,
            pool_before,
            bulk,
            bulk_waiting,
            bulk_wait_timeouts,
            memory_used,
            memory_limit,
            servers,
        }
    }

    /// Creates the metrics at zero, and registers them.
    pub(super) fn register(to: &mut Registry) -> Self {
        let all = Self::new();
        let help = "Whether a part of the process is ready, by the last check";
        to.register("ready", help, all.ready.clone());
        for part in PARTS {
            all.ready(part, false);
        }
        let help = "Calls to a store that failed because it is unavailable or refused them";
        to.register("store_errors", help, all.errors.clone());
        for store in STORES {
            all.errors(store, 0);
        }
        all.register_redis(to);
        all.register_postgres(to);
        all
    }

    fn register_redis(&self, to: &mut Registry) {
        let help = "Time of a call to Redis, by connection";
        to.register("redis_call_duration_seconds", help, self.redis_calls.clone());
        // Creates both series.
        let _ = self.redis_calls();
        let help = "Redis connections for bulk calls, idle and in use";
        to.register("redis_bulk_connections", help, self.bulk.clone());
        self.bulk_connections(0, 0);
        let help = "Bulk calls that wait for a connection to Redis";
        to.register("redis_bulk_waiting", help, self.bulk_waiting.clone());
        let help = "Bulk calls that failed because no connection to Redis became free in time";
        to.register("redis_bulk_wait_timeouts", help, self.bulk_wait_timeouts.clone());
        let help = "Memory that a Redis server uses";
        to.register("redis_memory_used_bytes", help, self.memory_used.clone());
        let help = "Setting maxmemory of a Redis server; 0: no limit";
        to.register("redis_memory_max_bytes", help, self.memory_limit.clone());
    }

    fn register_postgres(&self, to: &mut Registry) {
        let help = "Connections of the PostgreSQL pool, idle and in use";
        to.register("postgres_pool_connections", help, self.pool.clone());
        let help = "Maximum number of connections of the PostgreSQL pool";
        to.register("postgres_pool_max_connections", help, self.pool_limit.clone());
        let help = "Time that transactions and single statements waited for a connection";
        to.register("postgres_pool_wait_seconds", help, self.pool_wait.histogram.clone());
        let help = "Former name of onsale_postgres_pool_connections, with all and idle ones";
        to.register("postgres_connections", help, self.pool_before.clone());
        self.pool(0, 0, 0);
    }

    /// Sets whether a part was ready at the last check; `part` is one of [`PARTS`].
    pub fn ready(&self, part: &'static str, is_ready: bool) {
        self.ready.get_or_create(&Part { part }).set(i64::from(is_ready));
    }

    /// Sets the number of errors of a store so far; `store` is one of [`STORES`].
    pub fn errors(&self, store: &'static str, errors: u64) {
        let counter = self.errors.get_or_create(&StoreLabel { store });
        counter.inner().store(errors, Ordering::Relaxed);
    }

    /// Measures the calls to Redis.
    #[must_use]
    pub fn redis_calls(&self) -> RedisCalls {
        let of = |connection| {
            CallTimes::of(self.redis_calls.get_or_create_owned(&Connection { connection }))
        };
        let shared = CallTimes { spread: Arc::clone(&self.redis_spread), ..of("shared") };
        RedisCalls { shared, bulk: of("bulk") }
    }

    /// How long calls to Redis on shared connections took, and how long calls waited for a
    /// connection to PostgreSQL, since the process started.
    #[must_use]
    pub fn waits(&self) -> [Counts; 2] {
        [self.redis_spread.counts(), self.pool_wait.spread.counts()]
    }

    /// Measures how long calls wait for a connection to PostgreSQL.
    #[must_use]
    pub fn pool_wait(&self) -> CallTimes {
        self.pool_wait.clone()
    }

    /// Sets the number of connections to PostgreSQL: all, the idle ones, and their limit.
    pub fn pool(&self, size: u32, idle: usize, limit: u32) {
        let idle = gauge(idle as u64);
        let of = |state| self.pool.get_or_create_owned(&State { state });
        of("idle").set(idle);
        of("in_use").set((i64::from(size) - idle).max(0));
        self.pool_limit.set(limit.into());
        let of = |state| self.pool_before.get_or_create_owned(&State { state });
        of("size").set(size.into());
        of("idle").set(idle);
    }

    /// Sets the number of bulk connections to Redis: all of them, and those in use.
    pub fn bulk_connections(&self, size: usize, in_use: usize) {
        let of = |state| self.bulk.get_or_create_owned(&State { state });
        of("idle").set(gauge(size.saturating_sub(in_use) as u64));
        of("in_use").set(gauge(in_use as u64));
    }

    /// Sets the number of bulk calls that wait for a connection, and counts those that waited in
    /// vain since the last call.
    pub fn bulk_waits(&self, waiting: usize, timeouts: u64) {
        self.bulk_waiting.set(gauge(waiting as u64));
        self.bulk_wait_timeouts.inc_by(timeouts);
    }

    /// Sets the memory of all Redis servers that this process knows. Removes the others.
    pub fn redis_memory(&self, servers: &[RedisMemory]) {
        let mut known = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let now: HashSet<String> = servers.iter().map(|it| it.server.clone()).collect();
        for gone in known.difference(&now) {
            let gone = Server { server: gone.clone() };
            self.memory_used.remove(&gone);
            self.memory_limit.remove(&gone);
        }
        for RedisMemory { server, used, limit } in servers {
            let server = Server { server: server.clone() };
            self.memory_used.get_or_create_owned(&server).set(gauge(*used));
            self.memory_limit.get_or_create_owned(&server).set(gauge(*limit));
        }
        *known = now;
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn a_server_that_is_gone_has_no_series() {
        let mut registry = Registry::default();
        let metrics = StoreMetrics::register(&mut registry);
        let of = |server: &str| RedisMemory { server: server.to_owned(), used: 3, limit: 0 };
        metrics.redis_memory(&[of("a:1"), of("b:2")]);
        metrics.redis_memory(&[of("b:2")]);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        assert!(text.contains(r#"redis_memory_used_bytes{server="b:2"} 3"#), "{text}");
        assert!(!text.contains("a:1"), "{text}");
    }
}
