//! The HTTP routes of webhook endpoints. Their handlers have the shape of those of `admin`: each is the
//! description of one operation, and a macro for them would hide it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::WebhookError;
use super::model::{
    Delivery, DeliveryQuery, NewWebhook, Replay, Replayed, Rotation, TestSent, Webhook,
    WebhookChange,
};
use super::service::Webhooks;
use crate::http::api::auth::Admin;
use crate::http::api::body::{Json, Path, created};
use crate::http::api::pagination::{Filtered, PageQuery};
use crate::http::api::problem::{FieldError, Problem, ProblemCode};
use crate::pagination::Page;
use crate::store::id::WebhookId;

/// The routes of webhook endpoints.
pub fn routes(webhooks: Webhooks) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(create_webhook, webhooks_list))
        .routes(routes!(find_webhook, change_webhook, delete_webhook))
        .routes(routes!(rotate_webhook_secret))
        .routes(routes!(test_webhook))
        .routes(routes!(webhook_deliveries))
        .routes(routes!(replay_webhook))
        .with_state(webhooks)
}

/// Create a webhook endpoint.
///
/// It gets the events that occur from now on. `secret` is in this answer only: store it to verify
/// the signatures.
#[utoipa::path(
    post, path = "/v1/admin/webhooks", tag = "Webhooks", security(("bearer" = ["admin"])),
    request_body = NewWebhook,
    responses(
        (status = 201, description = "Created", body = Webhook,
         headers(("Location" = String, description = "The endpoint"))),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`webhook_limit` with `limit`"),
    ),
)]
async fn create_webhook(
    State(webhooks): State<Webhooks>,
    Admin(caller): Admin,
    Json(new): Json<NewWebhook>,
) -> Result<Response, Problem> {
    let webhook = webhooks.create(caller.user, &new).await?;
    Ok(created(&format!("/v1/admin/webhooks/{}", webhook.id), Json(webhook)))
}

/// List the webhook endpoints.
///
/// All of them, the oldest first, without their secrets.
#[utoipa::path(
    get, path = "/v1/admin/webhooks", operation_id = "list_webhooks", tag = "Webhooks",
    security(("bearer" = ["admin"])),
    responses(
        (status = 200, description = "The endpoints", body = Page<Webhook>),
        (status = 403, description = "`forbidden`"),
    ),
)]
async fn webhooks_list(
    State(webhooks): State<Webhooks>,
    Admin(_): Admin,
) -> Result<Json<Page<Webhook>>, Problem> {
    Ok(Json(webhooks.list().await?))
}

/// Get a webhook endpoint.
///
/// Without its secret.
#[utoipa::path(
    get, path = "/v1/admin/webhooks/{id}", tag = "Webhooks", security(("bearer" = ["admin"])),
    params(("id" = WebhookId, Path, description = "The endpoint")),
    responses(
        (status = 200, description = "The endpoint", body = Webhook),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`webhook_not_found`"),
    ),
)]
async fn find_webhook(
    State(webhooks): State<Webhooks>,
    Admin(_): Admin,
    Path(id): Path<WebhookId>,
) -> Result<Json<Webhook>, Problem> {
    Ok(Json(webhooks.find(id).await?))
}

/// Change a webhook endpoint.
///
/// Fields that are absent from the body keep their values. Disabling it gives up its pending
/// deliveries; enable it again and replay the time to get them.
#[utoipa::path(
    patch, path = "/v1/admin/webhooks/{id}", tag = "Webhooks", security(("bearer" = ["admin"])),
    params(("id" = WebhookId, Path, description = "The endpoint")), request_body = WebhookChange,
    responses(
        (status = 200, description = "The endpoint after the change", body = Webhook),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`webhook_not_found`"),
    ),
)]
async fn change_webhook(
    State(webhooks): State<Webhooks>,
    Admin(caller): Admin,
    Path(id): Path<WebhookId>,
    Json(change): Json<WebhookChange>,
) -> Result<Json<Webhook>, Problem> {
    Ok(Json(webhooks.change(caller.user, id, change).await?))
}

