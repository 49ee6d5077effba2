//! Whether the stores can be relied on, and what operators ask a process.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::json;

use crate::http::problem::Problem;
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

/// Health and metrics, for whoever operates the process.
pub(super) fn operations(stores: &Stores, metrics: &Metrics) -> Router {
    let (asked, counted, metrics) = (stores.clone(), stores.pg.clone(), metrics.clone());
    let text = [(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    let render = async move || {
        metrics.pool(counted.pool().size(), counted.pool().num_idle());
        (text, metrics.render())
    };
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(async move || ready(&asked).await))
        .route("/metrics", get(render))
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
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let problem = Problem::new(status, "not_ready", "Not ready to serve");
    Err(problem.with("failing", json!(failing)).retry_after(1))
}
