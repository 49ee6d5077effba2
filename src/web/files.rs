//! Handlers of static files.

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

/// `GET /assets/{build}/…`. The address of another build gives the current file, so that a page
/// from before an update still works.
pub(super) async fn asset(
    State(web): State<Web>,
    Path((build, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let current = web.assets.now();
    let cache_control = if build == current.id { FOR_GOOD } else { ASK_AGAIN };
    answer(&current, &path, cache_control, &headers).await
}

/// `GET /onsale.js`: the JavaScript client under a fixed address, also for pages of other sites. It
/// re-exports the client file of this build, which imports its other files.
pub(super) async fn client(State(web): State<Web>) -> Response {
    let text = format!("export * from '{}';\n", web.assets.now().address(CLIENT));
    let kind = HeaderValue::from_static(kind(CLIENT));
    let every_origin = HeaderValue::from_static("*");
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, ASK_AGAIN),
        (ACCESS_CONTROL_ALLOW_ORIGIN, every_origin),
    ];
    (headers, text).into_response()
}

async fn answer(
    built: &Built,
    path: &str,
    cache_control: HeaderValue,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let file = built.files.get(path).cloned().ok_or_else(Problem::not_found)?;
    // PNG images are already compressed.
    let encoding = if file.kind == "image/png" { Encoding::Plain } else { encoding(headers) };
    let tag = format!("\"{}-{}\"", file.tag, encoding.name());
    let kind = file.kind;
    let mut response = if matches(headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let packed = tokio::task::spawn_blocking(move || file.bytes(encoding)).await;
        packed.map_err(|_| Problem::internal())?.into_response()
    };
    let reply = response.headers_mut();
    reply.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    reply.insert(CACHE_CONTROL, cache_control);
    reply.insert(VARY, HeaderValue::from_static("accept-encoding"));
    // The files are public and the same for every client.
    reply.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        reply.insert(ETAG, tag);
    }
    if encoding != Encoding::Plain && response.status() == StatusCode::OK {
        let coding = HeaderValue::from_static(encoding.name());
        response.headers_mut().insert(CONTENT_ENCODING, coding);
    }
    Ok(response)
}

/// `GET /theme/{file}`: a file of the organiser's theme.
pub(super) async fn theme(
    State(web): State<Web>,
    Path(name): Path<String>,
) -> Result<([(HeaderName, &'static str); 2], Bytes), Problem> {
    let (kind, data) = web.theme.file(&name).ok_or_else(Problem::not_found)?;
    Ok(([(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=60")], data))
}