/// Delete a webhook endpoint.
///
/// Its pending deliveries are given up. A message that is being sent may still arrive.
#[utoipa::path(
    delete, path = "/v1/admin/webhooks/{id}", tag = "Webhooks", security(("bearer" = ["admin"])),
    params(("id" = WebhookId, Path, description = "The endpoint")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`webhook_not_found`"),
    ),
)]
async fn delete_webhook(
    State(webhooks): State<Webhooks>,
    Admin(caller): Admin,
    Path(id): Path<WebhookId>,
) -> Result<StatusCode, Problem> {
    webhooks.delete(caller.user, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replace the secret of a webhook endpoint.
///
/// Messages are also signed with the previous secret for `keep_previous_seconds`, so that the
/// receiver can change it without a gap. A secret before the previous one is no longer used.
#[utoipa::path(
    post, path = "/v1/admin/webhooks/{id}/secret", tag = "Webhooks", security(("bearer" = ["admin"])),
    params(("id" = WebhookId, Path, description = "The endpoint")), request_body = Rotation,
    responses(
        (status = 200, description = "The endpoint with its new secret", body = Webhook),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`webhook_not_found`"),
    ),
)]
async fn rotate_webhook_secret(
    State(webhooks): State<Webhooks>,
    Admin(caller): Admin,
    Path(id): Path<WebhookId>,
    Json(rotation): Json<Rotation>,
) -> Result<Json<Webhook>, Problem> {
    Ok(Json(webhooks.rotate(caller.user, id, rotation).await?))
}

/// Send a test event to a webhook endpoint.
///
/// An event of type `webhook.test`, for this endpoint only. The list of deliveries shows the result.
#[utoipa::path(
    post, path = "/v1/admin/webhooks/{id}/test", tag = "Webhooks", security(("bearer" = ["admin"])),
    params(("id" = WebhookId, Path, description = "The endpoint")),
    responses(
        (status = 202, description = "The event will be sent", body = TestSent),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`webhook_not_found`"),
        (status = 409, description = "`webhook_disabled`"),
    ),
)]
async fn test_webhook(
    State(webhooks): State<Webhooks>,
    Admin(caller): Admin,
    Path(id): Path<WebhookId>,
) -> Result<(StatusCode, Json<TestSent>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(webhooks.test(caller.user, id).await?)))
}

/// List the deliveries of a webhook endpoint, newest first.
///
/// `?status=DEAD` lists those that were given up. Ended deliveries are kept for
/// `ONSALE_EVENT_RETENTION`.
#[utoipa::path(
    get, path = "/v1/admin/webhooks/{id}/deliveries", tag = "Webhooks", security(("bearer" = ["admin"])),
    params(("id" = WebhookId, Path, description = "The endpoint"), DeliveryQuery, PageQuery),
    responses(
        (status = 200, description = "A page of deliveries", body = Page<Delivery>),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`webhook_not_found`"),
    ),
)]
async fn webhook_deliveries(
    State(webhooks): State<Webhooks>,
    Admin(_): Admin,
    Path(id): Path<WebhookId>,
    Filtered(query, paging): Filtered<DeliveryQuery>,
) -> Result<Json<Page<Delivery>>, Problem> {
    Ok(Json(webhooks.deliveries(id, query, paging).await?))
}

/// Send events to a webhook endpoint again.
///
/// By `event_ids`, or by time: then all events from `from` until `until` that the endpoint wants and
/// has not got, up to 10,000 in one call. They keep their ids.
#[utoipa::path(
    post, path = "/v1/admin/webhooks/{id}/replay", tag = "Webhooks", security(("bearer" = ["admin"])),
    params(("id" = WebhookId, Path, description = "The endpoint")), request_body = Replay,
    responses(
        (status = 202, description = "The events will be sent", body = Replayed),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`webhook_not_found`, `event_not_found`: none is sent"),
        (status = 409, description = "`webhook_disabled`"),
    ),
)]
async fn replay_webhook(
    State(webhooks): State<Webhooks>,
    Admin(caller): Admin,
    Path(id): Path<WebhookId>,
    Json(replay): Json<Replay>,
) -> Result<(StatusCode, Json<Replayed>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(webhooks.replay(caller.user, id, &replay).await?)))
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::NotFound => Self::new(ProblemCode::WebhookNotFound),
            WebhookError::EventNotFound => Self::new(ProblemCode::EventNotFound),
            WebhookError::Disabled => Self::new(ProblemCode::WebhookDisabled),
            WebhookError::TooMany { limit } => {
                Self::new(ProblemCode::WebhookLimit).with("limit", json!(limit))
            }
            WebhookError::FeedOff => Self::new(ProblemCode::EventFeedOff),
            WebhookError::EventsExpired { oldest_after } => {
                Self::new(ProblemCode::EventsExpired).with("oldest_after", json!(oldest_after))
            }
            WebhookError::Invalid { pointer, detail } => Self::invalid_request(vec![FieldError {
                pointer: pointer.to_owned(),
                detail: detail.to_owned(),
            }]),
            WebhookError::Store(error) => error.into(),
        }
    }
}
