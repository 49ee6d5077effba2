//! The HTTP route of the readiness checklist.

use std::net::{IpAddr, Ipv4Addr};

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Route;
use super::report::{Finding, Level};
use super::sale::SaleChecks;
use crate::http::api::auth::Viewer;
use crate::http::api::body::{Json, Path, Query};
use crate::http::api::problem::{Problem, ProblemCode};
use crate::http::limit::client_address::Peer;
use crate::store::id::ScheduleId;

/// What the operator expects of a sale.
#[derive(Debug, Clone, Copy, Deserialize, Validate, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ReadinessQuery {
    /// Number of people who are expected to join. Compared with the memory of Redis.
    #[garde(range(max = 1_000_000_000))]
    #[param(maximum = 1_000_000_000)]
    expect: Option<u64>,
}

/// Whether a sale may begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Readiness {
    /// Id of the schedule.
    schedule_id: ScheduleId,
    /// Whether nothing failed.
    passes: bool,
    /// Number of findings with the level `failure`.
    failures: usize,
    /// Number of findings with the level `warning`.
    warnings: usize,
    /// What was found, in the order of the checks.
    findings: Vec<Finding>,
    /// Server time of this answer.
    server_time: DateTime<Utc>,
}

/// The route of the checklist.
pub(crate) fn routes(checks: SaleChecks) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(readiness)).with_state(checks)
}

/// Check whether a sale may begin.
///
/// Checks the schedule, the stores, all running processes, and the answering process with the way
/// that this request came. A store that does not answer is a finding, and the answer is `200`.
#[utoipa::path(
    get, path = "/v1/admin/schedules/{id}/readiness", tag = "Administration",
    security(("bearer" = ["viewer"])),
    params(("id" = ScheduleId, Path, description = "The schedule"), ReadinessQuery),
    responses(
        (status = 200, description = "The findings", body = Readiness),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn readiness(
    State(checks): State<SaleChecks>,
    Viewer(_): Viewer,
    Path(id): Path<ScheduleId>,
    Query(ReadinessQuery { expect }): Query<ReadinessQuery>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Json<Readiness>, Problem> {
    // Each connection has a peer. Tests of the router have none.
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |Extension(peer)| peer.0);
    let route = Route::of(&checks.settings().http.limits, peer, &headers);
    let report = checks.check(id, expect, &route).await;
    let report = report.ok_or_else(|| Problem::new(ProblemCode::ScheduleNotFound))?;
    Ok(Json(Readiness {
        schedule_id: id,
        passes: report.passes(),
        failures: report.count(Level::Failure),
        warnings: report.count(Level::Warning),
        findings: report.findings,
        server_time: Utc::now(),
    }))
}
