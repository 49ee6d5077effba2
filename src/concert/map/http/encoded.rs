//! Sends a rendered body in one of its encodings, with the validator for that encoding.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::concert::map::http::render::Rendered;
use crate::http::api::negotiation::Encoding;

/// Builds the strong validator of a version in one encoding.
pub(super) fn etag(version: &str, encoding: Encoding) -> String {
    match encoding {
        Encoding::Plain => format!("\"{version}\""),
        named => format!("\"{version}-{}\"", named.name()),
    }
}

/// A shared body in one encoding. Sending it copies nothing.
struct Encoded {
    body: Arc<Rendered>,
    encoding: Encoding,
}

impl AsRef<[u8]> for Encoded {
    fn as_ref(&self) -> &[u8] {
        self.body.bytes(self.encoding)
    }
}

/// Builds the response with a rendered body.
pub(super) fn encoded(body: Arc<Rendered>, encoding: Encoding) -> Response {
    let mut response = Bytes::from_owner(Encoded { body, encoding }).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if encoding != Encoding::Plain {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
    response
}
