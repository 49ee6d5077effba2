//! The HTTP routes of payments.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::error::PayError;
use super::model::{Paid, PayRefusal, Payment, RefundRefusal, Refunded};
use super::service::Payments;
use crate::caller::Caller;
use crate::http::api::body::{Json, Path};
use crate::http::api::pagination::PageQuery;
use crate::http::api::problem::{Problem, ProblemCode};
use crate::idempotency::http::{IdempotencyKey, answer, refusal};
use crate::idempotency::model::{Answer, Request};
use crate::pagination::{Page, Paging};
use crate::point::model::MAX_CHARGE;
use crate::store::id::PaymentId;

/// The routes of payments.
pub fn routes(payments: Payments) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(pay, list))
        .routes(routes!(refund))
        .with_state(Arc::new(payments))
}

/// The hold to pay, and the limit of a charge.
#[derive(Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct PayBody {
    /// Id of the hold. All its seats are paid.
    #[garde(skip)]
    hold_id: Uuid,
    /// Limit of points that may be charged for this payment. The server charges exactly what the
    /// balance lacks, in the same transaction. It charges nothing if the hold is not paid.
    // Absent values are not serialized, so that a body without this field keeps its fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(range(min = 0, max = MAX_CHARGE)))]
    #[schema(minimum = 0, maximum = 10_000_000)]
    charge_up_to: Option<i64>,
}

/// Pay a hold with points.
///
/// Pays every seat of the hold or none. If the balance is too low, charges the missing points if
/// they are at most `charge_up_to`. Repeat the request with the same key until there is an answer.
#[utoipa::path(post, path = "/v1/payments", tag = "Payments", security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header)), request_body = PayBody,
    responses((status = 201, description = "Paid: the buyer owns the seats", body = Paid),
              (status = 402, description = "`insufficient_points` with `balance` and `required`"),
              (status = 404, description = "`hold_not_found`"),
              (status = 409, description = "`hold_expired`, `already_paid`")))]
async fn pay(
    State(payments): State<Arc<Payments>>,
    caller: Caller,
    key: IdempotencyKey,
    Json(body): Json<PayBody>,
) -> Result<Response, Problem> {
    let request = Request::new(caller.user, &key.0, "POST /v1/payments", &body);
    let paid = payments.pay(&request, body.hold_id, body.charge_up_to).await?;
    Ok(match paid.outcome {
        Ok(outcome) => answer(StatusCode::CREATED, Answer { outcome, replayed: paid.replayed }),
        Err(refused) => refusal(paid.replayed, refused.into()),
    })
}

/// List the caller's payments, newest first.
///
/// Refunded payments stay in the list.
#[utoipa::path(get, path = "/v1/payments", operation_id = "list_payments", tag = "Payments", security(("bearer" = [])),
    params(PageQuery), responses((status = 200, description = "A page of payments", body = Page<Payment>)))]
async fn list(
    State(payments): State<Arc<Payments>>,
    caller: Caller,
    paging: Paging,
) -> Result<Response, Problem> {
    Ok(Json(payments.list(caller.user, paging).await?).into_response())
}

/// Refund a payment.
///
/// The points return to the caller, and the seat is for sale again. Allowed until the schedule's
/// `deadline_at`. Repeat the request with the same key until there is an answer.
#[utoipa::path(post, path = "/v1/payments/{id}/refund", tag = "Payments",
    security(("bearer" = [])),
    params(("id" = i64, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, description = "Refunded: the seat is for sale again", body = Refunded),
              (status = 404, description = "`payment_not_found`"),
              (status = 409, description = "`refund_closed`, `already_refunded`")))]
async fn refund(
    State(payments): State<Arc<Payments>>,
    caller: Caller,
    Path(id): Path<PaymentId>,
    key: IdempotencyKey,
) -> Result<Response, Problem> {
    let operation = format!("POST /v1/payments/{id}/refund");
    let request = Request::new(caller.user, &key.0, &operation, &());
    let refunded = payments.refund(&request, id).await?;
    Ok(match refunded.outcome {
        Ok(outcome) => answer(StatusCode::OK, Answer { outcome, replayed: refunded.replayed }),
        Err(refused) => refusal(refunded.replayed, refused.into()),
    })
}

impl From<PayRefusal> for Problem {
    fn from(refusal: PayRefusal) -> Self {
        match refusal {
            PayRefusal::InsufficientPoints { balance, required } => {
                Self::new(ProblemCode::InsufficientPoints)
                    .with("balance", json!(balance))
                    .with("required", json!(required))
            }
            PayRefusal::HoldExpired => Self::new(ProblemCode::HoldExpired),
            PayRefusal::AlreadyPaid => Self::new(ProblemCode::AlreadyPaid),
        }
    }
}

impl From<RefundRefusal> for Problem {
    fn from(refusal: RefundRefusal) -> Self {
        match refusal {
            RefundRefusal::Closed => Self::new(ProblemCode::RefundClosed),
            RefundRefusal::AlreadyRefunded => Self::new(ProblemCode::AlreadyRefunded),
        }
    }
}

impl From<PayError> for Problem {
    fn from(error: PayError) -> Self {
        match error {
            PayError::NoHold => Self::new(ProblemCode::HoldNotFound),
            PayError::NoPayment => Self::new(ProblemCode::PaymentNotFound),
            PayError::Key(error) => error.into(),
            PayError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_payment_is_counted_under_the_code_in_its_answer() {
        let short = PayRefusal::InsufficientPoints { balance: 1, required: 2 };
        for refusal in [short, PayRefusal::HoldExpired, PayRefusal::AlreadyPaid] {
            let code = refusal.code();
            assert_eq!(Problem::from(refusal).code(), code);
        }
    }
}
