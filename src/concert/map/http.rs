//! The seat map over HTTP: conditional, compressed once, the same bytes for everybody.

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
use crate::concert::model::Layout;
use crate::concert::service::Catalogue;
use crate::http::api::body::{Path, Query};
use crate::http::api::negotiation::{encoding, matches};
use crate::http::api::problem::Problem;
use crate::http::server::fast_path::{Known, Shortcut};
use crate::store::id::ScheduleId;

/// As fresh as the read model.
const SECOND: HeaderValue = HeaderValue::from_static("public, max-age=1");
/// What never changes: the layout of the version that the request names.
const DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400, immutable");
/// What is asked for again each time, and not sent again while it is the same.
const REVALIDATED: HeaderValue = HeaderValue::from_static("public, no-cache");
/// What no cache keeps: an answer to a version that is not the current one.
const UNKEPT: HeaderValue = HeaderValue::from_static("no-store");

/// The names of answers, among renderings.
const MAP: &str = "map";
const STATUS: &str = "status";
const CHANGES: &str = "changes";

/// Seat maps as they are sent; cheap to clone.
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

/// The shortcut of seat maps that were rendered already, and of what has not changed.
pub(in crate::concert) fn shortcut(maps: Maps) -> Shortcut {
    Box::new(move |uri, headers| maps.shortcut(uri, headers))
}

/// What a client has already.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Since {
    /// The `version` of an earlier answer: only what changed since is told, or the whole where
    /// that version is not known any more.
    #[garde(skip)]
    since: Option<String>,
}

/// Which layout a client wants.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanting {
    /// The `layout_version` that the client saw. Where it is the current one, the answer may be
    /// kept for a day; where it is another, the answer is the current layout, and not to be kept.
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

