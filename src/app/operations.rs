//! Checks the stores before a process serves, and answers the operators' calls: health, readiness
//! and metrics.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::json;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::check::alerts::ScrapeClock;
use super::loops::Loops;
use super::readiness::{self, Check, Readiness, Stores};
use crate::http::api::negotiation;
use crate::http::api::problem::{Problem, ProblemCode};
use crate::http::limit::connections::ConnectionLimiter;
use crate::queue::error::JOIN_REFUSALS;
use crate::reservation::http::HOLD_REFUSALS;
use crate::store::error_count::failed_calls;
use crate::store::pg::{Pg, guards, migrations};
use crate::store::redis::Redis;
use crate::store::redis::usable::Unusable;
use crate::store::{Store, StoreError};
use crate::telemetry::text_format::TextFormat;
use crate::telemetry::{self, Metrics};

/// Open files that a process needs beside its streams: for stores, polls and the program itself.
pub(super) const OTHER_FILES: usize = 1024;

/// Media type of the `OpenMetrics` text format.
const OPEN_METRICS: &str = "application/openmetrics-text";

/// What the operators' routes show.
#[derive(Debug, Clone)]
pub(super) struct Operations {
    pub(super) stores: Stores,
    pub(super) readiness: Readiness,
    pub(super) connections: Arc<ConnectionLimiter>,
    pub(super) metrics: Metrics,
    pub(super) scrapes: ScrapeClock,
}

impl Operations {
    /// Puts the state together, and starts the loop that checks whether the process can serve.
    pub(super) fn start(
        stores: &Stores,
        loops: &Loops,
        connections: &Arc<ConnectionLimiter>,
    ) -> Self {
        let metrics = loops.metrics.clone();
        metrics.create_refusals(&JOIN_REFUSALS, &HOLD_REFUSALS.map(|code| code.kind().code));
        let readiness = Readiness::new(stores.clone(), loops.drain.clone(), metrics.clone());
        let checked = readiness.clone();
        loops.every("readiness", readiness::PERIOD, checked, |it| async move { it.step().await });
        let (stores, connections) = (stores.clone(), Arc::clone(connections));
        Self { stores, readiness, connections, metrics, scrapes: ScrapeClock::default() }
    }
}

/// Refuses stores that could lose data, before the process serves.
pub(super) async fn check_stores(stores: &Stores, durable: bool) -> Result<(), StoreError> {
    check_redis(&stores.redis).await?;
    check_guards(&stores.pg, durable).await
}

/// Refuses a Redis server that evicts keys, or does not permit a command that onsale runs. If Redis
/// is down or full, the process starts anyway, and `/readyz` reports it.
async fn check_redis(redis: &Redis) -> Result<(), StoreError> {
    match check_use_of(redis).await {
        Err(StoreError::Unavailable { reason, .. }) => {
            tracing::warn!(reason, "Redis is not available at the start");
            Ok(())
        }
        other => other,
    }
}

async fn check_use_of(redis: &Redis) -> Result<(), StoreError> {
    match redis.unusable().await? {
        Some(unusable @ Unusable::NotPermitted(_)) => {
            return Err(StoreError::Inconsistent(unusable.to_string()));
        }
        Some(unusable) => tracing::warn!(%unusable, "Redis cannot be used at the start"),
        None => {}
    }
    redis.check_server().await
}

