//! The HTTP routes of the seat map. Each version is rendered and compressed once for all clients.

mod encoded;
pub mod render;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{AGE, CACHE_CONTROL, ETAG, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::encoded::{encoded, etag};
use self::render::{Key, Renderings, json};
use super::{MapVersion, SeatBits, SeatChanges, SeatLayout, SeatMap, bits, changes, whole};
use crate::board::seats::SeatStates;
use crate::board::snapshot::Board;
use crate::concert::layout::Layout;
use crate::concert::service::Catalogue;
use crate::http::api::body::{Path, Query};
use crate::http::api::negotiation::{encoding, matches};
use crate::http::api::problem::Problem;
use crate::http::server::fast_path::{FastPath, RoutedResponse};
use crate::store::id::ScheduleId;

/// For answers from the board, which is at most 1 s old.
const SECOND: HeaderValue = HeaderValue::from_static("public, max-age=1");
/// For the layout whose version the request names: that never changes.
const DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400, immutable");
/// For the current layout: caches ask each time, and get `304` while it is the same.
const REVALIDATED: HeaderValue = HeaderValue::from_static("public, no-cache");
/// For an answer to another version than the current one: no cache may store it.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Names of the answers, as part of the keys of rendered bodies.
const MAP: &str = "map";
const STATUS: &str = "status";
const CHANGES: &str = "changes";

/// Serves seat maps. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Maps {
    catalogue: Catalogue,
    renderings: Renderings,
}

/// The routes of the seat map.
pub(in crate::concert) fn routes(maps: Maps) -> OpenApiRouter {
    let routes = OpenApiRouter::new().routes(routes!(seats)).routes(routes!(layout));
    routes.routes(routes!(status)).with_state(Arc::new(maps))
}

/// The fast path: answers from rendered bodies, and `304` for unchanged ones.
pub(in crate::concert) fn seat_map_fast_path(maps: Maps) -> FastPath {
    Box::new(move |uri, headers| maps.answer_fast(uri, headers))
}

/// Which version a client has already.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct SinceQuery {
    /// The `version` of an earlier answer. The answer has only the changes since then, or all
    /// seats if the server no longer has that version.
    #[garde(skip)]
    since: Option<String>,
}

/// Which layout a client wants.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct LayoutQuery {
    /// The `layout_version` that the client saw. If it is the current one, caches may keep the
    /// answer for a day. If not, the answer is the current layout, and caches must not store it.
    #[garde(range(min = 0))]
    #[param(minimum = 0)]
    version: Option<i32>,
}

#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used: each variant is written by itself")]
enum SeatsAnswer<'m> {
    Whole(SeatMap<'m>),
    Changes(SeatChanges),
}

#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used: each variant is written by itself")]
enum StatusAnswer {
    Whole(SeatBits),
    Changes(SeatChanges),
}

