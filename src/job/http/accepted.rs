//! The answer to a request that makes a job.

use axum::http::StatusCode;
use axum::response::Response;

use crate::http::api::body::with_location;
use crate::idempotency::http::answer;
use crate::idempotency::model::Answer;
use crate::job::model::Job;

/// `202 Accepted` with the job, and its path in `Location`.
pub(in crate::job) fn accepted(made: Answer<Job>) -> Response {
    let location = format!("/v1/admin/jobs/{}", made.outcome.id);
    with_location(answer(StatusCode::ACCEPTED, made), &location)
}
