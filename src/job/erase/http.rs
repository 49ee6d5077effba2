//! `/v1/admin/users/{id}/erase`.

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::Erasure;
use crate::http::api::auth::Admin;
use crate::http::api::body::{Json, Path};
use crate::http::api::problem::Problem;
use crate::idempotency::http::IdempotencyKey;
use crate::idempotency::model::Request;
use crate::job::http::accepted::accepted;
use crate::job::model::Job;
use crate::job::service::Jobs;
use crate::store::id::UserId;

/// The route of erasures.
pub(in crate::job) fn routes(jobs: Jobs) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(erase_user)).with_state(jobs)
}

/// Erase a person.
///
/// Makes a job. The name and the identity at a provider go from every table, the person's tokens and
/// tickets are refused, and their queue entries end. Reservations, payments and points stay as
/// numbers. It cannot be cancelled or undone.
#[utoipa::path(
    post, path = "/v1/admin/users/{id}/erase", tag = "Administration",
    security(("bearer" = ["admin"])),
    params(("id" = UserId, Path, description = "The user"),
           ("Idempotency-Key" = String, Header)), request_body = Erasure,
    responses(
        (status = 202, description = "The job", body = Job,
         headers(("Location" = String, description = "The job"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`user_not_found`: also if the user is erased"),
        (status = 409, description = "`user_has_entitlements` with `held_seats`, `tickets` and `balance`: \
                                      holds must end first, and the others be given up; `own_user`; \
                                      `job_exists` with `job_id`: the user is being erased"),
    ),
)]
async fn erase_user(
    State(jobs): State<Jobs>,
    Admin(caller): Admin,
    Path(id): Path<UserId>,
    key: IdempotencyKey,
    Json(erasure): Json<Erasure>,
) -> Result<Response, Problem> {
    let operation = format!("POST /v1/admin/users/{id}/erase");
    let request = Request::new(caller.user, &key.0, &operation, &erasure);
    Ok(accepted(jobs.erase(&request, id, &erasure).await?))
}
