//! `If-Match` of a change, and `ETag` of an answer.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, ETAG, IF_MATCH};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use crate::precondition::{EntityTag, Precondition};

/// The precondition of a change, from the header `If-Match`.
#[derive(Debug, Clone)]
pub struct IfMatch(pub Precondition);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let values = parts.headers.get_all(IF_MATCH).into_iter();
        // A value that is not text matches no tag.
        Ok(Self(Precondition::parse(values.map(|value| value.to_str().unwrap_or_default()))))
    }
}

/// An answer with the tag of the state that it describes. No cache may keep it: its tag is for
/// changes.
pub fn tagged(tag: &EntityTag, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(tag) = HeaderValue::try_from(tag.as_str()) {
        headers.insert(ETAG, tag);
    }
    response
}