/// Get every seat with its state, or the changes since a version.
///
/// `?since=` limits the answer to the seats that changed since an earlier `version`. With
/// `If-None-Match` the answer is `304` while nothing has changed.
#[utoipa::path(
    get, path = "/v1/schedules/{id}/seats", tag = "Catalogue",
    params(("id" = ScheduleId, Path, description = "The schedule"), SinceQuery),
    responses(
        (status = 200, description = "At most 1 s old, or as old as `Age` says", body = SeatsAnswer,
         headers(("ETag" = String, description = "Strong, for this encoding"))),
        (status = 304, description = "Unchanged since the version in `If-None-Match`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn seats(
    State(maps): State<Arc<Maps>>,
    Path(id): Path<ScheduleId>,
    Query(SinceQuery { since }): Query<SinceQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let write = |layout: &Layout, states: &SeatStates| json(&whole(layout, states));
    maps.states(id, since, &headers, MAP, write).await
}

/// Get the states of all seats, two bits each, or the changes since a version.
///
/// The smallest answer for a client that has the layout. `?since=` limits it to the changes.
#[utoipa::path(
    get, path = "/v1/schedules/{id}/seats/status", operation_id = "seat_status", tag = "Catalogue",
    params(("id" = ScheduleId, Path, description = "The schedule"), SinceQuery),
    responses(
        (status = 200, description = "At most 1 s old, or as old as `Age` says", body = StatusAnswer,
         headers(("ETag" = String, description = "Strong, for this encoding"))),
        (status = 304, description = "Unchanged since the version in `If-None-Match`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn status(
    State(maps): State<Arc<Maps>>,
    Path(id): Path<ScheduleId>,
    Query(SinceQuery { since }): Query<SinceQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let write = |layout: &Layout, states: &SeatStates| json(&bits(layout, states));
    maps.states(id, since, &headers, STATUS, write).await
}

/// Get every seat without its state.
///
/// Load the layout once, then poll the states or follow their stream.
#[utoipa::path(
    get, path = "/v1/schedules/{id}/seats/layout", operation_id = "seat_layout", tag = "Catalogue",
    params(("id" = ScheduleId, Path, description = "The schedule"), LayoutQuery),
    responses(
        (status = 200, description = "The current layout. Cacheable for a day if `version` is \
                                      its `layout_version`; revalidate it without `version`",
         body = SeatLayout, headers(("ETag" = String, description = "Strong, for this encoding"))),
        (status = 304, description = "Unchanged since the version in `If-None-Match`"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn layout(
    State(maps): State<Arc<Maps>>,
    Path(id): Path<ScheduleId>,
    Query(LayoutQuery { version }): Query<LayoutQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let layout = maps.catalogue.layout(id).await?;
    // Processes see a new version one after the other. So a cache must not store this layout under
    // another version: it would later serve it to clients that ask for that version.
    let cache_control = match version {
        None => REVALIDATED,
        Some(version) if version == layout.version => DAY,
        Some(_) => NO_STORE,
    };
    let request =
        MapRequest { schedule: id, answer: "layout", cache_control, age: None, headers: &headers };
    let version = layout.version.to_string();
    let write = move || json(&SeatLayout::new(id, &layout));
    maps.answer(request, version, write).await
}

/// One client's request for one answer.
struct MapRequest<'h> {
    schedule: ScheduleId,
    answer: &'static str,
    cache_control: HeaderValue,
    /// Age of the board, if Redis does not answer.
    age: Option<Duration>,
    headers: &'h HeaderMap,
}

impl Maps {
    /// Serves the maps of `catalogue`. Nothing is rendered yet.
    #[must_use]
    pub fn new(catalogue: Catalogue) -> Self {
        Self { catalogue, renderings: Renderings::default() }
    }

    /// Answers with the changes since `since` if they are known, or else with all seats as `write`
    /// renders them.
    async fn states(
        &self,
        schedule: ScheduleId,
        since: Option<String>,
        headers: &HeaderMap,
        answer: &'static str,
        write: fn(&Layout, &SeatStates) -> std::io::Result<Vec<u8>>,
    ) -> Result<Response, Problem> {
        let (layout, board) = self.catalogue.seats(schedule).await?;
        let (states, age) = (Arc::clone(&board.seats), board.overdue());
        let version = version(&layout, &board);
        let since = since.and_then(|since| since.parse().ok());
        if let Some(changes) = since.and_then(|since| changes(&layout, &states, since)) {
            let cache_control = SECOND;
            let request = MapRequest { schedule, answer: CHANGES, cache_control, age, headers };
            let version = format!("{version}_{}", changes.since);
            return self.answer(request, version, move || json(&changes)).await;
        }
        let request = MapRequest { schedule, answer, cache_control: SECOND, age, headers };
        self.answer(request, version.to_string(), move || write(&layout, &states)).await
    }

    /// Answers `304` if the client has this version in this encoding, or else with the body, which
    /// `write` renders at the first request.
    async fn answer(
        &self,
        request: MapRequest<'_>,
        version: String,
        write: impl FnOnce() -> std::io::Result<Vec<u8>> + Send + 'static,
    ) -> Result<Response, Problem> {
        let key = Key { schedule: request.schedule, answer: request.answer, version };
        if let Some(response) = self.cached(&request, &key) {
            return Ok(response);
        }
        let tag = etag(&key.version, encoding(request.headers));
        let body = self.renderings.get(key, write).await.map_err(|error| {
            tracing::error!(schedule = %request.schedule, %error, "rendering a seat map failed");
            Problem::internal()
        })?;
        Ok(request.tagged(encoded(body, encoding(request.headers)), tag))
    }

    /// Returns the answer if it needs no rendering.
    fn cached(&self, request: &MapRequest<'_>, key: &Key) -> Option<Response> {
        let encoding = encoding(request.headers);
        let tag = etag(&key.version, encoding);
        let response = if matches(request.headers, &tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            encoded(self.renderings.known(key)?, encoding)
        };
        Some(request.tagged(response, tag))
    }

    /// Returns the answer to a request for seats if it needs no rendering, with its route.
    fn answer_fast(&self, uri: &Uri, headers: &HeaderMap) -> Option<RoutedResponse> {
        let (id, rest) = uri.path().strip_prefix("/v1/schedules/")?.split_once('/')?;
        let (route, answer) = match rest {
            "seats" => ("/v1/schedules/{id}/seats", MAP),
            "seats/status" => ("/v1/schedules/{id}/seats/status", STATUS),
            _ => return None,
        };
        // The router hides the shadows of rehearsals.
        let schedule = Some(ScheduleId(id.parse().ok()?)).filter(|id| !id.is_shadow())?;
        let (layout, board) = self.catalogue.known_seats(schedule)?;
        let version = version(&layout, &board);
        let (answer, version) = match uri.query() {
            None => (answer, version.to_string()),
            Some(query) => {
                let since: MapVersion = query.strip_prefix("since=")?.parse().ok()?;
                (CHANGES, format!("{version}_{since}"))
            }
        };
        let (cache_control, age) = (SECOND, board.overdue());
        let request = MapRequest { schedule, answer, cache_control, age, headers };
        Some((route, self.cached(&request, &Key { schedule, answer, version })?))
    }
}

impl MapRequest<'_> {
    /// Adds the headers for caches, and `Age` (RFC 9111) if the board is overdue.
    fn tagged(&self, mut response: Response, tag: String) -> Response {
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, self.cache_control.clone());
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(age) = self.age {
            headers.insert(AGE, age.as_secs().into());
        }
        if let Ok(tag) = HeaderValue::try_from(tag) {
            headers.insert(ETAG, tag);
        }
        response
    }
}

fn version(layout: &Layout, board: &Board) -> MapVersion {
    MapVersion { seats: board.seats.version, layout: layout.version }
}
