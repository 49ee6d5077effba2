//! The seat map over HTTP: conditional, compressed once, the same bytes for everybody.

use std::fmt::Display;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::render::{Encoding, Key, Rendered, Renderings, json};
use super::{MapVersion, SeatBits, SeatChanges, SeatLayout, SeatMap, bits, changes, whole};
use crate::board::seats::SeatStates;
use crate::concert::model::Layout;
use crate::concert::service::Catalogue;
use crate::http::body::{Path, Query};
use crate::http::problem::Problem;
use crate::store::id::ScheduleId;

/// As fresh as the read model.
const SECOND: HeaderValue = HeaderValue::from_static("public, max-age=1");
/// Immutable per version, and versions are rare.
const DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// What the routes need.
#[derive(Debug, Clone)]
struct Maps {
    catalogue: Catalogue,
    renderings: Renderings,
}

/// The routes of the seat map.
pub(in crate::concert) fn routes(catalogue: Catalogue) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(seats))
        .routes(routes!(layout))
        .routes(routes!(status))
        .with_state(Maps { catalogue, renderings: Renderings::default() })
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
#[utoipa::path(
    get, path = "/v1/schedules/{id}/seats", tag = "Catalogue",
    params(("id" = ScheduleId, Path, description = "The schedule"), Since),
    responses(
        (status = 200, description = "At most 1 s old", body = SeatsAnswer,
         headers(("ETag" = String, description = "Strong, of this encoding"))),
        (status = 304, description = "It still is what `If-None-Match` names"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn seats(
    State(maps): State<Maps>,
    Path(id): Path<ScheduleId>,
    Query(Since { since }): Query<Since>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let write = |layout: &Layout, states: &SeatStates| json(&whole(layout, states));
    maps.states(id, since, &headers, "map", write).await
}

/// The states alone, two bits per seat, or what changed.
#[utoipa::path(
    get, path = "/v1/schedules/{id}/seats/status", tag = "Catalogue",
    params(("id" = ScheduleId, Path, description = "The schedule"), Since),
    responses(
        (status = 200, description = "At most 1 s old", body = StatusAnswer,
         headers(("ETag" = String, description = "Strong, of this encoding"))),
        (status = 304, description = "It still is what `If-None-Match` names"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn status(
    State(maps): State<Maps>,
    Path(id): Path<ScheduleId>,
    Query(Since { since }): Query<Since>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let write = |layout: &Layout, states: &SeatStates| json(&bits(layout, states));
    maps.states(id, since, &headers, "status", write).await
}

/// Every seat without its state.
#[utoipa::path(
    get, path = "/v1/schedules/{id}/seats/layout", tag = "Catalogue",
    params(("id" = ScheduleId, Path, description = "The schedule")),
    responses(
        (status = 200, description = "Immutable per `layout_version`; keep it for a day",
         body = SeatLayout, headers(("ETag" = String, description = "Strong, of this encoding"))),
        (status = 304, description = "It still is what `If-None-Match` names"),
        (status = 404, description = "`schedule_not_found`"),
    ),
)]
async fn layout(
    State(maps): State<Maps>,
    Path(id): Path<ScheduleId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let layout = maps.catalogue.layout(id).await?;
    let wanted = Wanted { schedule: id, answer: "layout", fresh: DAY, headers: &headers };
    let version = layout.version;
    let write = move || json(&SeatLayout::new(id, &layout));
    maps.answer(wanted, version, write).await
}

/// One answer for one client.
struct Wanted<'h> {
    schedule: ScheduleId,
    answer: &'static str,
    fresh: HeaderValue,
    headers: &'h HeaderMap,
}

impl Maps {
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
        let states = Arc::clone(&board.seats);
        let version = MapVersion { seats: states.version, layout: layout.version };
        let since = since.and_then(|since| since.parse().ok());
        if let Some(changes) = since.and_then(|since| changes(&layout, &states, since)) {
            let wanted = Wanted { schedule, answer: "changes", fresh: SECOND, headers };
            let version = format!("{version}_{}", changes.since);
            return self.answer(wanted, version, move || json(&changes)).await;
        }
        let wanted = Wanted { schedule, answer, fresh: SECOND, headers };
        self.answer(wanted, version, move || write(&layout, &states)).await
    }

    /// `304` where the client has this version in this encoding, or else the body, which is
    /// written where nobody has asked for it yet.
    async fn answer(
        &self,
        wanted: Wanted<'_>,
        version: impl Display,
        write: impl FnOnce() -> std::io::Result<Vec<u8>> + Send + 'static,
    ) -> Result<Response, Problem> {
        let Wanted { schedule, answer, fresh, headers } = wanted;
        let encoding = encoding(headers);
        let version = version.to_string();
        let etag = match encoding {
            Encoding::Plain => format!("\"{version}\""),
            named => format!("\"{version}-{}\"", named.name()),
        };
        let mut response = if matches(headers, &etag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let key = Key { schedule, answer, version };
            let body = self.renderings.get(key, write).await.map_err(|error| {
                tracing::error!(%error, "a seat map could not be rendered");
                Problem::internal()
            })?;
            encoded(body, encoding)
        };
        let told = response.headers_mut();
        told.insert(CACHE_CONTROL, fresh);
        told.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(etag) = HeaderValue::try_from(etag) {
            told.insert(ETAG, etag);
        }
        Ok(response)
    }
}

