//! The stream of a seat map over HTTP.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use garde::Validate;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::SeatStreams;
use super::latest::Since;
use crate::http::api::body::{Path, Query};
use crate::http::api::problem::Problem;
use crate::http::stream::takeover;
use crate::store::id::ScheduleId;

/// The route of pushed changes.
pub fn routes(streams: SeatStreams) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(stream)).with_state(streams)
}

/// Where a client begins.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct From {
    /// The `version` of the map that the client has. `Last-Event-ID` comes before it.
    #[garde(skip)]
    since: Option<String>,
}

/// Which seats change, as server-sent events.
///
/// `seats` has `version`, `since` and the `seats` that changed in between, each with its `id` and
/// `status`; the first comes at once. `reload`: what changed is not known any more, the map of this
/// `version` is to be loaded. `stale`: a store does not answer, until the next `seats`.
#[utoipa::path(
    get, path = "/v1/schedules/{id}/seats/stream", operation_id = "stream_seats", tag = "Catalogue",
    params(("id" = ScheduleId, Path, description = "The schedule"), From,
           ("Last-Event-ID" = Option<String>, Header,
            description = "The id of the last event that was seen: a version")),
    responses(
        (status = 200, description = "Until a side closes it", body = String,
         content_type = "text/event-stream"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn stream(
    State(streams): State<SeatStreams>,
    Path(id): Path<ScheduleId>,
    Query(From { since }): Query<From>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let open = streams.open()?;
    streams.exists(id).await?;
    let has = match takeover::last_event_id(&headers).or(since.as_deref()) {
        None => Since::Now,
        Some(version) => version.parse().map_or(Since::Unknown, Since::Version),
    };
    Ok(takeover::stream(open, move |socket| streams.serve(id, has, socket)))
}
