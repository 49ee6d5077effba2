//! Whether the stores can be relied on, and what operators ask a process.

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

/// How long a readiness check waits for each store.
const READY_LIMIT: Duration = Duration::from_secs(1);
/// Files that a process needs beside its streams: stores, polls, the program itself.
const OTHER_FILES: usize = 1024;

/// What readiness and metrics ask.
#[derive(Clone)]
pub(super) struct Stores {
    pub(super) pg: Pg,
    pub(super) redis: Redis,
}

/// Refuses stores that must not be relied on, before anything is served.
pub(super) async fn relied_on(stores: &Stores, durable: bool) -> Result<(), StoreError> {
    check(&stores.redis).await?;
    check_guards(&stores.pg, durable).await
}

/// Refuses a Redis that loses what it holds while it runs. One that is down is waited for: the
/// process starts, and `/readyz` says so.
async fn check(redis: &Redis) -> Result<(), StoreError> {
    match redis.check_server().await {
        Err(StoreError::Unavailable { reason, .. }) => {
            tracing::warn!(reason, "Redis is not there yet");
            Ok(())
        }
        other => other,
    }
}

/// Refuses a PostgreSQL that lacks what the promises rest on. One that is down is waited for.
async fn check_guards(pg: &Pg, durable: bool) -> Result<(), StoreError> {
    let missing = match migrations::mismatch(pg).await {
        Ok(None) => guards::missing(pg, durable).await,
        mismatch => mismatch.map(|found| found.map(|found| format!("{found}; onsale migrate"))),
    };
    match missing {
        Ok(None) => Ok(()),
        Ok(Some(missing)) => Err(StoreError::Inconsistent(format!("PostgreSQL: {missing}"))),
        Err(StoreError::Unavailable { reason, .. }) => {
            tracing::warn!(reason, "PostgreSQL is not there yet");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Lets the process open as many files as it may, since the usual limit is for other programs, and
/// says where that is too few for so many streams. How many connections that leaves room for.
pub(super) fn open_files(streams: usize) -> usize {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(_, most)| {
        setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
        Ok(most)
    });
    let most = raised.or_else(|error| {
        tracing::warn!(%error, "the limit of open files could not be raised");
        getrlimit(Resource::RLIMIT_NOFILE).map(|(usual, _)| usual)
    });
    let most = usize::try_from(most.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    if most < streams.saturating_add(OTHER_FILES) {
        tracing::warn!(most, streams, "ONSALE_MAX_STREAMS needs a higher limit of open files");
    }
    most.saturating_sub(OTHER_FILES).max(most / 2)
}

/// Health and metrics, for the operator, and their description.
pub(super) fn operations(stores: &Stores, metrics: &Metrics) -> (Router, OpenApi) {
    OpenApiRouter::new()
        .routes(routes!(livez))
        .routes(routes!(readyz))
        .routes(routes!(render))
        .with_state((stores.clone(), metrics.clone()))
        .split_for_parts()
}

/// Whether the process runs.
///
/// Asks no store. A process that does not answer is to be restarted.
#[utoipa::path(get, path = "/livez", tag = "Operations",
    responses((status = 200, description = "The process runs", body = String,
               content_type = "text/plain")))]
async fn livez() -> &'static str {
    "ok\n"
}

/// Whether the process can serve.
///
/// Asks Redis and PostgreSQL, and compares the schema with the one that this process needs.
#[utoipa::path(get, path = "/readyz", tag = "Operations",
    responses((status = 200, description = "Both stores answer and the schema matches",
               body = String, content_type = "text/plain"),
              (status = 503, description = "`not_ready` with `failing`")))]
async fn readyz(State((stores, _)): State<(Stores, Metrics)>) -> Result<&'static str, Problem> {
    ready(&stores).await
}

/// Metrics for Prometheus.
///
/// `OpenMetrics` text of this process alone: each process is scraped by itself.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "Operations",
    responses((status = 200, description = "OpenMetrics text", body = String,
               content_type = "application/openmetrics-text")))]
async fn render(State((stores, metrics)): State<(Stores, Metrics)>) -> impl IntoResponse {
    let pool = stores.pg.pool();
    metrics.pool(pool.size(), pool.num_idle());
    let text = [(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    (text, metrics.render())
}

/// Whether both stores answer and the schema is ours; `503 not_ready` says what is not.
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
            tracing::warn!(mismatch, "not ready");
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
