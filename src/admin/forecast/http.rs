//! The HTTP routes of forecasts.

use axum::extract::State;
use onsale_model::plan::Plan;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ForecastError;
use super::model::{PlanRequest, Simulation, SimulationRequest};
use super::service::Forecasts;
use crate::http::api::auth::{Operator, Viewer};
use crate::http::api::body::Json;
use crate::http::api::problem::{Problem, ProblemCode};

/// `Retry-After` while another simulation runs, in seconds.
const BUSY_RETRY_SECONDS: u64 = 3;

/// The routes of forecasts.
pub(in crate::admin) fn routes(forecasts: Forecasts) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(plan)).routes(routes!(simulate)).with_state(forecasts)
}

/// Plan a sale: what it needs, by the measured costs.
///
/// The same calculation as `onsale plan`. With `schedule_id`, its seats and settings count.
#[utoipa::path(
    post, path = "/v1/admin/plan", tag = "Administration", security(("bearer" = ["viewer"])),
    request_body = PlanRequest,
    responses(
        (status = 200, description = "The plan", body = Plan),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn plan(
    State(forecasts): State<Forecasts>,
    Viewer(_): Viewer,
    Json(request): Json<PlanRequest>,
) -> Result<Json<Plan>, Problem> {
    Ok(Json(forecasts.plan(&request).await?))
}

/// Simulate a sale: how it goes, by the rules of admission and an assumed crowd.
///
/// The same simulation as `onsale simulate`. It runs on a thread of its own, at most one at a time
/// in each process, with half a core and for 8 s at most. With `within_minutes`, it recommends
/// capacity and rate.
#[utoipa::path(
    post, path = "/v1/admin/simulations", tag = "Administration", security(("bearer" = ["operator"])),
    request_body = SimulationRequest,
    responses(
        (status = 200, description = "The course of the sale", body = Simulation),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`schedule_not_found`"),
        (status = 422, description = "`simulation_too_long`; `no_settings_found`: no capacity and \
                                      rate are enough"),
        (status = 503, description = "`simulation_busy`"),
    ),
)]
async fn simulate(
    State(forecasts): State<Forecasts>,
    Operator(_): Operator,
    Json(request): Json<SimulationRequest>,
) -> Result<Json<Simulation>, Problem> {
    Ok(Json(forecasts.simulate(&request).await?))
}

impl From<ForecastError> for Problem {
    fn from(error: ForecastError) -> Self {
        match error {
            ForecastError::Busy => {
                Self::new(ProblemCode::SimulationBusy).retry_after(BUSY_RETRY_SECONDS)
            }
            ForecastError::TooLong => Self::new(ProblemCode::SimulationTooLong),
            ForecastError::NoSettings => Self::new(ProblemCode::NoSettingsFound),
            ForecastError::Admin(error) => error.into(),
            error @ (ForecastError::Failed(_) | ForecastError::Costs(_)) => {
                tracing::error!(%error, "a forecast has failed");
                Self::internal()
            }
        }
    }
}
