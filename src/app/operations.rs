//! Checks the stores before a process serves, and answers the operators' calls: health, readiness
//! and metrics.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::json;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::api::problem::{Problem, ProblemCode};
use crate::store::StoreError;
use crate::store::pg::{Pg, guards, migrations};
use crate::store::redis::Redis;
use crate::telemetry::Metrics;

/// Time limit of a readiness check, per store.
const READY_LIMIT: Duration = Duration::from_secs(1);
/// Open files that a process needs beside its streams: for stores, polls and the program itself.
const OTHER_FILES: usize = 1024;

/// The stores that readiness and metrics check.
#[derive(Clone)]
pub(super) struct Stores {
    pub(super) pg: Pg,
    pub(super) redis: Redis,
}

/// Refuses stores that could lose data, before the process serves.
pub(super) async fn relied_on(stores: &Stores, durable: bool) -> Result<(), StoreError> {
    check_redis(&stores.redis).await?;
    check_guards(&stores.pg, durable).await
}

/// Refuses a Redis server that evicts keys. If Redis is down, the process starts anyway, and
/// `/readyz` reports it.
async fn check_redis(redis: &Redis) -> Result<(), StoreError> {
    match redis.check_server().await {
        Err(StoreError::Unavailable { reason, .. }) => {
            tracing::warn!(reason, "Redis is not available at the start");
            Ok(())
        }
        other => other,
    }
}

/// Refuses a PostgreSQL server that lacks a constraint or setting that the guarantees need. If
/// PostgreSQL is down, the process starts anyway.
async fn check_guards(pg: &Pg, durable: bool) -> Result<(), StoreError> {
    let missing = match migrations::mismatch(pg).await {
        Ok(None) => guards::missing(pg, durable).await,
        mismatch => mismatch.map(|found| found.map(|text| format!("{text}; run onsale migrate"))),
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

/// Raises the soft limit of open files to the hard limit, and warns if that is too low for
/// `streams`. Returns the number of connections that fit into the limit.
pub(super) fn open_files(streams: usize) -> usize {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(_, most)| {
        setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
        Ok(most)
    });
    let most = raised.or_else(|error| {
        tracing::warn!(%error, "the limit of open files could not be raised");
        getrlimit(Resource::RLIMIT_NOFILE).map(|(soft, _)| soft)
    });
    let most = usize::try_from(most.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    if most < streams.saturating_add(OTHER_FILES) {
        tracing::warn!(most, streams, "the limit of open files is too low for ONSALE_MAX_STREAMS");
    }
    most.saturating_sub(OTHER_FILES).max(most / 2)
}

/// The routes for health and metrics, and their description.
pub(super) fn operations(stores: &Stores, metrics: &Metrics) -> (Router, OpenApi) {
    OpenApiRouter::new()
        .routes(routes!(livez))
        .routes(routes!(readyz))
        .routes(routes!(render))
        .with_state((stores.clone(), metrics.clone()))
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
/// needs.
#[utoipa::path(get, path = "/readyz", tag = "Operations",
    responses((status = 200, description = "Both stores answer and the schema matches",
               body = String, content_type = "text/plain"),
              (status = 503, description = "`not_ready` with `failing`")))]
async fn readyz(State((stores, _)): State<(Stores, Metrics)>) -> Result<&'static str, Problem> {
    ready(&stores).await
}

/// Read metrics for Prometheus.
///
/// `OpenMetrics` text with the metrics of this process only: scrape each process.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "Operations",
    responses((status = 200, description = "OpenMetrics text", body = String,
               content_type = "application/openmetrics-text")))]
async fn render(State((stores, metrics)): State<(Stores, Metrics)>) -> impl IntoResponse {
    let pool = stores.pg.pool();
    metrics.pool(pool.size(), pool.num_idle());
    let bulk = stores.redis.bulk_use();
    metrics.bulk_connections(bulk.size, bulk.in_use);
    metrics.bulk_waits(bulk.waiting, bulk.wait_timeouts);
    let text = [(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    (text, metrics.render())
}

/// Checks that both stores answer and the schema matches; `503 not_ready` lists what does not.
async fn ready(stores: &Stores) -> Result<&'static str, Problem> {
    let redis = tokio::time::timeout(READY_LIMIT, stores.redis.ping());
    let schema = tokio::time::timeout(READY_LIMIT, migrations::mismatch(&stores.pg));
    let (redis, schema) = tokio::join!(redis, schema);
    let mut failing = Vec::new();
    if !matches!(redis, Ok(Ok(()))) {
        failing.push("redis");
    }
    match schema {
        Ok(Ok(None)) => {}
        Ok(Ok(Some(mismatch))) => {
            tracing::warn!(mismatch, "the process is not ready: the schema does not match");
            failing.push("migrations");
        }
        Ok(Err(_)) | Err(_) => failing.push("postgresql"),
    }
    if failing.is_empty() {
        return Ok("ready\n");
    }
    let problem = Problem::new(ProblemCode::NotReady);
    Err(problem.with("failing", json!(failing)).retry_after(1))
}
