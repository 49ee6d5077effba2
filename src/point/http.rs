//! The HTTP routes of points.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Balance, Change, Charged};
use super::service::{PointError, Points};
use crate::caller::Caller;
use crate::http::api::body::Json;
use crate::http::api::pagination::PageQuery;
use crate::http::api::problem::{Problem, ProblemCode};
use crate::idempotency::http::{IdempotencyKey, answer};
use crate::idempotency::model::Request;
use crate::pagination::{Page, Paging};

/// The routes of points.
pub fn routes(points: Points) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(balance))
        .routes(routes!(charge))
        .routes(routes!(history))
        .with_state(Arc::new(points))
}

/// The number of points to add.
#[derive(Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChargeBody {
    /// Points to add: 1 to 10,000,000. Other values get `422 invalid_amount`.
    #[garde(skip)]
    #[schema(minimum = 1, maximum = 10_000_000)]
    amount: i64,
}

/// Get the caller's balance.
///
/// In whole points.
#[utoipa::path(get, path = "/v1/points", tag = "Points", security(("bearer" = [])),
    responses((status = 200, description = "The balance", body = Balance)))]
async fn balance(State(points): State<Arc<Points>>, caller: Caller) -> Result<Response, Problem> {
    Ok(Json(points.balance(caller.user).await?).into_response())
}

/// Add points to the caller's balance.
///
/// Repeat the request with the same key until there is an answer. The points are added once.
#[utoipa::path(post, path = "/v1/points/charges", tag = "Points", security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header)), request_body = ChargeBody,
    responses((status = 201, description = "Added", body = Charged),
              (status = 422, description = "`invalid_amount`")))]
async fn charge(
    State(points): State<Arc<Points>>,
    caller: Caller,
    key: IdempotencyKey,
    Json(body): Json<ChargeBody>,
) -> Result<Response, Problem> {
    let request = Request::new(caller.user, &key.0, "POST /v1/points/charges", &body);
    let charged = points.charge(&request, body.amount).await?;
    Ok(answer(StatusCode::CREATED, charged))
}

/// List all changes of the caller's balance, newest first.
///
/// Charges, payments and refunds, each with the balance after it.
#[utoipa::path(get, path = "/v1/points/history", tag = "Points", security(("bearer" = [])),
    params(PageQuery), responses((status = 200, description = "A page of changes", body = Page<Change>)))]
async fn history(
    State(points): State<Arc<Points>>,
    caller: Caller,
    paging: Paging,
) -> Result<Response, Problem> {
    Ok(Json(points.history(caller.user, paging).await?).into_response())
}

impl From<PointError> for Problem {
    fn from(error: PointError) -> Self {
        match error {
            PointError::InvalidAmount => Self::new(ProblemCode::InvalidAmount),
            PointError::UnknownUser => Self::unauthenticated(),
            PointError::Key(error) => error.into(),
            PointError::Store(error) => error.into(),
        }
    }
}
