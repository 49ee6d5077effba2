//! What a request says, parsed and checked: bodies, query strings, path parameters.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use garde::Validate;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::Segment;

use super::object::Object;
use super::problem::{FieldError, Problem};

/// A JSON body, valid by its type's own rules; as an answer, the value as JSON.
///
/// Refuses with `415 unsupported_media_type`, `413 body_too_large`, `400 invalid_json`, and
/// `422 invalid_request` with every field that is wrong.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

/// The query string, valid by its type's own rules; `422 invalid_request` where it is not.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

/// The parameters of the path. One that is not what it should be names nothing: `404 not_found`.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S, T> FromRequest<S> for Json<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Validate<Context = ()>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            let title = "The body must be application/json";
            return Err(Problem::new(status, "unsupported_media_type", title));
        }
        let body = Bytes::from_request(request, state).await.map_err(|rejection| {
            let (status, title) = (rejection.status(), "The body could not be read");
            match status {
                StatusCode::PAYLOAD_TOO_LARGE => {
                    Problem::new(status, "body_too_large", "The body is too large")
                }
                _ => Problem::new(StatusCode::BAD_REQUEST, "invalid_json", title),
            }
        })?;
        Self::read(&body)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<S, T> FromRequestParts<S> for Query<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Validate<Context = ()>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parse_query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

impl<S, T> FromRequestParts<S> for Path<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Send,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(Problem::not_found()),
        }
    }
}

/// Whether the body is said to be JSON: `application/json` or any `application/*+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some(subtype) = essence.strip_prefix("application/") else {
        return false;
    };
    subtype == "json" || subtype.ends_with("+json")
}

impl<T: DeserializeOwned + Validate<Context = ()>> Json<T> {
    /// Reads a body.
    ///
    /// # Errors
    /// `400 invalid_json`, or `422 invalid_request` with every field that is wrong.
    pub fn read(body: &[u8]) -> Result<Self, Problem> {
        parse(body).map(Self)
    }
}

/// Parses and checks a JSON body.
fn parse<T: DeserializeOwned + Validate<Context = ()>>(body: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let Object(value): Object<T> =
        serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let told = error.inner();
            if told.classify() != Category::Data && !is_huge_number(told) {
                return not_json(told);
            }
            let (pointer, detail) = (pointer(error.path()), reason(told));
            Problem::invalid_request(vec![FieldError { pointer, detail }])
        })?;
    deserializer.end().map_err(|error| not_json(&error))?;
    check(value)
}

/// Parses and checks a query string.
pub(super) fn parse_query<T>(query: &str) -> Result<T, Problem>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    let pairs = form_urlencoded::parse(query.as_bytes());
    let deserializer = serde_urlencoded::Deserializer::new(pairs);
    let value = serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        Problem::invalid_request(vec![FieldError { pointer, detail: error.inner().to_string() }])
    })?;
    check(value)
}

/// Holds a parsed value against its type's rules.
fn check<T: Validate<Context = ()>>(value: T) -> Result<T, Problem> {
    let Err(report) = value.validate() else {
        return Ok(value);
    };
    let errors = report.iter().map(|(path, error)| FieldError {
        pointer: garde_pointer(path),
        detail: error.message().to_owned(),
    });
    Err(Problem::invalid_request(errors.collect()))
}

fn not_json(error: &serde_json::Error) -> Problem {
    let title = "The body is not JSON";
    Problem::new(StatusCode::BAD_REQUEST, "invalid_json", title).detail(error.to_string())
}

/// Whether the text is JSON with a number in it that no type here holds, such as `1e400`, which
/// `serde_json` counts among the errors of syntax.
fn is_huge_number(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("number out of range")
}

/// serde's words without the place in the text: the pointer says where.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(token(&index.to_string())),
            Segment::Map { key } => Some(token(key)),
            Segment::Enum { variant } => Some(token(variant)),
            Segment::Unknown => None,
        })
        .collect()
}

/// garde tells a path's parts apart only when it serializes it: `[["key", "rows"], ["index", "0"]]`.
fn garde_pointer(path: &garde::Path) -> String {
    let parts =
        serde_json::to_value(path).and_then(serde_json::from_value::<Vec<(String, String)>>);
    let parts = parts.unwrap_or_default();
    parts.iter().filter(|(kind, _)| kind != "none").map(|(_, part)| token(part)).collect()
}

/// One step of a JSON Pointer (RFC 6901).
fn token(part: &str) -> String {
    format!("/{}", part.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests;