/// A rendered body without a copy of it.
struct Encoded {
    body: Arc<Rendered>,
    encoding: Encoding,
}

impl AsRef<[u8]> for Encoded {
    fn as_ref(&self) -> &[u8] {
        self.body.bytes(self.encoding)
    }
}

fn encoded(body: Arc<Rendered>, encoding: Encoding) -> Response {
    let mut response = Bytes::from_owner(Encoded { body, encoding }).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if encoding != Encoding::Plain {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
    response
}

/// The items of a list header, however often it was sent.
fn items<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

/// The smallest encoding that `Accept-Encoding` takes: named, and not with a weight of 0.
fn encoding(headers: &HeaderMap) -> Encoding {
    let takes = |encoding: &Encoding| {
        items(headers, ACCEPT_ENCODING.as_str()).any(|item| {
            let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
            let weight = weight.trim().strip_prefix("q=").map(str::parse::<f32>);
            coding.trim().eq_ignore_ascii_case(encoding.name())
                && weight.is_none_or(|q| q.is_ok_and(|q| q > 0.0))
        })
    };
    Encoding::NAMED.into_iter().find(takes).unwrap_or(Encoding::Plain)
}

/// Whether `If-None-Match` names `etag`; compared weakly, as RFC 9110 has it.
fn matches(headers: &HeaderMap, etag: &str) -> bool {
    items(headers, IF_NONE_MATCH.as_str())
        .any(|item| item == "*" || item.strip_prefix("W/").unwrap_or(item) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, values: &[&'static str]) -> HeaderMap {
        let values = values.iter().map(|value| HeaderValue::from_static(value));
        values.map(|value| (axum::http::HeaderName::from_static(name), value)).collect()
    }

    #[test]
    fn the_smallest_encoding_is_sent_that_the_client_names_and_does_not_refuse() {
        let taken = |values: &[&'static str]| encoding(&headers("accept-encoding", values));
        for named in ["gzip", "br;q=0, GZIP;q=0.5", "gzip; q=1", "deflate, gzip"] {
            assert_eq!(taken(&[named]), Encoding::Gzip, "{named}");
        }
        for refused in ["", "identity", "gzip;q=0", "gzip; q=0.0", "gzip;q=x", "xgzip", "brr"] {
            assert_eq!(taken(&[refused]), Encoding::Plain, "{refused}");
        }
        assert_eq!(taken(&["gzip, deflate, br, zstd"]), Encoding::Brotli);
        assert_eq!(taken(&["gzip", "br"]), Encoding::Brotli);
        assert_eq!(encoding(&HeaderMap::new()), Encoding::Plain);
    }

    #[test]
    fn a_version_that_the_client_has_is_not_sent_again() {
        let etag = "\"1.8-2\"";
        for known in ["\"1.8-2\"", "W/\"1.8-2\"", "\"1.7-2\", \"1.8-2\"", "*"] {
            assert!(matches(&headers("if-none-match", &[known]), etag), "{known}");
        }
        for other in ["\"1.8-2-gzip\"", "1.8-2", "\"1.8-3\""] {
            assert!(!matches(&headers("if-none-match", &[other]), etag), "{other}");
        }
    }
}