/// Refuses a PostgreSQL server that lacks a constraint or setting that the guarantees need. If
/// PostgreSQL is down, the process starts anyway.
async fn check_guards(pg: &Pg, durable: bool) -> Result<(), StoreError> {
    let missing = match schema(pg).await {
        Ok(None) => guards::missing(pg, durable).await,
        other => other,
    };
    match missing {
        Ok(None) => Ok(()),
        Ok(Some(missing)) => Err(StoreError::Inconsistent(format!("PostgreSQL: {missing}"))),
        Err(StoreError::Unavailable { reason, .. }) => {
            tracing::warn!(reason, "PostgreSQL is not available at the start");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// What is wrong with the sessions or the schema of PostgreSQL; `None` if nothing is.
async fn schema(pg: &Pg) -> Result<Option<String>, StoreError> {
    match pg.dropped_setting().await? {
        None => migrations::mismatch(pg)
            .await
            .map(|found| found.map(|text| format!("{text}; run onsale migrate"))),
        dropped => Ok(dropped),
    }
}

/// Raises the soft limit of open files to the hard limit, and warns if that is too low for
/// `streams`. Returns the number of connections that fit into the limit.
pub(super) fn open_files(streams: usize) -> usize {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(_, hard)| {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
        Ok(hard)
    });
    let limit = raised.or_else(|error| {
        tracing::warn!(%error, "the limit of open files could not be raised");
        getrlimit(Resource::RLIMIT_NOFILE).map(|(soft, _)| soft)
    });
    let limit = usize::try_from(limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    if limit < streams.saturating_add(OTHER_FILES) {
        tracing::warn!(limit, streams, "the limit of open files is too low for ONSALE_MAX_STREAMS");
    }
    limit.saturating_sub(OTHER_FILES).max(limit / 2)
}

/// The routes for health and metrics, and their description.
pub(super) fn operations(shown: Operations) -> (Router, OpenApi) {
    OpenApiRouter::new()
        .routes(routes!(livez))
        .routes(routes!(readyz))
        .routes(routes!(render))
        .with_state(shown)
        .split_for_parts()
}

/// Check that the process runs.
///
/// Calls no store. Restart a process that does not answer.
#[utoipa::path(get, path = "/livez", tag = "Operations",
    responses((status = 200, description = "The process runs", body = String,
               content_type = "text/plain")))]
async fn livez() -> &'static str {
    "ok\n"
}

/// Check that the process can serve.
///
/// Calls Redis and PostgreSQL, and compares the database's schema with the one that this process
/// needs. Fails too if Redis is full or does not permit a command, for which `detail` has the
/// reason, and while the process drains.
#[utoipa::path(get, path = "/readyz", tag = "Operations",
    responses((status = 200, description = "Both stores answer and the schema matches",
               body = String, content_type = "text/plain"),
              (status = 503, description = "`not_ready` with `failing`")))]
async fn readyz(State(shown): State<Operations>) -> Result<&'static str, Problem> {
    let Check { failing, mismatch, unusable, .. } = shown.readiness.check().await;
    if failing.is_empty() {
        return Ok("ready\n");
    }
    if let Some(mismatch) = mismatch {
        tracing::warn!(mismatch, "the process is not ready: the schema does not match");
    }
    let mut problem = Problem::new(ProblemCode::NotReady).with("failing", json!(failing));
    if let Some(unusable) = unusable {
        tracing::warn!(%unusable, "the process is not ready: Redis cannot be used");
        problem = problem.detail(unusable.to_string());
    }
    Err(problem.retry_after(1))
}

/// Read metrics for Prometheus.
///
/// The metrics of this process only: scrape each process. In the `OpenMetrics` text format for clients
/// that name it in `Accept`, as Prometheus does; otherwise in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "Operations",
    responses((status = 200, description = "The metrics as text", content(
        (String = "text/plain"), (String = "application/openmetrics-text")))))]
async fn render(State(shown): State<Operations>, headers: HeaderMap) -> impl IntoResponse {
    let Operations { stores: Stores { pg, redis, .. }, readiness, connections, metrics, scrapes } =
        shown;
    scrapes.note();
    let of_stores = metrics.stores();
    of_stores.pool(pg.size(), pg.idle(), pg.limit());
    let bulk = redis.bulk_use();
    of_stores.bulk_connections(bulk.size, bulk.in_use);
    of_stores.bulk_waits(bulk.waiting, bulk.wait_timeouts);
    of_stores.errors("redis", failed_calls(Store::Redis));
    of_stores.errors("postgresql", failed_calls(Store::PostgreSql));
    metrics.connections(connections.open(), connections.max());
    metrics.log_lines_dropped(telemetry::tracing::dropped_lines());
    readiness.is_draining();
    let format = if negotiation::names_media_type(&headers, OPEN_METRICS) {
        TextFormat::OpenMetrics
    } else {
        TextFormat::Prometheus
    };
    ([(CONTENT_TYPE, format.content_type())], metrics.render(format))
}
