//! Whether this process can serve: for `/readyz`, and for the metrics of the stores.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::http::server::drain::Drain;
use crate::store::StoreError;
use crate::store::pg::token_generations::TokenGenerations;
use crate::store::pg::{Pg, migrations};
use crate::store::redis::Redis;
use crate::store::redis::usable::Unusable;
use crate::telemetry::Metrics;

/// Pause between two checks by the loop.
pub(super) const PERIOD: Duration = Duration::from_secs(2);
/// Time limit of a check, per store.
const READY_LIMIT: Duration = Duration::from_secs(1);

/// The stores of a process, and the token generations that it has read from PostgreSQL.
#[derive(Debug, Clone)]
pub(super) struct Stores {
    pub(super) pg: Pg,
    pub(super) redis: Redis,
    pub(super) generations: TokenGenerations,
}

/// Checks the stores and the state of the process; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Readiness {
    stores: Stores,
    drain: Drain,
    metrics: Metrics,
    /// What the loop's last check found.
    last: Arc<Mutex<Vec<&'static str>>>,
}

/// The result of a check.
pub(super) struct Check {
    /// What keeps the process from serving; empty if it can serve.
    pub(super) failing: Vec<&'static str>,
    /// What is wrong with the schema.
    pub(super) mismatch: Option<String>,
    /// Why Redis answers and cannot be used.
    pub(super) unusable: Option<Unusable>,
    /// Why PostgreSQL cannot be used; `None` also if it did not answer in time.
    pub(super) unavailable: Option<StoreError>,
}

impl Readiness {
    pub(super) fn new(stores: Stores, drain: Drain, metrics: Metrics) -> Self {
        Self { stores, drain, metrics, last: Arc::default() }
    }

    /// Checks both stores, unless the process drains. Sets `onsale_ready`.
    pub(super) async fn check(&self) -> Check {
        if self.is_draining() {
            let failing = vec!["draining"];
            return Check { failing, mismatch: None, unusable: None, unavailable: None };
        }
        let Stores { pg, redis, .. } = &self.stores;
        let redis = tokio::time::timeout(READY_LIMIT, redis.unusable());
        let schema = tokio::time::timeout(READY_LIMIT, async {
            pg.ping().await?;
            migrations::mismatch(pg).await
        });
        let (redis, schema) = tokio::join!(redis, schema);
        let redis_serves = matches!(redis, Ok(Ok(None)));
        let (schema, unavailable) = match schema {
            Ok(Ok(mismatch)) => (Some(mismatch), None),
            Ok(Err(error)) => (None, Some(error)),
            Err(_) => (None, None),
        };
        let metrics = self.metrics.stores();
        metrics.ready("redis", redis_serves);
        metrics.ready("postgresql", schema.is_some());
        let mut failing = Vec::new();
        if !redis_serves {
            failing.push("redis");
        }
        match &schema {
            None => failing.push("postgresql"),
            Some(mismatch) => {
                metrics.ready("migrations", mismatch.is_none());
                failing.extend(mismatch.is_some().then_some("migrations"));
            }
        }
        let unusable = redis.ok().and_then(Result::ok).flatten();
        Check { failing, mismatch: schema.flatten(), unusable, unavailable }
    }

    /// Whether the process drains. Sets `onsale_ready` of the process.
    pub(super) fn is_draining(&self) -> bool {
        let is_draining = self.drain.has_begun();
        self.metrics.stores().ready("process", !is_draining);
        is_draining
    }

    /// One check by the loop, so that the metrics need no call of a store when they are read. Logs
    /// when the result changes.
    pub(super) async fn step(&self) -> Result<bool, StoreError> {
        let Check { failing, mismatch, unusable, unavailable } = self.check().await;
        if failing.is_empty() {
            let memory = tokio::time::timeout(READY_LIMIT, self.stores.redis.memory()).await;
            self.metrics.stores().redis_memory(&memory.unwrap_or_default());
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match (failing.is_empty(), *last == failing) {
            (_, true) => {}
            (true, false) => tracing::info!("the process is ready"),
            (false, false) => {
                let unavailable = unavailable.map(|error| error.to_string());
                tracing::warn!(
                    ?failing,
                    mismatch,
                    ?unusable,
                    unavailable,
                    "the process is not ready"
                );
            }
        }
        *last = failing;
        Ok(false)
    }
}
