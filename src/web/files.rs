//! The routes of static files.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::assets::{ASK_AGAIN, Built, CLIENT, FOR_GOOD, kind};
use super::context::Web;
use crate::http::api::body::Path;
use crate::http::api::negotiation::{Encoding, encoding, matches};
use crate::http::api::problem::Problem;

/// `GET /assets/{build}/…`. An older build's address gives the file of now: a page that was loaded
/// before an update goes on.
pub(super) async fn asset(
    State(web): State<Web>,
    Path((build, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let now = web.assets.now();
    let fresh = if build == now.id { FOR_GOOD } else { ASK_AGAIN };
    answer(&now, &path, fresh, &headers).await
}

/// `GET /onsale.js`: the client, for pages of other sites too, under an address that stays. It names
/// the file of this build, beside which its parts are.
pub(super) async fn client(State(web): State<Web>) -> Response {
    let text = format!("export * from '{}';\n", web.assets.now().address(CLIENT));
    let kind = HeaderValue::from_static(kind(CLIENT));
    let anybody = HeaderValue::from_static("*");
    let told =
        [(CONTENT_TYPE, kind), (CACHE_CONTROL, ASK_AGAIN), (ACCESS_CONTROL_ALLOW_ORIGIN, anybody)];
    (told, text).into_response()
}

async fn answer(
    built: &Built,
    path: &str,
    fresh: HeaderValue,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let file = built.files.get(path).cloned().ok_or_else(Problem::not_found)?;
    // Small images are packed as they are.
    let encoding = if file.kind == "image/png" { Encoding::Plain } else { encoding(headers) };
    let tag = format!("\"{}-{}\"", file.tag, encoding.name());
    let kind = file.kind;
    let mut response = if matches(headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let packed = tokio::task::spawn_blocking(move || file.bytes(encoding)).await;
        packed.map_err(|_| Problem::internal())?.into_response()
    };
    let told = response.headers_mut();
    told.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    told.insert(CACHE_CONTROL, fresh);
    told.insert(VARY, HeaderValue::from_static("accept-encoding"));
    // They are the same for everybody, and nobody's secret.
    told.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        told.insert(ETAG, tag);
    }
    if encoding != Encoding::Plain && response.status() == StatusCode::OK {
        let coding = HeaderValue::from_static(encoding.name());
        response.headers_mut().insert(CONTENT_ENCODING, coding);
    }
    Ok(response)
}

/// `GET /theme/{file}`
pub(super) async fn theme(
    State(web): State<Web>,
    Path(name): Path<String>,
) -> Result<([(HeaderName, &'static str); 2], Bytes), Problem> {
    let (kind, data) = web.theme.file(&name).ok_or_else(Problem::not_found)?;
    Ok(([(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=60")], data))
}
