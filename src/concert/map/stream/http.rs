//! The HTTP route of the stream of seat changes.

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

/// The route of the stream of seat changes.
pub fn routes(streams: SeatStreams) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(stream)).with_state(streams)
}

/// Where the stream starts.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct From {
    /// The `version` of the map that the client has. `Last-Event-ID` takes precedence.
    #[garde(skip)]
    since: Option<String>,
}

/// Stream the changes of seats as server-sent events.
///
/// A `seats` event has `version`, `since` and the `seats` that changed in between, each with its
/// `id` and `status`. The first one arrives at once. `reload` says that the changes are no longer
/// known: load the map of this `version`. `stale` says that a store does not answer; the next
/// `seats` ends that.
#[utoipa::path(
    get, path = "/v1/schedules/{id}/seats/stream", operation_id = "stream_seats", tag = "Catalogue",
    params(("id" = ScheduleId, Path, description = "The schedule"), From,
           ("Last-Event-ID" = Option<String>, Header,
            description = "The id of the last event received: a version of the map")),
    responses(
        (status = 200, description = "Events until either side closes the stream", body = String,
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