/// Every seat with its state, or what changed.
///
/// `?since=` gives only the seats that changed since an earlier `version`. `If-None-Match` gives
/// `304` while nothing changed.
#[utoipa::path(
    get, path = "/v1/schedules/{id}/seats", tag = "Catalogue",
    params(("id" = ScheduleId, Path, description = "The schedule"), Since),
    responses(
        (status = 200, description = "At most 1 s old, but for what `Age` says while Redis is away", body = SeatsAnswer,
         headers(("ETag" = String, description = "Strong, of this encoding"))),
        (status = 304, description = "It still is what `If-None-Match` names"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn seats(
    State(maps): State<Arc<Maps>>,
    Path(id): Path<ScheduleId>,
    Query(Since { since }): Query<Since>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let write = |layout: &Layout, states: &SeatStates| json(&whole(layout, states));
    maps.states(id, since, &headers, MAP, write).await
}

/// The states alone, two bits per seat, or what changed.
///
/// The smallest answer for a client that has the layout. `?since=` gives only what changed.
#[utoipa::path(
    get, path = "/v1/schedules/{id}/seats/status", operation_id = "seat_status", tag = "Catalogue",
    params(("id" = ScheduleId, Path, description = "The schedule"), Since),
    responses(
        (status = 200, description = "At most 1 s old, but for what `Age` says while Redis is away", body = StatusAnswer,
         headers(("ETag" = String, description = "Strong, of this encoding"))),
        (status = 304, description = "It still is what `If-None-Match` names"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn status(
    State(maps): State<Arc<Maps>>,
    Path(id): Path<ScheduleId>,
    Query(Since { since }): Query<Since>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let write = |layout: &Layout, states: &SeatStates| json(&bits(layout, states));
    maps.states(id, since, &headers, STATUS, write).await
}

/// Every seat without its state.
///
/// Load it once, then ask for the states alone or follow their stream.
#[utoipa::path(
    get, path = "/v1/schedules/{id}/seats/layout", operation_id = "seat_layout", tag = "Catalogue",
    params(("id" = ScheduleId, Path, description = "The schedule"), Wanting),
    responses(
        (status = 200, description = "The current layout. Immutable for a day if `version` is \
                                      its `layout_version`; without `version` to be revalidated",
         body = SeatLayout, headers(("ETag" = String, description = "Strong, of this encoding"))),
        (status = 304, description = "It still is what `If-None-Match` names"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn layout(
    State(maps): State<Arc<Maps>>,
    Path(id): Path<ScheduleId>,
    Query(Wanting { version }): Query<Wanting>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let layout = maps.catalogue.layout(id).await?;
    // A cache that kept this layout under another version would give it to those who ask for that
    // version later. Processes learn of a new version one after the other.
    let fresh = match version {
        None => REVALIDATED,
        Some(version) if version == layout.version => DAY,
        Some(_) => UNKEPT,
    };
    let wanted = Wanted { schedule: id, answer: "layout", fresh, age: None, headers: &headers };
    let version = layout.version.to_string();
    let write = move || json(&SeatLayout::new(id, &layout));
    maps.answer(wanted, version, write).await
}

/// One answer for one client.
struct Wanted<'h> {
    schedule: ScheduleId,
    answer: &'static str,
    fresh: HeaderValue,
    /// The age of what is told, where a store does not answer.
    age: Option<Duration>,
    headers: &'h HeaderMap,
}

impl Maps {
    /// Those of `catalogue`; nothing is rendered yet.
    #[must_use]
    pub fn new(catalogue: Catalogue) -> Self {
        Self { catalogue, renderings: Renderings::default() }
    }

    /// What changed since `since`, where that is known, or else what `write` makes of all seats.
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
            let wanted = Wanted { schedule, answer: CHANGES, fresh: SECOND, age, headers };
            let version = format!("{version}_{}", changes.since);
            return self.answer(wanted, version, move || json(&changes)).await;
        }
        let wanted = Wanted { schedule, answer, fresh: SECOND, age, headers };
        self.answer(wanted, version.to_string(), move || write(&layout, &states)).await
    }

    /// `304` where the client has this version in this encoding, or else the body, which is
    /// written where nobody has asked for it yet.
    async fn answer(
        &self,
        wanted: Wanted<'_>,
        version: String,
        write: impl FnOnce() -> std::io::Result<Vec<u8>> + Send + 'static,
    ) -> Result<Response, Problem> {
        let key = Key { schedule: wanted.schedule, answer: wanted.answer, version };
        if let Some(response) = self.known(&wanted, &key) {
            return Ok(response);
        }
        let tag = etag(&key.version, encoding(wanted.headers));
        let body = self.renderings.get(key, write).await.map_err(|error| {
            tracing::error!(%error, "a seat map could not be rendered");
            Problem::internal()
        })?;
        Ok(wanted.tagged(encoded(body, encoding(wanted.headers)), tag))
    }

    /// The answer, where nothing is to be written for it.
    fn known(&self, wanted: &Wanted<'_>, key: &Key) -> Option<Response> {
        let encoding = encoding(wanted.headers);
        let tag = etag(&key.version, encoding);
        let response = if matches(wanted.headers, &tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            encoded(self.renderings.known(key)?, encoding)
        };
        Some(wanted.tagged(response, tag))
    }

    /// The answer to a target that asks for seats, where it is known.
    fn shortcut(&self, uri: &Uri, headers: &HeaderMap) -> Option<Known> {
        let (id, rest) = uri.path().strip_prefix("/v1/schedules/")?.split_once('/')?;
        let (route, answer) = match rest {
            "seats" => ("/v1/schedules/{id}/seats", MAP),
            "seats/status" => ("/v1/schedules/{id}/seats/status", STATUS),
            _ => return None,
        };
        let schedule = ScheduleId(id.parse().ok()?);
        let (layout, board) = self.catalogue.known_seats(schedule)?;
        let version = version(&layout, &board);
        let (answer, version) = match uri.query() {
            None => (answer, version.to_string()),
            Some(query) => {
                let since: MapVersion = query.strip_prefix("since=")?.parse().ok()?;
                (CHANGES, format!("{version}_{since}"))
            }
        };
        let wanted = Wanted { schedule, answer, fresh: SECOND, age: board.overdue(), headers };
        Some((route, self.known(&wanted, &Key { schedule, answer, version })?))
    }
}

impl Wanted<'_> {
    /// The answer with what it says of its version, and of its age (RFC 9111) where it is old.
    fn tagged(&self, mut response: Response, tag: String) -> Response {
        let told = response.headers_mut();
        told.insert(CACHE_CONTROL, self.fresh.clone());
        told.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(age) = self.age {
            told.insert(AGE, age.as_secs().into());
        }
        if let Ok(tag) = HeaderValue::try_from(tag) {
            told.insert(ETAG, tag);
        }
        response
    }
}

fn version(layout: &Layout, board: &Board) -> MapVersion {
    MapVersion { seats: board.seats.version, layout: layout.version }
}
