//! The HTTP routes of the feed.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{FeedChange, FeedPage, FeedQuery, FeedState};
use super::service::Feed;
use crate::http::api::auth::Admin;
use crate::http::api::body::{Json, Query};
use crate::http::api::problem::Problem;

/// The routes of the feed.
pub fn routes(feed: Feed) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(events))
        .routes(routes!(event_feed, change_event_feed))
        .with_state(feed)
}

/// Read events after a cursor.
///
/// The events of webhooks, for clients that rather poll. A cursor never skips an event: one that is
/// committed late appears late. Test events are left out.
#[utoipa::path(
    get, path = "/v1/events", tag = "Webhooks", security(("bearer" = ["admin"])), params(FeedQuery),
    responses(
        (status = 200, description = "Events in order", body = FeedPage),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`event_feed_off`"),
        (status = 410, description = "`events_expired` with `oldest_after`"),
    ),
)]
async fn events(
    State(feed): State<Feed>,
    Admin(_): Admin,
    Query(query): Query<FeedQuery>,
) -> Result<Json<FeedPage>, Problem> {
    Ok(Json(feed.read(&query).await?))
}

/// Show whether the feed is on.
///
/// Events are recorded while the feed is on or a webhook endpoint is enabled.
#[utoipa::path(
    get, path = "/v1/admin/event-feed", tag = "Webhooks", security(("bearer" = ["admin"])),
    responses(
        (status = 200, description = "Whether the feed is on", body = FeedState),
        (status = 403, description = "`forbidden`"),
    ),
)]
async fn event_feed(State(feed): State<Feed>, Admin(_): Admin) -> Result<Json<FeedState>, Problem> {
    Ok(Json(feed.state().await?))
}

/// Turn the feed on or off.
///
/// While it is off and no webhook endpoint is enabled, events are not recorded, and a hold and a
/// payment write nothing for them.
#[utoipa::path(
    patch, path = "/v1/admin/event-feed", tag = "Webhooks", security(("bearer" = ["admin"])),
    request_body = FeedChange,
    responses(
        (status = 200, description = "The feed after the change", body = FeedState),
        (status = 403, description = "`forbidden`"),
    ),
)]
async fn change_event_feed(
    State(feed): State<Feed>,
    Admin(caller): Admin,
    Json(change): Json<FeedChange>,
) -> Result<Json<FeedState>, Problem> {
    Ok(Json(feed.set(caller.user, change.enabled).await?))
}
